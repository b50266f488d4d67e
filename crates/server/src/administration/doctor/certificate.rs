use http::Uri;
use regrant_admin::Time;
use regrant_protocol::{Issuer, Timestamp};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;

use crate::config::{Config, TlsConfig};

use super::check::{Check, State};

/// A certificate with less time left is to be renewed.
const DAYS_LEFT_WISE: i64 = 14;

/// Whether browsers and clients believe the certificate now, and for how long.
pub(super) fn check(config: &Config, now: Timestamp) -> Vec<Check> {
    config.tls.as_ref().map(|tls| check_files(tls, &config.server.issuer, now)).unwrap_or_default()
}

/// What is wrong with the certificate in these files, or soon will be; empty when nothing is.
pub(crate) fn certificate_problems(tls: &TlsConfig, issuer: &Issuer, now: Timestamp) -> Vec<String> {
    let checks = check_files(tls, issuer, now);
    checks.into_iter().filter(|check| check.state != State::Ok).map(|check| check.found).collect()
}

fn check_files(tls: &TlsConfig, issuer: &Issuer, now: Timestamp) -> Vec<Check> {
    let host = issuer.as_str().parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    match tls.pem() {
        Ok(pem) => judge(&pem.certificate, &host.unwrap_or_default(), now),
        Err(error) => vec![Check::fail(NAME, format!("{}: {error}", tls.certificate.display()))],
    }
}

const NAME: &str = "certificate";

fn judge(chain: &[u8], host: &str, now: Timestamp) -> Vec<Check> {
    let parsed = parse_x509_pem(chain);
    let Ok((_, pem)) = &parsed else { return vec![Check::fail(NAME, "it is no certificate in PEM")] };
    let Ok(certificate) = pem.parse_x509() else { return vec![Check::fail(NAME, "it cannot be read")] };
    let begins = Timestamp::from_seconds(certificate.validity().not_before.timestamp());
    let ends = Timestamp::from_seconds(certificate.validity().not_after.timestamp());

    let mut checks = Vec::new();
    let days_left = ends.milliseconds_since(now) / MILLISECONDS_OF_A_DAY;
    if now < begins {
        checks.push(Check::fail(NAME, format!("it begins to be good at {}; look at the clock", Time(begins))));
    } else if now >= ends {
        checks.push(Check::fail(
            NAME,
            format!("it ended at {}; renew it: the server takes the new files by itself", Time(ends)),
        ));
    } else if days_left < DAYS_LEFT_WISE {
        checks.push(Check::warn(NAME, format!("it ends in {days_left} days, at {}; renew it", Time(ends))));
    }
    if !names(&certificate).iter().any(|name| is_name_of(name, host)) {
        checks.push(Check::fail(
            NAME,
            format!("it is not for {host}, the host of the issuer, but for: {}", names(&certificate).join(", ")),
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok(NAME, format!("it is for {host}, and good until {}", Time(ends))));
    }
    checks
}

/// The names and addresses that it is for (RFC 6125 §6.4.4: those of the subject do not count).
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| format!("[{}]", std::net::Ipv6Addr::from(bytes))),
        },
        GeneralName::OtherName(..)
        | GeneralName::RFC822Name(_)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::URI(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => None,
    };
    names.iter().filter_map(text).collect()
}

/// A star stands for one whole label (RFC 6125 §6.4.3).
fn is_name_of(name: &str, host: &str) -> bool {
    let (name, host) = (name.to_ascii_lowercase(), host.to_ascii_lowercase());
    match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(label, parent)| !label.is_empty() && parent == rest),
        None => name == host,
    }
}

const MILLISECONDS_OF_A_DAY: i64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(names: &[&str]) -> String {
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2026, 3, 1);
        params.not_after = date_time_ymd(2026, 5, 30);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn a_certificate_is_judged_by_its_time_and_by_its_names() {
        let time = |text: &str| Time::parse(text).unwrap().0;
        let (early, good, late, over) = (
            time("2026-02-28T23:59:59Z"),
            time("2026-04-01T00:00:00Z"),
            time("2026-05-20T00:00:00Z"),
            time("2026-05-30T00:00:00Z"),
        );
        for (names, host, now, state, told) in [
            (&["id.example"][..], "id.example", good, State::Ok, "good until 2026-05-30"),
            (&["a.example", "*.example"], "ID.example", good, State::Ok, "good until"),
            (&["127.0.0.1"], "127.0.0.1", good, State::Ok, "good until"),
            (&["::1"], "[::1]", good, State::Ok, "good until"),
            (&["id.example"], "id.example", early, State::Fail, "begins to be good"),
            (&["id.example"], "id.example", late, State::Warn, "in 10 days"),
            (&["id.example"], "id.example", over, State::Fail, "ended"),
            (&["a.example", "b.example"], "id.example", good, State::Fail, "but for: a.example, b.example"),
            (&["*.example"], "x.id.example", good, State::Fail, "not for x.id.example"),
        ] {
            let checks = judge(certificate(names).as_bytes(), host, now);
            assert!(
                checks.len() == 1 && checks[0].state == state && checks[0].found.contains(told),
                "{names:?}: {checks:?}"
            );
        }
        assert_eq!(judge(b"a letter", "id.example", good)[0].state, State::Fail);
    }
}
