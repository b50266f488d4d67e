use regrant_grant::ApprovedFrom;
use regrant_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use super::LoginProblem;

/// What the account page shows. Its forms carry `form`, and are posted to `/account/end` (with `grant`),
/// `/account/end-all`, `/account/password` and `/account/log-out`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The hidden field `form`.
    pub form: String,
    /// The login name.
    pub username: String,
    /// The name of the person, where it is known.
    pub name: Option<String>,
    /// Whether they have a password here, which they can change.
    pub has_password: bool,
    /// When they logged in with this browser.
    pub authenticated_at: Timestamp,
    /// What they have granted and is alive, newest first.
    pub grants: Vec<AccountGrant>,
    /// What was just done.
    pub notice: Option<AccountNotice>,
    /// Why the password was not changed.
    pub password_problem: Option<PasswordProblem>,
}

/// One grant, as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountGrant {
    /// The field `grant` that ends it.
    pub id: String,
    /// The client's name, or its identifier when it has none.
    pub client: String,
    /// The client's home page.
    pub client_uri: Option<String>,
    /// The scope names.
    pub scopes: Vec<String>,
    /// When it was granted.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
    /// When it ends unless it is used; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// From which address and browser it was approved, where that is known.
    pub approved_from: Option<ApprovedFrom>,
    /// It ends when the user logs out of this browser.
    pub ends_with_session: bool,
}

/// What was just done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountNotice {
    /// The password was changed, and nothing else.
    PasswordChanged,
    /// The password was changed, and all grants and all other login sessions ended.
    PasswordChangedAndEverythingEnded,
    /// One grant was ended, of the client with this name.
    Disconnected(String),
    /// All grants were ended.
    EverythingDisconnected,
}

/// Why the password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// The current password is wrong, or cannot be checked now.
    Current(LoginProblem),
    /// The new one has fewer than [`crate::NEW_PASSWORD_CHARACTERS_MIN`] characters.
    TooShort,
    /// The new one has more bytes than a password may have.
    TooLong,
    /// The new one was not entered the same twice.
    Mismatch,
    /// The new one is the current one.
    Unchanged,
    /// The new one is among those that an attacker tries first.
    Guessable,
}

impl PasswordProblem {
    /// The HTTP status of the page.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Current(problem) => problem.status(),
            Self::TooShort | Self::TooLong | Self::Mismatch | Self::Unchanged | Self::Guessable => 400,
        }
    }

    /// Seconds after which a new try makes sense.
    #[must_use]
    pub const fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::Current(problem) => problem.retry_after_seconds(),
            Self::TooShort | Self::TooLong | Self::Mismatch | Self::Unchanged | Self::Guessable => None,
        }
    }
}
