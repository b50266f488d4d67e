//! The way to the servers that clients had before: HTTP for the engine's [`OldServer`].

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use jiff::fmt::rfc2822;
use regrant_engine::{
    AuthorizationServer, OLD_SERVER_ANSWER_BYTES_MAX, OLD_SERVER_SECONDS_MAX, OldServer, OldServerAnswer,
    OldServerQuestion, OldServerSettings, OldServerSilent,
};
use regrant_protocol::{ClientId, Clock, Secret, SystemClock, TokenEndpointAuthMethod};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use std::sync::Arc;
use tracing::{info, warn};

use crate::config::{ConfiguredOldServer, is_this_machine, read_bounded};

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest file of certificates.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// Lets the engine ask these servers from now on, and no other.
///
/// # Errors
/// When the certificates of one cannot be used; then everything stays as it was.
pub(crate) async fn set_old_servers(server: &AuthorizationServer, configured: &[ConfiguredOldServer]) -> Result<()> {
    let mut old_servers = HashMap::new();
    for old in configured {
        let settings =
            settings(old).with_context(|| format!("{}: old_server {:?}", old.origin, old.client.as_str()))?;
        old_servers.insert(old.client.clone(), settings);
    }
    for old in configured {
        tell(server, &old.client, old).await?;
    }
    server.set_old_servers(old_servers);
    Ok(())
}

async fn tell(server: &AuthorizationServer, client: &ClientId, old: &ConfiguredOldServer) -> Result<()> {
    let host = old.token_endpoint.host().unwrap_or_default();
    if old.until <= SystemClock.now() {
        warn!(%client, host, "the end of the old server is past, and it is not asked any more: its entry can be removed");
    } else if server.store().client(client).await?.is_none() {
        warn!(%client, host, "there is no such client, so that nothing of its old server is taken over");
    } else {
        info!(%client, host, until = old.until.to_rfc3339(), "unknown refresh tokens are presented to the old server");
    }
    Ok(())
}

fn settings(old: &ConfiguredOldServer) -> Result<OldServerSettings> {
    Ok(OldServerSettings {
        server: Arc::new(HttpOldServer::new(old)?),
        until: old.until,
        user_from: old.user_from,
        user_claim: old.user_claim.clone(),
        issuer: old.issuer.clone(),
        audience: old.audience.clone(),
        unknown_users: old.unknown_users,
        at_once_max: old.at_once,
        per_second_max: old.per_second,
        revokes: old.revocation_endpoint.is_some(),
        is_for_unnamed: old.unnamed,
    })
}

/// An old server, by HTTP.
struct HttpOldServer {
    old: ConfiguredOldServer,
    http: Client,
}

impl HttpOldServer {
    fn new(old: &ConfiguredOldServer) -> Result<Self> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(Duration::from_secs(OLD_SERVER_SECONDS_MAX))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            // A kept connection may have gone: nobody would know whether what was written to it arrived.
            .pool_max_idle_per_host(0);
        if is_this_machine(&old.token_endpoint) {
            builder = builder.no_proxy();
        }
        if let Some(path) = &old.ca_file {
            let pem = read_bounded(path, CA_BYTES_MAX).with_context(|| path.display().to_string())?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|error| anyhow!("{}: {}", path.display(), cause(&error)))?;
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder.build().map_err(|error| anyhow!("TLS cannot be set up: {}", cause(&error)))?;
        Ok(Self { old: old.clone(), http })
    }

    fn request(&self, question: OldServerQuestion<'_>) -> Result<RequestBuilder, OldServerSilent> {
        let old = &self.old;
        Ok(match question {
            OldServerQuestion::Refresh(token) => {
                let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
                self.post(&old.token_endpoint, &form)
            }
            OldServerQuestion::Introspect(token) => {
                let form = [("token", token.expose()), ("token_type_hint", "access_token")];
                self.post(configured(old.introspection_endpoint.as_ref())?, &form)
            }
            OldServerQuestion::Revoke(token) => {
                let form = [("token", token.expose()), ("token_type_hint", "refresh_token")];
                self.post(configured(old.revocation_endpoint.as_ref())?, &form)
            }
            OldServerQuestion::UserInfo(token) => {
                let endpoint = configured(old.userinfo_endpoint.as_ref())?.to_string();
                self.http.get(endpoint).bearer_auth(token.expose())
            }
        })
    }

    /// A form, with the client's credentials (RFC 6749 §2.3.1).
    fn post(&self, endpoint: &Uri, form: &[(&str, &str)]) -> RequestBuilder {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request =
            self.http.post(endpoint.to_string()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let secret = self.old.secret.as_ref().map(Secret::expose).unwrap_or_default();
        match self.old.auth_method {
            TokenEndpointAuthMethod::ClientSecretBasic => {
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let credentials = format!("{}:{}", encoded(&self.old.client_id), encoded(secret));
                request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)));
            }
            TokenEndpointAuthMethod::ClientSecretPost => {
                body.append_pair("client_id", &self.old.client_id).append_pair("client_secret", secret);
            }
            TokenEndpointAuthMethod::None => {
                body.append_pair("client_id", &self.old.client_id);
            }
        }
        request.body(body.finish())
    }
}

#[async_trait]
impl OldServer for HttpOldServer {
    async fn ask(&self, question: OldServerQuestion<'_>) -> Result<OldServerAnswer, OldServerSilent> {
        let request = self.request(question)?.header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(silent)?;
        let (status, retry_after_seconds) = (response.status().as_u16(), retry_after(&response));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(silent)? {
            if body.len() + chunk.len() > OLD_SERVER_ANSWER_BYTES_MAX {
                let told =
                    format!("its answer with status {status} is longer than {OLD_SERVER_ANSWER_BYTES_MAX} bytes");
                return Err(OldServerSilent(told));
            }
            body.extend_from_slice(&chunk);
        }
        let body = Secret::new(String::from_utf8(body).unwrap_or_default());
        Ok(OldServerAnswer { status, retry_after_seconds, body })
    }
}

fn configured(endpoint: Option<&Uri>) -> Result<&Uri, OldServerSilent> {
    endpoint.ok_or_else(|| OldServerSilent("its address is not configured".to_owned()))
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response) -> Option<u32> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date = rfc2822::parse(text).ok()?.timestamp().as_second();
    u32::try_from(date - SystemClock.now().seconds()).ok()
}

fn silent(error: reqwest::Error) -> OldServerSilent {
    OldServerSilent(cause(&error))
}

/// The innermost reason, without the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.is_timeout() { "timed out".to_owned() } else { innermost.to_string() }
}
