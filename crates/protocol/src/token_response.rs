use serde::Serialize;

use crate::{Scope, Secret};

/// What a client is given (RFC 6749 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// Seconds until the access token ends; `None` when it never does.
    pub expires_in: Option<u32>,
    /// The scope of the access token.
    pub scope: Scope,
    /// The refresh token, where there is one.
    pub refresh_token: Option<Secret>,
    /// Seconds until the refresh token ends if it is not used; `None` when it never does, or there is none.
    pub refresh_token_expires_in: Option<u32>,
    /// The ID token, where `openid` was granted (OpenID Connect Core §3.1.3.3).
    pub id_token: Option<Secret>,
}

impl TokenResponse {
    /// The response as JSON: a secret leaves its type here and nowhere else.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Members<'a> {
            access_token: &'a str,
            token_type: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            expires_in: Option<u32>,
            #[serde(skip_serializing_if = "str::is_empty")]
            scope: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            refresh_token: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            refresh_token_expires_in: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            id_token: Option<&'a str>,
        }
        let members = Members {
            access_token: self.access_token.expose(),
            token_type: "Bearer",
            expires_in: self.expires_in,
            scope: self.scope.as_str(),
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
            refresh_token_expires_in: self.refresh_token_expires_in,
            id_token: self.id_token.as_ref().map(Secret::expose),
        };
        serde_json::to_vec(&members).expect("strings and numbers always serialize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_5_1_members_and_their_types() {
        let mut response = TokenResponse {
            access_token: Secret::new("at".to_owned()),
            expires_in: Some(600),
            scope: Scope::parse("a b").unwrap(),
            refresh_token: Some(Secret::new("rt".to_owned())),
            refresh_token_expires_in: Some(9),
            id_token: Some(Secret::new("it".to_owned())),
        };
        assert_eq!(
            String::from_utf8(response.to_json()).unwrap(),
            r#"{"access_token":"at","token_type":"Bearer","expires_in":600,"scope":"a b","refresh_token":"rt","refresh_token_expires_in":9,"id_token":"it"}"#
        );
        assert!(!format!("{response:?}").contains("rt\""), "tokens are redacted");
        response = TokenResponse {
            expires_in: None,
            scope: Scope::empty(),
            refresh_token: None,
            refresh_token_expires_in: None,
            id_token: None,
            ..response
        };
        assert_eq!(String::from_utf8(response.to_json()).unwrap(), r#"{"access_token":"at","token_type":"Bearer"}"#);
    }
}
