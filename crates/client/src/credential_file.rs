//! The format in which a credential is kept: JSON, with a format name and a version first.

use regrant_protocol::{ClientId, Resources, RetryVerifier, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Access, AccessToken, Credential, DpopKey, IssuerIdentifier, LineageId, Narrowed, Pending, RefreshToken, Target,
};

/// Why bytes are not a credential that this version can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// More than a credential can have.
    #[error("it is longer than {} bytes, which no credential is", Credential::BYTES_MAX)]
    TooLong,
    /// Not JSON: empty, truncated or damaged.
    #[error("it is not whole JSON (line {line}, column {column}); it may be truncated or damaged")]
    Damaged {
        /// The line at which reading stopped, from 1.
        line: usize,
        /// The column at which reading stopped.
        column: usize,
    },
    /// JSON of some other program.
    #[error("it is JSON, but not a credential: its \"format\" is not {FORMAT:?}")]
    Foreign,
    /// A credential of a later version.
    #[error("it is a credential of version {0}; this program reads version {VERSION}: update it")]
    Newer(u64),
    /// A credential of which one member is missing or cannot be read.
    #[error("its member {0:?} is missing or cannot be read")]
    Member(&'static str),
}

/// What the member `format` holds.
const FORMAT: &str = "regrant-credential";
/// The version that is written. Version 1, which is read too, has neither `dpop_key` nor targets.
const VERSION: u64 = 2;
/// The first version there was.
const VERSION_MIN: u64 = 1;

#[derive(Deserialize)]
struct Head {
    format: Option<String>,
    version: Option<u64>,
}

