//! The dates of a certificate.

use x509_parser::parse_x509_certificate;

/// When a certificate in DER ends, in seconds since 1970; `None` for what is no certificate.
pub(crate) fn ends_at(der: &[u8]) -> Option<i64> {
    parse_x509_certificate(der).ok().map(|(_, certificate)| certificate.validity().not_after.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["id.example".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2027, 1, 15);
        let certificate = parameters.self_signed(&key).unwrap();
        assert_eq!(ends_at(certificate.der()), Some(1_799_971_200));
        assert_eq!(ends_at(b"no certificate"), None);
    }
}
