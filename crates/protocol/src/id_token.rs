use serde::{Deserialize, Serialize};

use crate::Nonce;

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The client that it is for.
    pub aud: String,
    /// When it ends, in seconds.
    pub exp: i64,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When the user was authenticated, in seconds; the same in every ID token of a grant (§12.2).
    pub auth_time: i64,
    /// The nonce of the request; not in the ID token of a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// How the user was authenticated, as one name, such as [`Self::ACR_PASSWORD`]; absent where nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// How the user was authenticated, each method by itself (RFC 8176), such as [`Self::AMR_PASSWORD`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The left half of the access token's digest (§3.1.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
}

impl IdTokenClaims {
    /// The `acr` of a password that came over a protected connection, by the name that SAML 2.0 gave it.
    pub const ACR_PASSWORD: &'static str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

    /// The `amr` of a password (RFC 8176 §2).
    pub const AMR_PASSWORD: &'static str = "pwd";

    /// The claims that an ID token can have.
    pub const NAMES: [&'static str; 10] =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_core_section_2_claims_keep_their_names_and_types() {
        let minimal = IdTokenClaims {
            iss: "https://id.example".to_owned(),
            sub: "u".to_owned(),
            aud: "c".to_owned(),
            exp: 3,
            iat: 2,
            auth_time: 1,
            nonce: None,
            acr: None,
            amr: Vec::new(),
            at_hash: None,
        };
        let json = serde_json::to_string(&minimal).unwrap();
        assert_eq!(json, r#"{"iss":"https://id.example","sub":"u","aud":"c","exp":3,"iat":2,"auth_time":1}"#);
        assert_eq!(serde_json::from_str::<IdTokenClaims>(&json).unwrap(), minimal);

        let whole = IdTokenClaims {
            nonce: Some(Nonce::parse("n").unwrap()),
            acr: Some(IdTokenClaims::ACR_PASSWORD.to_owned()),
            amr: vec![IdTokenClaims::AMR_PASSWORD.to_owned()],
            at_hash: Some("h".to_owned()),
            ..minimal
        };
        let json = serde_json::to_value(&whole).unwrap();
        let mut names = IdTokenClaims::NAMES;
        names.sort_unstable();
        assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), names);
        assert_eq!(serde_json::from_value::<IdTokenClaims>(json).unwrap(), whole);
    }
}
