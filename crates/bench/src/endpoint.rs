use std::fmt;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Where requests go: one path of one server.
#[derive(Clone)]
pub struct Endpoint {
    /// The address of the server.
    pub(crate) address: SocketAddr,
    /// How TLS is spoken with it; `None` for plain HTTP.
    pub(crate) tls: Option<(TlsConnector, ServerName<'static>)>,
    /// The head of every request, up to the number behind `Content-Length`.
    head: Arc<str>,
}

/// Why a URL is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is not one that this client can reach.
    #[error("{0:?} is not the URL of an endpoint, such as http://127.0.0.1:8080/token")]
    Url(String),
    /// Its host has no address.
    #[error("{0}: {1}; name a host that can be reached from here")]
    Host(String, std::io::Error),
    /// https without anybody to believe.
    #[error("{0}: https needs the file with the certificates that are believed, in PEM")]
    NoCertificates(String),
    /// The certificates cannot be used.
    #[error("the certificates that are believed cannot be used: {0}")]
    Certificates(String),
}

impl Endpoint {
    /// The endpoint at `url`. `authorization` is the header of that name that every request has. `believed` is a file of
    /// certificates in PEM: for https the server's own, or that of who signed it.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(url: &str, authorization: Option<&str>, believed: Option<&[u8]>) -> Result<Self, EndpointError> {
        let not_one = || EndpointError::Url(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(not_one)?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(not_one()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || authority.contains('@') || !is_visible(rest) {
            return Err(not_one());
        }
        let (host, port) = split_port(authority, default_port).ok_or_else(not_one)?;
        let addresses = (host, port).to_socket_addrs();
        let found = addresses.map_err(|error| EndpointError::Host(host.to_owned(), error))?.next();
        let address = found.ok_or_else(not_one)?;
        let tls = match scheme {
            "https" => Some((connector(url, believed)?, ServerName::try_from(host.to_owned()).map_err(|_| not_one())?)),
            _ => None,
        };
        let path = if path.is_empty() { "/" } else { path };
        let authorization = authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\n{authorization}\
             content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\ncontent-length: "
        );
        Ok(Self { address, tls, head: head.into() })
    }

    /// Writes the request that posts a form, whose parts follow each other, into `request` in place of what it holds.
    pub fn post(&self, parts: &[&str], request: &mut Vec<u8>) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        request.clear();
        request.extend_from_slice(self.head.as_bytes());
        write!(request, "{length}\r\n\r\n").expect("memory takes what is written");
        parts.iter().for_each(|part| request.extend_from_slice(part.as_bytes()));
    }
}

impl fmt::Debug for Endpoint {
    /// Without the head, in which a secret may stand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Host, without the brackets of an IPv6 address, and port.
fn split_port(authority: &str, default_port: u16) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, behind) = rest.split_once(']')?;
        let port = if behind.is_empty() { default_port } else { behind.strip_prefix(':')?.parse().ok()? };
        return Some((host, port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, default_port)),
    }
}

fn connector(url: &str, believed: Option<&[u8]>) -> Result<TlsConnector, EndpointError> {
    let pem = believed.ok_or_else(|| EndpointError::NoCertificates(url.to_owned()))?;
    let unusable = |why: String| EndpointError::Certificates(why);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is none in the file".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| unusable(error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_what_is_posted() {
        for (url, address, head) in [
            ("http://127.0.0.1:8080/token", "127.0.0.1:8080", "POST /token HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n"),
            ("http://127.0.0.1", "127.0.0.1:80", "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n"),
            ("http://[::1]:9/a?b=c", "[::1]:9", "POST /a?b=c HTTP/1.1\r\nhost: [::1]:9\r\n"),
        ] {
            let endpoint = Endpoint::new(url, None, None).unwrap();
            assert_eq!(endpoint.address.to_string(), address);
            let mut request = b"what was there".to_vec();
            endpoint.post(&["a=", "1", "&b"], &mut request);
            let request = String::from_utf8(request).unwrap();
            assert!(request.starts_with(head) && request.ends_with("content-length: 5\r\n\r\na=1&b"), "{request}");
        }
        let known = Endpoint::new("http://127.0.0.1/", Some("Basic YTpi"), None).unwrap();
        assert!(known.head.contains("\r\nauthorization: Basic YTpi\r\n"));
        assert!(!format!("{known:?}").contains("YTpi"));
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for url in [
            "",
            "127.0.0.1/token",
            "ftp://127.0.0.1/",
            "http:///token",
            "http://a@127.0.0.1/",
            "http://127.0.0.1:x/",
            "http://127.0.0.1/a b",
        ] {
            assert!(matches!(Endpoint::new(url, None, None), Err(EndpointError::Url(_))), "{url}");
        }
        let unbelieved = Endpoint::new("https://127.0.0.1/", None, None);
        assert!(matches!(unbelieved, Err(EndpointError::NoCertificates(_))));
        let empty = Endpoint::new("https://127.0.0.1/", None, Some(b"nothing"));
        assert!(matches!(empty, Err(EndpointError::Certificates(_))));
    }
}
