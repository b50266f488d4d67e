use serde::Serialize;

use crate::token_request::required;
use crate::{AccessTokenClaims, Params, RequestFault, Secret};

/// What a client asks of the introspection endpoint (RFC 7662 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntrospectionRequest {
    /// The token as it arrived.
    pub token: Secret,
}

impl IntrospectionRequest {
    /// Reads the request from its form.
    ///
    /// # Errors
    /// [`RequestFault::Missing`] when there is no `token`.
    pub fn parse(params: &Params) -> Result<Self, RequestFault> {
        Ok(Self { token: Secret::new(required(params, "token")?.to_owned()) })
    }
}

/// What the caller is told about a token (RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntrospectionResponse {
    /// Unknown, expired, revoked, or not the caller's to ask about: nothing more is said.
    Inactive,
    /// A live access token.
    Active(Box<ActiveToken>),
}

/// The facts about a live access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    /// The login name of the user, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What the token itself says.
    #[serde(flatten)]
    pub claims: AccessTokenClaims,
}

impl IntrospectionResponse {
    /// The response as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Members<'a> {
            active: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            token_type: Option<&'static str>,
            #[serde(flatten)]
            token: Option<&'a ActiveToken>,
        }
        let members = match self {
            Self::Inactive => Members { active: false, token_type: None, token: None },
            Self::Active(token) => Members { active: true, token_type: Some("Bearer"), token: Some(token) },
        };
        serde_json::to_vec(&members).expect("strings and numbers always serialize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7662_section_2_2_an_inactive_token_has_one_member() {
        assert_eq!(IntrospectionResponse::Inactive.to_json(), br#"{"active":false}"#);
    }
}
