//! Whether a user may log in.

use crate::UserStatus;

/// A status as it is stored.
#[must_use]
pub fn to_text(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Locked => "locked",
        UserStatus::Disabled => "disabled",
    }
}

/// Reads a stored status.
///
/// # Errors
/// That there is no such status.
pub fn from_text(stored: &str) -> Result<UserStatus, String> {
    [UserStatus::Active, UserStatus::Locked, UserStatus::Disabled]
        .into_iter()
        .find(|status| to_text(*status) == stored)
        .ok_or_else(|| format!("{stored:?} is no status"))
}
