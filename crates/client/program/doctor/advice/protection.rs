//! What clock, TLS and keys mean.

use std::collections::HashSet;

use regrant_protocol::Timestamp;

use super::super::observations::{CertificateFault, Key, Keys, Tls};
use super::Finding;
use super::Grade::{Bad, Note, Warning};

pub(super) fn clock(offset_seconds: Option<i64>) -> Finding {
    const TOPIC: &str = "clock";
    let Some(offset) = offset_seconds else {
        return Finding::new(
            Note,
            TOPIC,
            "its answers have no Date",
            "send one: clients with a wrong clock cannot correct it otherwise",
        );
    };
    let seen = match offset {
        0 => "as ours".to_owned(),
        _ => format!("{} s {} ours", offset.abs(), if offset > 0 { "ahead of" } else { "behind" }),
    };
    match offset.abs() {
        0..CLOCK_SECONDS_NOTED => Finding::good(TOPIC, seen),
        CLOCK_SECONDS_NOTED..CLOCK_SECONDS_BAD => Finding::new(
            Warning,
            TOPIC,
            seen,
            "set both clocks by NTP: signed tokens are refused as too early or too late",
        ),
        _ => Finding::new(
            Bad,
            TOPIC,
            seen,
            "set both clocks by NTP: proofs and ID tokens are refused, and tokens look ended or alive wrongly",
        ),
    }
}

pub(super) fn tls(tls: &Tls, now: Timestamp) -> Finding {
    const TOPIC: &str = "tls";
    let (version, ends_at) = match tls {
        Tls::None => {
            return Finding::new(
                Note,
                TOPIC,
                "none",
                "serve it over https before anybody uses it from another machine",
            );
        }
        Tls::Failed { cause } => {
            return Finding::new(
                Bad,
                TOPIC,
                format!("no connection that can be trusted: {cause}"),
                "offer TLS 1.2 or 1.3",
            );
        }
        Tls::Untrusted { fault, cause } => {
            let seen = format!("clients refuse the certificate: {cause}; nothing else was looked at");
            return Finding::new(Bad, TOPIC, seen, certificate_advice(*fault));
        }
        Tls::Some { version, certificate_ends_at } => (version, certificate_ends_at),
    };
    let Some(days) = ends_at.map(|end| (end - now.seconds()).div_euclid(24 * 3600)) else {
        return Finding::new(
            Note,
            TOPIC,
            format!("version {version}; the certificate's end cannot be read"),
            "look at the certificate",
        );
    };
    let seen = format!("version {version}, and the certificate ends in {days} days");
    match (days, *version) {
        (..0, _) => Finding::new(Bad, TOPIC, seen, "renew the certificate now"),
        (..CERTIFICATE_DAYS_MIN, _) => {
            Finding::new(Warning, TOPIC, seen, "renew the certificate, and see to it that this happens by itself")
        }
        (_, "1.2") => Finding::new(Note, TOPIC, seen, "offer TLS 1.3 as well"),
        _ => Finding::good(TOPIC, seen),
    }
}

const fn certificate_advice(fault: CertificateFault) -> &'static str {
    match fault {
        CertificateFault::Expired => "renew the certificate now, and see to it that this happens by itself",
        CertificateFault::NotYetValid => "wait until the certificate begins, or set the clock here",
        CertificateFault::UnknownIssuer => {
            "send the intermediate certificates too, or have it signed by an authority that clients trust; of an authority of \
             your own, tell every client, as SSL_CERT_FILE does here"
        }
        CertificateFault::OtherName => {
            "get a certificate for the host of the issuer, or give the issuer by its name in it"
        }
        CertificateFault::Other => "replace the certificate",
    }
}

pub(super) fn keys(keys: &Keys) -> Vec<Finding> {
    const TOPIC: &str = "keys";
    let keys = match keys {
        Keys::NotNamed => {
            return vec![Finding::new(
                Note,
                TOPIC,
                "the metadata names none (jwks_uri)",
                "APIs can check tokens by asking the server only",
            )];
        }
        Keys::Unreadable { cause } => {
            return vec![Finding::new(
                Bad,
                TOPIC,
                format!("they cannot be read: {cause}"),
                "serve them at jwks_uri: no API can check a token otherwise",
            )];
        }
        Keys::Some { keys } if keys.is_empty() => {
            return vec![Finding::new(Bad, TOPIC, "there are none", "publish the keys that tokens are signed with")];
        }
        Keys::Some { keys } => keys,
    };
    let mut findings = Vec::new();
    for key in keys {
        if key.is_private {
            findings.push(Finding::new(
                Bad,
                TOPIC,
                format!("{} is not only public", named(key)),
                "replace it at once, and publish its public half only: whoever reads it makes tokens",
            ));
        } else if key.bits.is_some_and(|bits| bits < RSA_BITS_MIN) {
            findings.push(Finding::new(
                Bad,
                TOPIC,
                format!("{} has {} bits", named(key), key.bits.unwrap_or(0)),
                "replace it by one of 2048 bits or more, or by ES256 or EdDSA",
            ));
        }
    }
    let kids: HashSet<&str> = keys.iter().filter_map(|key| key.kid.as_deref()).collect();
    if keys.len() > 1 && kids.len() < keys.len() {
        findings.push(Finding::new(
            Warning,
            TOPIC,
            "some have no kid, or the same",
            "give each its own kid: APIs cannot tell which one signed a token",
        ));
    }
    if findings.is_empty() {
        let kinds: Vec<String> = keys.iter().map(kind).collect();
        findings.push(Finding::good(TOPIC, kinds.join(", ")));
    }
    findings
}

fn kind(key: &Key) -> String {
    let bits = key.bits.map(|bits| format!(" of {bits} bits")).unwrap_or_default();
    key.algorithm.as_ref().map_or_else(|| format!("{}{bits}", key.kind), |algorithm| format!("{algorithm}{bits}"))
}

fn named(key: &Key) -> String {
    match &key.kid {
        Some(kid) => format!("the {} key {kid:?}", key.kind),
        None => format!("a {} key", key.kind),
    }
}

/// A difference of clocks that is told.
const CLOCK_SECONDS_NOTED: i64 = 10;
/// A difference of clocks that most checks of tokens do not forgive.
const CLOCK_SECONDS_BAD: i64 = 300;
/// A certificate that lives no longer than so many days is told: renewals by themselves happen earlier.
const CERTIFICATE_DAYS_MIN: i64 = 14;
/// Shorter RSA keys are not allowed to sign (RFC 7518 §3.3).
const RSA_BITS_MIN: usize = 2048;
