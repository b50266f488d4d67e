//! TLS: version 1.2 or 1.3, HTTP/1.1 alone, and a certificate that can be exchanged while the server runs.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// A certificate with its chain, and the private key that belongs to it.
#[derive(Clone)]
pub struct Certificate(Arc<CertifiedKey>);

/// Why two PEM texts are not a certificate and its key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// There is no readable certificate.
    #[error("the certificate cannot be read: {0}")]
    Certificate(pem::Error),
    /// There is no readable key.
    #[error("the private key cannot be read: {0}")]
    Key(pem::Error),
    /// The key is of a kind that TLS does not use, or belongs to another certificate.
    #[error("certificate and private key cannot be used together: {0}")]
    Pair(rustls::Error),
}

impl Certificate {
    /// Reads a certificate chain, the server's own first, and its private key, and checks that they belong together.
    ///
    /// # Errors
    /// [`CertificateError`] says which of the two is wrong.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(CertificateError::Certificate)?;
        if chain.is_empty() {
            return Err(CertificateError::Certificate(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(CertificateError::Key)?;
        let pair = CertifiedKey::from_der(chain, key, &default_provider()).map_err(CertificateError::Pair)?;
        Ok(Self(Arc::new(pair)))
    }
}

/// Its key stays hidden.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.0.cert).finish()
    }
}

/// The certificate that new connections are shown.
#[derive(Debug)]
pub struct CurrentCertificate(RwLock<Certificate>);

impl CurrentCertificate {
    /// Begins with `certificate`.
    #[must_use]
    pub fn new(certificate: Certificate) -> Arc<Self> {
        Arc::new(Self(RwLock::new(certificate)))
    }

    /// Shows `certificate` from the next connection on.
    pub fn replace(&self, certificate: Certificate) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    /// What makes TLS connections of sockets, with whatever certificate is current then.
    #[must_use]
    pub fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let provider: Arc<CryptoProvider> = Arc::new(default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has cipher suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).0))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["id.example".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn a_certificate_and_its_own_key_alone_are_a_pair() {
        let ((certificate, key), (_, other_key)) = (pair(), pair());
        let told = |certificate: &str, key: &str| {
            Certificate::from_pem(certificate.as_bytes(), key.as_bytes()).err().map(|error| error.to_string())
        };
        assert_eq!(told(&certificate, &key), None);
        for (certificate, key, expected) in [
            (certificate.as_str(), other_key.as_str(), "cannot be used together"),
            (&certificate, &certificate, "the private key cannot be read"),
            (&key, &key, "the certificate cannot be read"),
            ("", &key, "the certificate cannot be read"),
        ] {
            let told = told(certificate, key).unwrap();
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn the_key_is_not_printed() {
        let (certificate, key) = pair();
        let certificate = Certificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        assert!(!format!("{certificate:?}").contains("key"));
    }
}
