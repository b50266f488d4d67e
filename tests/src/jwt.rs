use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The claims of a JWT as it says them; its signature is not looked at.
#[track_caller]
#[must_use]
pub fn unverified_claims(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "not a JWT: {token}");
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("the claims of a JWT are base64url");
    serde_json::from_slice(&claims).expect("the claims of a JWT are JSON")
}
