//! How connections to the server are protected.

use std::error::Error;
use std::io;
use std::time::Duration;

use regrant_client::IssuerIdentifier;
use reqwest::redirect::Policy;
use reqwest::tls::{TlsInfo, Version};
use reqwest::{Client, Response};
use rustls::CertificateError;

use super::certificate;
use super::observations::{CertificateFault, Tls};

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
            Err(error) => {
                if let Some(refused) = refused_certificate(&error) {
                    return Tls::Untrusted { fault: fault(refused), cause: refused.to_string() };
                }
                failed = failed.or(Some(error));
            }
        }
    }
    Tls::Failed { cause: failed.map_or_else(String::new, |error| cause(&error)) }
}

async fn connect(issuer: &IssuerIdentifier, least: Version) -> reqwest::Result<Response> {
    let client = Client::builder().tls_info(true).min_tls_version(least).redirect(Policy::none());
    let client = client.connect_timeout(CONNECT).timeout(PATIENCE).build()?;
    client.get(issuer.as_str()).send().await
}

/// What is wrong with the certificate, where that is why there is no connection.
fn refused_certificate<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e CertificateError> {
    if let Some(rustls::Error::InvalidCertificate(refused)) = error.downcast_ref() {
        return Some(refused);
    }
    // What an I/O error wraps is not its source.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| refused_certificate(inner)).or_else(|| error.source().and_then(refused_certificate))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls has many more, and adds to them; its own words tell them apart"
)]
const fn fault(refused: &CertificateError) -> CertificateFault {
    match refused {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::OtherName
        }
        _ => CertificateFault::Other,
    }
}

/// The innermost reason.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.source().is_none() { error.to_string() } else { innermost.to_string() }
}

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
