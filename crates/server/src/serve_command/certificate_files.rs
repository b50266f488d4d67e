use std::sync::Arc;

use anyhow::{Context, Result};
use regrant_crypto::sha256;
use regrant_protocol::{Clock, Issuer, SystemClock};
use tracing::{error, info, warn};

use crate::administration::certificate_problems;
use crate::config::{Pem, TlsConfig};
use crate::serve::tls::{Certificate, CurrentCertificate};

/// The files of the certificate, and the certificate that was last found good in them.
pub(super) struct CertificateFiles {
    files: TlsConfig,
    current: Arc<CurrentCertificate>,
    /// What was last seen in the files, good or not; `None` if they could not be read.
    seen: Option<[[u8; 32]; 2]>,
}

impl CertificateFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub(super) fn open(files: TlsConfig) -> Result<Self> {
        let names = || format!("tls: {} and {}", files.certificate.display(), files.key.display());
        let pem = files.pem().with_context(names)?;
        let certificate = Certificate::from_pem(&pem.certificate, &pem.key).with_context(names)?;
        Ok(Self { current: CurrentCertificate::new(certificate), seen: Some(digests(&pem)), files })
    }

    /// What new connections are shown.
    pub(super) fn current(&self) -> &Arc<CurrentCertificate> {
        &self.current
    }

    /// Looks at other files from now on.
    pub(super) fn name(&mut self, files: TlsConfig) {
        self.files = files;
    }

    /// Warns of whatever keeps browsers and clients from believing the certificate in the files, or will soon.
    pub(super) fn warn(&self, issuer: &Issuer) {
        for problem in certificate_problems(&self.files, issuer, SystemClock.now()) {
            warn!(certificate = %self.files.certificate.display(), problem, "the certificate is served, but");
        }
    }

    /// Takes what is new in the files. What cannot be used is told once, and the certificate stays.
    pub(super) fn renew(&mut self, issuer: &Issuer) {
        let read = self.files.pem();
        let seen = read.as_ref().ok().map(digests);
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        let certificate = self.files.certificate.display();
        let renewed =
            read.map_err(anyhow::Error::from).and_then(|pem| Ok(Certificate::from_pem(&pem.certificate, &pem.key)?));
        match renewed {
            Ok(renewed) => {
                self.current.replace(renewed);
                info!(%certificate, "new connections get the new certificate");
                self.warn(issuer);
            }
            Err(error) => error!(%certificate, %error, "the new certificate is refused, and the old one stays"),
        }
    }
}

fn digests(pem: &Pem) -> [[u8; 32]; 2] {
    [sha256(&pem.certificate), sha256(&pem.key)]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    #[test]
    fn a_broken_pair_keeps_the_old_certificate_until_a_good_one_comes() {
        let folder = tempfile::tempdir().unwrap();
        let tls = TlsConfig { certificate: folder.path().join("tls.crt"), key: folder.path().join("tls.key") };
        let pair = || {
            let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["id.example".to_owned()]).unwrap();
            (cert.pem(), signing_key.serialize_pem())
        };
        let ((first, first_key), (second, second_key)) = (pair(), pair());
        fs::write(&tls.certificate, &first).unwrap();
        fs::write(&tls.key, &first_key).unwrap();
        let mut files = CertificateFiles::open(tls.clone()).unwrap();
        let issuer = Issuer::parse("https://id.example").unwrap();
        let shown = |files: &CertificateFiles| format!("{:?}", files.current());
        let old = shown(&files);

        fs::write(&tls.certificate, &second).unwrap();
        files.renew(&issuer);
        assert_eq!(shown(&files), old, "with the key of the first");
        fs::remove_file(&tls.key).unwrap();
        files.renew(&issuer);
        assert_eq!(shown(&files), old, "without a key");
        fs::write(&tls.key, &second_key).unwrap();
        files.renew(&issuer);
        assert_ne!(shown(&files), old);
        assert!(CertificateFiles::open(TlsConfig { key: folder.path().join("none"), ..tls }).is_err());
    }
}
