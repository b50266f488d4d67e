//! How connections to the server are protected.

use std::error::Error as _;
use std::time::Duration;

use regrant_client::IssuerIdentifier;
use reqwest::redirect::Policy;
use reqwest::tls::{TlsInfo, Version};
use reqwest::{Client, Response};

use super::certificate;
use super::observations::Tls;

/// The newest version of TLS that the server speaks, and when its certificate ends.
pub(crate) async fn look(issuer: &IssuerIdentifier) -> Tls {
    if !issuer.as_str().starts_with("https://") {
        return Tls::None;
    }
    let mut failed = None;
    for (version, name) in [(Version::TLS_1_3, "1.3"), (Version::TLS_1_2, "1.2")] {
        match connect(issuer, version).await {
            Ok(answer) => {
                let info = answer.extensions().get::<TlsInfo>();
                let certificate_ends_at = info.and_then(TlsInfo::peer_certificate).and_then(certificate::ends_at);
                return Tls::Some { version: name, certificate_ends_at };
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Tls::Failed { cause: failed.map_or_else(String::new, |error| cause(&error)) }
}

async fn connect(issuer: &IssuerIdentifier, least: Version) -> reqwest::Result<Response> {
    let client = Client::builder().tls_info(true).min_tls_version(least).redirect(Policy::none()).timeout(PATIENCE);
    client.build()?.get(issuer.as_str()).send().await
}

/// The innermost reason.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.source().is_none() { error.to_string() } else { innermost.to_string() }
}

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
