//! Endings, as a journal keeps them.

use regrant_grant::{AccessTokenId, GrantId, SessionId};
use regrant_protocol::{ClientId, EpochNumber, Kid, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::user_status;
use crate::Ending;

/// An ending in one line of JSON.
///
/// # Panics
/// Never: the document has text keys only.
#[must_use]
pub fn to_json(ending: &Ending) -> String {
    serde_json::to_string(&Document::from(ending)).expect("the document has text keys only")
}

/// Reads an ending.
///
/// # Errors
/// What is wrong with it.
pub fn from_json(json: &str) -> Result<Ending, String> {
    serde_json::from_str::<Document>(json).map_err(|error| error.to_string())?.read()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Document {
    Grant { id: String, at: i64 },
    Session { id: String, at: i64 },
    SessionsOfUser { user: String, except: Option<String>, at: i64 },
    AccessToken { id: String, until: Option<i64> },
    ClientCutoff { client: String, cutoff: u32 },
    ClientEnabled { client: String, enabled: bool },
    ClientRemoved { client: String, at: i64 },
    UserCutoff { user: String, cutoff: u32 },
    UserStatus { user: String, status: String },
    UserRemoved { user: String, at: i64 },
    MasterKeysRetired { oldest: u8 },
    SigningKeyWithdrawn { key_id: String, at: i64 },
    Epoch { number: u8 },
}

impl From<&Ending> for Document {
    fn from(ending: &Ending) -> Self {
        let milliseconds = |at: &Timestamp| at.milliseconds();
        match ending {
            Ending::Grant { id, at } => Self::Grant { id: id.to_string(), at: milliseconds(at) },
            Ending::Session { id, at } => Self::Session { id: id.to_string(), at: milliseconds(at) },
            Ending::SessionsOfUser { user, except, at } => Self::SessionsOfUser {
                user: user.as_str().to_owned(),
                except: except.map(|id| id.to_string()),
                at: milliseconds(at),
            },
            Ending::AccessToken { id, until } => {
                Self::AccessToken { id: id.to_text(), until: until.as_ref().map(milliseconds) }
            }
            Ending::ClientCutoff { client, cutoff } => {
                Self::ClientCutoff { client: client.as_str().to_owned(), cutoff: *cutoff }
            }
            Ending::ClientEnabled { client, enabled } => {
                Self::ClientEnabled { client: client.as_str().to_owned(), enabled: *enabled }
            }
            Ending::ClientRemoved { client, at } => {
                Self::ClientRemoved { client: client.as_str().to_owned(), at: milliseconds(at) }
            }
            Ending::UserCutoff { user, cutoff } => Self::UserCutoff { user: user.as_str().to_owned(), cutoff: *cutoff },
            Ending::UserStatus { user, status } => {
                Self::UserStatus { user: user.as_str().to_owned(), status: user_status::to_text(*status).to_owned() }
            }
            Ending::UserRemoved { user, at } => {
                Self::UserRemoved { user: user.as_str().to_owned(), at: milliseconds(at) }
            }
            Ending::MasterKeysRetired { oldest } => Self::MasterKeysRetired { oldest: oldest.0 },
            Ending::SigningKeyWithdrawn { key_id, at } => {
                Self::SigningKeyWithdrawn { key_id: key_id.clone(), at: milliseconds(at) }
            }
            Ending::Epoch { number } => Self::Epoch { number: number.0 },
        }
    }
}

impl Document {
    fn read(self) -> Result<Ending, String> {
        let time = Timestamp::from_milliseconds;
        Ok(match self {
            Self::Grant { id, at } => Ending::Grant { id: grant(&id)?, at: time(at) },
            Self::Session { id, at } => Ending::Session { id: session(&id)?, at: time(at) },
            Self::SessionsOfUser { user: name, except, at } => Ending::SessionsOfUser {
                user: user(&name)?,
                except: except.map(|id| session(&id)).transpose()?,
                at: time(at),
            },
            Self::AccessToken { id, until } => Ending::AccessToken {
                id: AccessTokenId::parse(&id).ok_or_else(|| format!("{id:?} names no access token"))?,
                until: until.map(time),
            },
            Self::ClientCutoff { client: id, cutoff } => Ending::ClientCutoff { client: client(&id)?, cutoff },
            Self::ClientEnabled { client: id, enabled } => Ending::ClientEnabled { client: client(&id)?, enabled },
            Self::ClientRemoved { client: id, at } => Ending::ClientRemoved { client: client(&id)?, at: time(at) },
            Self::UserCutoff { user: name, cutoff } => Ending::UserCutoff { user: user(&name)?, cutoff },
            Self::UserStatus { user: name, status } => {
                Ending::UserStatus { user: user(&name)?, status: user_status::from_text(&status)? }
            }
            Self::UserRemoved { user: name, at } => Ending::UserRemoved { user: user(&name)?, at: time(at) },
            Self::MasterKeysRetired { oldest } => Ending::MasterKeysRetired { oldest: Kid(oldest) },
            Self::SigningKeyWithdrawn { key_id, at } => Ending::SigningKeyWithdrawn { key_id, at: time(at) },
            Self::Epoch { number } => Ending::Epoch { number: EpochNumber(number) },
        })
    }
}

fn grant(text: &str) -> Result<GrantId, String> {
    GrantId::parse(text).map_err(|error| error.to_string())
}

/// A session is named as a grant is.
fn session(text: &str) -> Result<SessionId, String> {
    GrantId::parse(text).map(|id| SessionId(id.0)).map_err(|_| format!("{text:?} names no login session"))
}

fn client(text: &str) -> Result<ClientId, String> {
    ClientId::parse(text).map_err(|error| error.to_string())
}

fn user(text: &str) -> Result<Subject, String> {
    Subject::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every ending, as it is kept.
    const KEPT: [&str; 13] = [
        r#"{"grant":{"id":"BwcHBwcHBwcHBwcHBwcHBw","at":1790000060123}}"#,
        r#"{"session":{"id":"BwcHBwcHBwcHBwcHBwcHBw","at":1790000060123}}"#,
        r#"{"sessions_of_user":{"user":"alice","except":"BwcHBwcHBwcHBwcHBwcHBw","at":1}}"#,
        r#"{"access_token":{"id":"BwcHBwcHBwcHBwcHBwcHBwAAAAECAgICAgICAgIC","until":null}}"#,
        r#"{"client_cutoff":{"client":"an app","cutoff":7}}"#,
        r#"{"client_enabled":{"client":"app","enabled":false}}"#,
        r#"{"client_removed":{"client":"app","at":1}}"#,
        r#"{"user_cutoff":{"user":"alice","cutoff":1}}"#,
        r#"{"user_status":{"user":"alice","status":"locked"}}"#,
        r#"{"user_removed":{"user":"alice","at":1}}"#,
        r#"{"master_keys_retired":{"oldest":4}}"#,
        r#"{"signing_key_withdrawn":{"key_id":"k1","at":1}}"#,
        r#"{"epoch":{"number":2}}"#,
    ];

    #[test]
    fn every_ending_is_written_as_it_was_read_and_in_one_line() {
        for json in KEPT {
            let ending = from_json(json).unwrap();
            assert_eq!(to_json(&ending), json);
            assert!(!json.contains('\n'));
        }
    }

    #[test]
    fn what_is_no_ending_is_refused() {
        for json in [
            r#"{"grant":{"id":"BwcH","at":1}}"#,
            r#"{"grant":{"id":"BwcHBwcHBwcHBwcHBwcHBw"}}"#,
            r#"{"session":{"id":"","at":1}}"#,
            r#"{"user_status":{"user":"alice","status":"gone"}}"#,
            r#"{"access_token":{"id":"A","until":null}}"#,
            r#"{"colour":{"id":"A"}}"#,
            "{}",
            "",
        ] {
            assert!(from_json(json).is_err(), "{json}");
        }
    }
}
