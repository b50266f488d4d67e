//! What clients may learn about a user.

use regrant_protocol::Profile;

/// A profile as it is stored.
///
/// # Panics
/// Never: it has text keys only.
#[must_use]
pub fn to_json(profile: &Profile) -> String {
    serde_json::to_string(profile).expect("a struct of texts and numbers is JSON")
}

/// Reads a stored profile.
///
/// # Errors
/// What is wrong with it.
pub fn from_json(json: &str) -> Result<Profile, serde_json::Error> {
    serde_json::from_str(json)
}
