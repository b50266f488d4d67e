//! What becomes of senders that prove nothing, while a store recovers.

use regrant_grant::RecoverPublic;

/// A way to take them as it is stored.
#[must_use]
pub fn to_text(public: RecoverPublic) -> &'static str {
    match public {
        RecoverPublic::LogInAgain => "log_in_again",
        RecoverPublic::AcceptAhead => "accept_ahead",
    }
}

/// Reads a stored way.
///
/// # Errors
/// That there is no such way.
pub fn from_text(stored: &str) -> Result<RecoverPublic, String> {
    [RecoverPublic::LogInAgain, RecoverPublic::AcceptAhead]
        .into_iter()
        .find(|public| to_text(*public) == stored)
        .ok_or_else(|| format!("{stored:?} is no way to take them"))
}
