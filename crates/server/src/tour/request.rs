use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Tokens by the names that they have in the `curl` lines, such as `$RT1`.
pub(super) type Variables = BTreeMap<String, String>;

/// A request of the tour: it is sent, and told as a `curl` line, from the same description.
pub(super) enum Request {
    /// A form to the token endpoint; the tokens of the answer become `$AT` and `$RT` of this number.
    Token { form: String, number: u32 },
    /// A call of the API with an access token.
    Api { path: &'static str, token: String },
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    challenge: Option<String>,
    body: String,
}

impl Request {
    /// Sends the request on a connection of its own.
    pub(super) async fn send(
        &self,
        address: SocketAddr,
        client: &str,
        secret: &str,
        variables: &mut Variables,
    ) -> Result<Answer> {
        let request = http::Request::builder().header(HOST, address.to_string());
        let request = match self {
            Self::Token { form, .. } => request
                .method("POST")
                .uri("/token")
                .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{client}:{secret}"))))
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Full::new(Bytes::from(filled(form, variables)))),
            Self::Api { path, token } => request
                .uri(*path)
                .header(AUTHORIZATION, format!("Bearer {}", filled(token, variables)))
                .body(Full::new(Bytes::new())),
        };
        let answer = exchange(address, request?).await?;
        if let Self::Token { number, .. } = self {
            for (member, name) in [("access_token", "AT"), ("refresh_token", "RT")] {
                if let Some(token) = answer.member(member) {
                    variables.insert(format!("${name}{number}"), token);
                }
            }
        }
        Ok(answer)
    }

    /// The shell lines that repeat the request and keep its tokens.
    pub(super) fn curl(&self, address: SocketAddr, client: &str, secret: &str, answer: &Answer) -> Vec<String> {
        match self {
            Self::Token { form, number } => {
                let curl =
                    format!(r"curl -s -w '\nHTTP %{{http_code}}\n' -u {client}:{secret} http://{address}/token -d");
                if answer.status != 200 {
                    return vec![format!(r#"{curl} "{form}""#)];
                }
                let keep = |name, member| {
                    format!(r#"{name}{number}=$(echo "$ANSWER" | sed -n 's/.*"{member}":"\([^"]*\)".*/\1/p')"#)
                };
                vec![
                    format!(r#"ANSWER=$({curl} "{form}"); echo "$ANSWER""#),
                    format!("{}; {}", keep("AT", "access_token"), keep("RT", "refresh_token")),
                ]
            }
            Self::Api { path, token } => {
                let show = r"'\nHTTP %{http_code} %header{www-authenticate}\n'";
                vec![format!(r#"curl -s -w {show} -H "Authorization: Bearer {token}" http://{address}{path}"#)]
            }
        }
    }
}

impl Answer {
    /// A text member of the JSON body.
    pub(super) fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        body.get(name)?.as_str().map(str::to_owned)
    }

    /// The `jti` of the access token, read without checking it.
    pub(super) fn token_id(&self) -> Option<String> {
        let token = self.member("access_token")?;
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        claims.get("jti")?.as_str().map(str::to_owned)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.body.is_empty() {
            writeln!(f, "{}", self.body)?;
        }
        write!(f, "HTTP {}", self.status)?;
        match &self.challenge {
            Some(challenge) if self.body.is_empty() => write!(f, " {challenge}"),
            _ => Ok(()),
        }
    }
}

/// Replaces variables by the tokens they stand for.
fn filled(text: &str, variables: &Variables) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, token)| text.replace(name, token))
}

async fn exchange(address: SocketAddr, request: http::Request<Full<Bytes>>) -> Result<Answer> {
    let stream = TcpStream::connect(address).await.context("cannot connect")?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("cannot read the answer: {error}"))?.to_bytes();
    drop(sender);
    driver.await??;
    Ok(Answer { status, challenge, body: String::from_utf8(body.to_vec())? })
}
