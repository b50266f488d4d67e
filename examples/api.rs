//! A small API that opens for a good access token (RFC 6750), and asks regrant which one is good (RFC 7662).
//!
//! ```sh
//! cargo run --package regrant-examples --bin api -- 127.0.0.1:8080     # where `regrant dev` listens
//! curl -i http://127.0.0.1:8081/notes -H "Authorization: Bearer $ACCESS_TOKEN"
//! ```
//!
//! 200 for a live token; 401 with `WWW-Authenticate: Bearer error="invalid_token"` for one that is expired or revoked;
//! 503 when regrant cannot be asked, because that says nothing about the token.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// The longest answer of the authorization server that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where the authorization server is, and who this API is there.
#[derive(Clone)]
struct Introspection {
    server: SocketAddr,
    client: &'static str,
    secret: &'static str,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    let server = server.parse().with_context(|| format!("{server:?} is not ADDR:PORT of the authorization server"))?;
    let introspection = Introspection { server, client: "TestClient", secret: "TestSecret" };

    let listener = TcpListener::bind(&listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let router = Router::new().route("/notes", get(notes)).with_state(introspection);
    Ok(axum::serve(listener, router).await?)
}

/// `GET /notes`.
async fn notes(State(introspection): State<Introspection>, headers: HeaderMap) -> Response {
    let Some(token) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer) else {
        // RFC 6750 §3.1: no error code where no token was sent.
        return unauthorized("Bearer realm=\"notes\"");
    };
    match introspection.ask(token).await {
        Ok(answer) if answer["active"] == true => {
            let name = answer["username"].as_str().or(answer["sub"].as_str()).unwrap_or("nobody");
            axum::Json(serde_json::json!({ "notes": [format!("Hello, {name}!")] })).into_response()
        }
        Ok(_) => unauthorized("Bearer realm=\"notes\", error=\"invalid_token\""),
        Err(error) => {
            eprintln!("cannot ask whether a token is good: {error:#}");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response()
        }
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(challenge: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
}

impl Introspection {
    /// `POST /introspect` (RFC 7662 §2.1).
    async fn ask(&self, token: &str) -> Result<serde_json::Value> {
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        let credentials = STANDARD.encode(format!("{}:{}", self.client, self.secret));
        let request = Request::post("/introspect")
            .header(HOST, self.server.to_string())
            .header(AUTHORIZATION, format!("Basic {credentials}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))?;

        let stream = TcpStream::connect(self.server).await.context("cannot connect")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("cannot read the answer: {error}"))?.to_bytes();
        if status != StatusCode::OK {
            bail!("the authorization server answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
