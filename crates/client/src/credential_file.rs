//! The format in which a credential is kept: JSON, with a format name and a version first.

use regrant_protocol::{ClientId, RetryVerifier, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{Access, AccessToken, Credential, IssuerIdentifier, LineageId, Pending, RefreshToken};

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
/// The version that is written, and the only one there is.
const VERSION: u64 = 1;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
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
        access_token: credential.access.as_ref().map(|access| access.token.expose().to_owned()),
        received_at: credential.access.as_ref().map(|access| access.received_at.milliseconds()),
        expires_at: credential.access.as_ref().and_then(|access| access.expires_at).map(milliseconds),
        refresh_token: credential.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        clock_offset: credential.clock_offset_milliseconds,
        pending: credential.pending.as_ref().map(|pending| PendingMembers {
            verifier: pending.verifier.expose().to_owned(),
            first_sent_at: pending.first_sent_at.milliseconds(),
            unanswered_sent_at: pending.unanswered_sent_at.map(milliseconds),
            tries: pending.tries,
        }),
        not_before: credential.not_before.map(milliseconds),
        failures: credential.failures,
        refused: credential.refused.clone(),
    });
    serde_json::to_vec_pretty(&*members).expect("strings and numbers always serialize")
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
        (Some(FORMAT), Some(VERSION)) => {}
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
        access,
        refresh_token: members.refresh_token.clone().map(RefreshToken::new),
        clock_offset_milliseconds: members.clock_offset,
        pending: members.pending.as_ref().map(read_pending).transpose()?,
        not_before: members.not_before.map(Timestamp::from_milliseconds),
        failures: members.failures,
        refused: members.refused.clone(),
    })
}

fn read_pending(members: &PendingMembers) -> Result<Pending, CredentialError> {
    Ok(Pending {
        verifier: RetryVerifier::parse(&members.verifier).map_err(|_| CredentialError::Member("pending"))?,
        first_sent_at: Timestamp::from_milliseconds(members.first_sent_at),
        unanswered_sent_at: members.unanswered_sent_at.map(Timestamp::from_milliseconds),
        tries: members.tries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_crypto::SeededEntropy;
    use serde_json::{Value, json};

    fn credential() -> Credential {
        let entropy = SeededEntropy::new(1);
        Credential {
            issuer: IssuerIdentifier::parse("https://id.example/").unwrap(),
            client_id: ClientId::parse("TestApp").unwrap(),
            lineage: LineageId::generate(&entropy),
            scope: Scope::parse("read write").unwrap(),
            access: Some(Access {
                token: AccessToken::new("an-access-token".to_owned()),
                received_at: Timestamp::from_milliseconds(1_001),
                expires_at: Some(Timestamp::from_milliseconds(3_601_001)),
            }),
            refresh_token: Some(RefreshToken::new("a-refresh-token".to_owned())),
            clock_offset_milliseconds: -7,
            pending: Some(Pending::first(&entropy, Timestamp::from_seconds(2))),
            not_before: Some(Timestamp::from_seconds(3)),
            failures: 2,
            refused: Some("invalid_grant".to_owned()),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let full = credential();
        let bare = Credential {
            access: None,
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
    fn a_file_of_today_is_read_by_every_later_version() {
        let text = r#"{"format":"regrant-credential","version":1,"issuer":"https://id.example/","client_id":"TestApp",
            "lineage":"AAAAAAAAAAAAAAAAAAAAAA","scope":"read","access_token":"a","received_at":1,"expires_at":2,
            "refresh_token":"r","clock_offset":-7,"pending":{"verifier":"0123456789012345678901234567890123456789012",
            "first_sent_at":3,"unanswered_sent_at":4,"tries":2},"not_before":5,"failures":1,"refused":"invalid_grant"}"#;
        let credential = read(text.as_bytes()).unwrap();
        assert_eq!(credential.access.unwrap().expires_at, Some(Timestamp::from_milliseconds(2)));
        assert_eq!(credential.refresh_token.unwrap().expose(), "r");
        assert_eq!(credential.pending.unwrap().tries, 2);
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
            ("newer", changed("version", json!(2)), CredentialError::Newer(2)),
            ("version 0", changed("version", json!(0)), CredentialError::Member("version")),
            ("issuer", changed("issuer", json!("http://id.example")), CredentialError::Member("issuer")),
            ("lineage", changed("lineage", json!("short")), CredentialError::Member("lineage")),
            ("received_at", changed("received_at", Value::Null), CredentialError::Member("received_at")),
            ("pending", changed("pending", json!({"verifier": "short"})), CredentialError::Member("pending")),
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
        for secret in ["an-access-token", "a-refresh-token", verifier] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