/// Times are milliseconds since the Unix epoch.
#[derive(Default, Serialize, Deserialize, Zeroize)]
#[serde(default)]
struct Members {
    format: String,
    version: u64,
    issuer: String,
    client_id: String,
    lineage: String,
    scope: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    narrowed: Vec<NarrowedMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_key: Option<DpopKeyMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    clock_offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<PendingMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<i64>,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

#[derive(Default, Serialize, Deserialize, Zeroize)]
#[serde(default)]
struct PendingMembers {
    verifier: String,
    first_sent_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unanswered_sent_at: Option<i64>,
    tries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<TargetMembers>,
}

#[derive(Default, Serialize, Deserialize, Zeroize)]
#[serde(default)]
struct TargetMembers {
    resources: Vec<String>,
    scope: String,
}

#[derive(Default, Serialize, Deserialize, Zeroize)]
#[serde(default)]
struct NarrowedMembers {
    target: TargetMembers,
    scope: String,
    access_token: String,
    received_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// A private key: its algorithm, and its PKCS#8 form in base64url.
#[derive(Default, Serialize, Deserialize, Zeroize)]
#[serde(default)]
struct DpopKeyMembers {
    algorithm: String,
    pkcs8: String,
}

pub(crate) fn write(credential: &Credential) -> Vec<u8> {
    let milliseconds = |at: Timestamp| at.milliseconds();
    let members = Zeroizing::new(Members {
        format: FORMAT.to_owned(),
        version: VERSION,
        issuer: credential.issuer.as_str().to_owned(),
        client_id: credential.client_id.as_str().to_owned(),
        lineage: credential.lineage.to_string(),
        scope: credential.scope.as_str().to_owned(),
        resources: texts(&credential.resources),
        access_token: credential.access.as_ref().map(|access| access.token.expose().to_owned()),
        received_at: credential.access.as_ref().map(|access| access.received_at.milliseconds()),
        expires_at: credential.access.as_ref().and_then(|access| access.expires_at).map(milliseconds),
        narrowed: credential.narrowed.iter().map(write_narrowed).collect(),
        dpop_key: credential
            .dpop_key
            .as_ref()
            .map(|key| DpopKeyMembers { algorithm: key.algorithm().to_owned(), pkcs8: key.pkcs8().to_owned() }),
        refresh_token: credential.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        clock_offset: credential.clock_offset_milliseconds,
        pending: credential.pending.as_ref().map(|pending| PendingMembers {
            verifier: pending.verifier.expose().to_owned(),
            first_sent_at: pending.first_sent_at.milliseconds(),
            unanswered_sent_at: pending.unanswered_sent_at.map(milliseconds),
            tries: pending.tries,
            target: (pending.target != Target::default()).then(|| write_target(&pending.target)),
        }),
        not_before: credential.not_before.map(milliseconds),
        failures: credential.failures,
        refused: credential.refused.clone(),
    });
    serde_json::to_vec_pretty(&*members).expect("strings and numbers always serialize")
}

fn texts(resources: &Resources) -> Vec<String> {
    resources.iter().map(|resource| resource.as_str().to_owned()).collect()
}

fn write_target(target: &Target) -> TargetMembers {
    TargetMembers { resources: texts(&target.resources), scope: target.scope.as_str().to_owned() }
}

fn write_narrowed(narrowed: &Narrowed) -> NarrowedMembers {
    NarrowedMembers {
        target: write_target(&narrowed.target),
        scope: narrowed.scope.as_str().to_owned(),
        access_token: narrowed.access.token.expose().to_owned(),
        received_at: narrowed.access.received_at.milliseconds(),
        expires_at: narrowed.access.expires_at.map(Timestamp::milliseconds),
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Credential, CredentialError> {
    use CredentialError::Member;
    if bytes.len() > Credential::BYTES_MAX {
        return Err(CredentialError::TooLong);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| {
        let damaged = CredentialError::Damaged { line: error.line(), column: error.column() };
        if error.is_data() { CredentialError::Foreign } else { damaged }
    })?;
    match (head.format.as_deref(), head.version) {
        (Some(FORMAT), Some(VERSION_MIN..=VERSION)) => {}
        (Some(FORMAT), Some(version)) if version > VERSION => return Err(CredentialError::Newer(version)),
        (Some(FORMAT), _) => return Err(Member("version")),
        _ => return Err(CredentialError::Foreign),
    }
    let members: Zeroizing<Members> = serde_json::from_slice(bytes)
        .map(Zeroizing::new)
        .map_err(|error| CredentialError::Damaged { line: error.line(), column: error.column() })?;

    let access = match (&members.access_token, members.received_at) {
        (None, _) => None,
        (Some(_), None) => return Err(Member("received_at")),
        (Some(token), Some(received_at)) => Some(Access {
            token: AccessToken::new(token.clone()),
            received_at: Timestamp::from_milliseconds(received_at),
            expires_at: members.expires_at.map(Timestamp::from_milliseconds),
        }),
    };
    Ok(Credential {
        issuer: IssuerIdentifier::parse(&members.issuer).map_err(|_| Member("issuer"))?,
        client_id: ClientId::parse(&members.client_id).map_err(|_| Member("client_id"))?,
        lineage: LineageId::parse(&members.lineage).ok_or(Member("lineage"))?,
        scope: Scope::parse(&members.scope).map_err(|_| Member("scope"))?,
        resources: read_resources(&members.resources).ok_or(Member("resources"))?,
        access,
        narrowed: read_narrowed(&members.narrowed).ok_or(Member("narrowed"))?,
        dpop_key: match &members.dpop_key {
            Some(key) => Some(DpopKey::read(&key.algorithm, &key.pkcs8).ok_or(Member("dpop_key"))?),
            None => None,
        },
        refresh_token: members.refresh_token.clone().map(RefreshToken::new),
        clock_offset_milliseconds: members.clock_offset,
        pending: members.pending.as_ref().map(read_pending).transpose()?,
        not_before: members.not_before.map(Timestamp::from_milliseconds),
        failures: members.failures,
        refused: members.refused.clone(),
    })
}

fn read_resources(texts: &[String]) -> Option<Resources> {
    Resources::parse(texts.iter().map(String::as_str)).ok()
}

fn read_target(members: &TargetMembers) -> Option<Target> {
    Some(Target { resources: read_resources(&members.resources)?, scope: Scope::parse(&members.scope).ok()? })
}

/// More than there may be are as wrong as one that cannot be read.
fn read_narrowed(members: &[NarrowedMembers]) -> Option<Vec<Narrowed>> {
    let read = |own: &NarrowedMembers| {
        Some(Narrowed {
            target: read_target(&own.target)?,
            scope: Scope::parse(&own.scope).ok()?,
            access: Access {
                token: AccessToken::new(own.access_token.clone()),
                received_at: Timestamp::from_milliseconds(own.received_at),
                expires_at: own.expires_at.map(Timestamp::from_milliseconds),
            },
        })
    };
    if members.len() > Credential::NARROWED_MAX { None } else { members.iter().map(read).collect() }
}

fn read_pending(members: &PendingMembers) -> Result<Pending, CredentialError> {
    let target = members.target.as_ref().map_or(Some(Target::default()), read_target);
    Ok(Pending {
        verifier: RetryVerifier::parse(&members.verifier).map_err(|_| CredentialError::Member("pending"))?,
        first_sent_at: Timestamp::from_milliseconds(members.first_sent_at),
        unanswered_sent_at: members.unanswered_sent_at.map(Timestamp::from_milliseconds),
        tries: members.tries,
        target: target.ok_or(CredentialError::Member("pending"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_crypto::SeededEntropy;
    use serde_json::{Value, json};

    fn calendar() -> Target {
        let resources = Resources::parse(["https://calendar.example", "urn:example:b"]).unwrap();
        Target { resources, scope: Scope::parse("read").unwrap() }
    }

    fn credential() -> Credential {
        let entropy = SeededEntropy::new(1);
        Credential {
            issuer: IssuerIdentifier::parse("https://id.example/").unwrap(),
            client_id: ClientId::parse("TestApp").unwrap(),
            lineage: LineageId::generate(&entropy),
            scope: Scope::parse("read write").unwrap(),
            resources: Resources::parse(["https://api.example"]).unwrap(),
            access: Some(Access {
                token: AccessToken::new("an-access-token".to_owned()),
                received_at: Timestamp::from_milliseconds(1_001),
                expires_at: Some(Timestamp::from_milliseconds(3_601_001)),
            }),
            narrowed: vec![Narrowed {
                target: calendar(),
                scope: Scope::parse("read").unwrap(),
                access: Access {
                    token: AccessToken::new("a-narrow-token".to_owned()),
                    received_at: Timestamp::from_milliseconds(2_002),
                    expires_at: None,
                },
            }],
            dpop_key: Some(DpopKey::generate(&[])),
            refresh_token: Some(RefreshToken::new("a-refresh-token".to_owned())),
            clock_offset_milliseconds: -7,
            pending: Some(Pending::first(&entropy, Timestamp::from_seconds(2), calendar())),
            not_before: Some(Timestamp::from_seconds(3)),
            failures: 2,
            refused: Some("invalid_grant".to_owned()),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let full = credential();
        let bare = Credential {
            resources: Resources::none(),
            access: None,
            narrowed: Vec::new(),
            dpop_key: None,
            refresh_token: None,
            pending: None,
            not_before: None,
            refused: None,
            ..credential()
        };
        for credential in [full, bare] {
            assert_eq!(read(&write(&credential)).unwrap(), credential);
        }
    }

    #[test]
    fn a_file_of_the_first_version_is_read() {
        let text = r#"{"format":"regrant-credential","version":1,"issuer":"https://id.example/","client_id":"TestApp",
            "lineage":"AAAAAAAAAAAAAAAAAAAAAA","scope":"read","access_token":"a","received_at":1,"expires_at":2,
            "refresh_token":"r","clock_offset":-7,"pending":{"verifier":"0123456789012345678901234567890123456789012",
            "first_sent_at":3,"unanswered_sent_at":4,"tries":2},"not_before":5,"failures":1,"refused":"invalid_grant"}"#;
        let credential = read(text.as_bytes()).unwrap();
        assert_eq!(credential.access.unwrap().expires_at, Some(Timestamp::from_milliseconds(2)));
        assert_eq!(credential.refresh_token.unwrap().expose(), "r");
        let pending = credential.pending.unwrap();
        assert_eq!((pending.tries, pending.target), (2, Target::default()));
        assert_eq!((credential.dpop_key, credential.narrowed), (None, Vec::new()));
    }

    const PKCS8: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAGhRANCAAQw\
        oEJM0hwpRIOKLXXJKzfnbqINnwCJOjtO7oo8Cq_sPuBLZekkVtmIi1Kzeb371R7oae8fD8ZbZllpW2zOCBcj";

    #[test]
    fn a_file_of_today_is_read_by_every_later_version() {
        // The key is the P-256 one of RFC 7517 appendix A.2.
        let text = r#"{"format":"regrant-credential","version":2,"issuer":"https://id.example/","client_id":"TestApp",
            "lineage":"AAAAAAAAAAAAAAAAAAAAAA","scope":"read","resources":["https://a"],"access_token":"a","received_at":1,
            "narrowed":[{"target":{"resources":["https://b"],"scope":"x"},"scope":"y","access_token":"n","received_at":3,
            "expires_at":4}],"dpop_key":{"algorithm":"ES256","pkcs8":"PKCS8"},"refresh_token":"r","clock_offset":0,
            "pending":{"verifier":"0123456789012345678901234567890123456789012","first_sent_at":3,"tries":1,
            "target":{"resources":["https://b"],"scope":"x"}},"failures":0}"#;
        let credential = read(text.replace("PKCS8", PKCS8).as_bytes()).unwrap();
        assert_eq!(credential.dpop_key.unwrap().thumbprint(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
        let narrowed = &credential.narrowed[0];
        assert_eq!((narrowed.access.token.expose(), narrowed.scope.as_str()), ("n", "y"));
        assert_eq!(credential.pending.unwrap().target, narrowed.target);
        assert_eq!(credential.resources, Resources::parse(["https://a"]).unwrap());
    }

    #[test]
    fn every_truncation_is_told_and_none_is_taken_for_a_credential() {
        let whole = write(&credential());
        for length in 0..whole.len() {
            assert!(matches!(read(&whole[..length]), Err(CredentialError::Damaged { .. })), "{length} bytes");
        }
    }

    #[test]
    fn what_is_not_ours_says_what_it_is() {
        let changed = |name: &str, value: Value| {
            let mut members: Value = serde_json::from_slice(&write(&credential())).unwrap();
            members[name] = value;
            serde_json::to_vec(&members).unwrap()
        };
        let cases: Vec<(&str, Vec<u8>, CredentialError)> = vec![
            ("another program's", br#"{"access_token":"a"}"#.to_vec(), CredentialError::Foreign),
            ("a list", b"[]".to_vec(), CredentialError::Foreign),
            ("a word", b"\"x\"".to_vec(), CredentialError::Foreign),
            ("HTML", b"<html>".to_vec(), CredentialError::Damaged { line: 1, column: 1 }),
            ("too long", vec![b' '; Credential::BYTES_MAX + 1], CredentialError::TooLong),
            ("newer", changed("version", json!(3)), CredentialError::Newer(3)),
            ("version 0", changed("version", json!(0)), CredentialError::Member("version")),
            ("issuer", changed("issuer", json!("http://id.example")), CredentialError::Member("issuer")),
            ("lineage", changed("lineage", json!("short")), CredentialError::Member("lineage")),
            ("received_at", changed("received_at", Value::Null), CredentialError::Member("received_at")),
            ("pending", changed("pending", json!({"verifier": "short"})), CredentialError::Member("pending")),
            ("key", changed("dpop_key", json!({"algorithm": "ES256"})), CredentialError::Member("dpop_key")),
            ("key", changed("dpop_key", json!({"algorithm": "none"})), CredentialError::Member("dpop_key")),
            ("resources", changed("resources", json!(["x"])), CredentialError::Member("resources")),
            ("narrowed", changed("narrowed", json!([{"scope": "  "}])), CredentialError::Member("narrowed")),
            (
                "17 narrowed",
                changed("narrowed", json!([(); 17].map(|()| json!({})))),
                CredentialError::Member("narrowed"),
            ),
        ];
        for (why, bytes, expected) in cases {
            assert_eq!(read(&bytes), Err(expected), "{why}");
        }
    }

    #[test]
    fn the_version_differs_when_anything_does_and_debug_prints_no_secret() {
        let credential = credential();
        assert_eq!(credential.version(), credential.clone().version());
        assert_ne!(credential.version(), Credential { failures: 3, ..credential.clone() }.version());
        let printed = format!("{credential:?}");
        let verifier = credential.pending.as_ref().unwrap().verifier.expose();
        let key = credential.dpop_key.as_ref().unwrap().pkcs8();
        for secret in ["an-access-token", "a-narrow-token", "a-refresh-token", verifier, key] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
