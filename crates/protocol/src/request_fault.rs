use crate::{BasicError, ErrorCode, ErrorResponse, IdentifierError, PkceError, ResourceError, RetryError, ScopeError};

/// What is wrong with the form of a request at the token, revocation or introspection endpoint, before any rule about its
/// client or its token is asked.
///
/// [`ErrorResponse`] is what a caller is told of it in our own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// A parameter that must be there is absent or empty.
    #[error("parameter {0} is missing")]
    Missing(&'static str),
    /// A `grant_type` that is none of ours.
    #[error("grant_type {0:?} is not supported here")]
    UnsupportedGrantType(String),
    /// `code_verifier` does not follow its grammar (RFC 7636 §4.1).
    #[error(transparent)]
    CodeVerifier(PkceError),
    /// `retry_challenge` or `retry_verifier` does not follow its grammar.
    #[error(transparent)]
    Retry(RetryError),
    /// `scope` does not follow its grammar (RFC 6749 §3.3).
    #[error(transparent)]
    Scope(ScopeError),
    /// A `resource` is not one (RFC 8707 §2).
    #[error(transparent)]
    Target(ResourceError),
    /// `token_type_hint` names no type of token, where the dialect minds.
    #[error("token_type_hint is neither access_token nor refresh_token")]
    TokenTypeHint,
    /// Neither a header nor the body names a client.
    #[error("no client credentials: send them in the Authorization header (Basic), or client_id in the body")]
    NoClientCredentials,
    /// A client names itself without a secret, where every client must have one.
    #[error("client_secret is missing, and every client has to prove itself here")]
    NoClientSecret,
    /// The `Authorization` header cannot be read.
    #[error(transparent)]
    Basic(BasicError),
    /// `client_id` in the body is not an identifier.
    #[error("client_id: {0}")]
    ClientId(IdentifierError),
    /// Credentials in the header and a secret in the body (RFC 6749 §2.3).
    #[error("the client authenticates both in the Authorization header and in the body; use one")]
    TwoMethods,
    /// The header and the body name different clients.
    #[error("client_id in the body is not the client of the Authorization header")]
    ClientIdMismatch,
}

impl RequestFault {
    /// Whether it is about `grant_type`, which decides what else a request needs.
    #[must_use]
    pub fn is_about_grant_type(&self) -> bool {
        matches!(self, Self::Missing("grant_type") | Self::UnsupportedGrantType(_))
    }
}

impl From<&RequestFault> for ErrorResponse {
    fn from(fault: &RequestFault) -> Self {
        let code = match fault {
            RequestFault::Missing(_)
            | RequestFault::CodeVerifier(_)
            | RequestFault::Retry(_)
            | RequestFault::TokenTypeHint
            | RequestFault::TwoMethods
            | RequestFault::ClientIdMismatch => ErrorCode::InvalidRequest,
            RequestFault::UnsupportedGrantType(_) => ErrorCode::UnsupportedGrantType,
            RequestFault::Scope(_) => ErrorCode::InvalidScope,
            RequestFault::Target(_) => ErrorCode::InvalidTarget,
            RequestFault::NoClientCredentials
            | RequestFault::NoClientSecret
            | RequestFault::Basic(_)
            | RequestFault::ClientId(_) => ErrorCode::InvalidClient,
        };
        Self::new(code, fault.to_string())
    }
}

impl From<RequestFault> for ErrorResponse {
    fn from(fault: RequestFault) -> Self {
        Self::from(&fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_5_2_only_a_client_without_proof_is_an_invalid_client() {
        for (fault, code, description) in [
            (RequestFault::Missing("code"), ErrorCode::InvalidRequest, "parameter code is missing"),
            (
                RequestFault::UnsupportedGrantType("a\"b".to_owned()),
                ErrorCode::UnsupportedGrantType,
                "grant_type 'a?'b' is not supported here",
            ),
            (
                RequestFault::Basic(BasicError::Scheme),
                ErrorCode::InvalidClient,
                "the Authorization header does not use the scheme Basic",
            ),
            (
                RequestFault::ClientId(IdentifierError::Empty),
                ErrorCode::InvalidClient,
                "client_id: it is empty; give it at least one character",
            ),
            (
                RequestFault::TwoMethods,
                ErrorCode::InvalidRequest,
                "the client authenticates both in the Authorization header and in the body; use one",
            ),
        ] {
            let response = ErrorResponse::from(&fault);
            assert_eq!((response.error, response.error_description.as_str()), (code, description));
        }
    }
}
