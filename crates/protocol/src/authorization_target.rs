use serde::{Deserialize, Serialize};

use crate::error_response::invalid;
use crate::token_request::required;
use crate::{ClientId, ErrorResponse, Params, ResponseMode};

/// The longest `state` that is echoed, in bytes.
pub const STATE_BYTES_MAX: usize = 2048;

/// Who asks for an authorization, and where the answer is to go. Until both are known to be registered, nothing is sent to
/// any address of the request: a fault here is shown to the person at the browser (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationTarget {
    /// The client that the request names.
    pub client_id: ClientId,
    /// The redirect URI as it arrived, unchecked; `None` leaves it to the only one that is registered.
    pub redirect_uri: Option<String>,
}

impl AuthorizationTarget {
    /// Reads the target from parameters that were read by [`Params::parse_noting_repeats`].
    ///
    /// # Errors
    /// `invalid_request` when `client_id` or `redirect_uri` comes twice, or `client_id` is missing or malformed.
    pub fn parse(params: &Params) -> Result<Self, ErrorResponse> {
        for name in ["client_id", "redirect_uri"] {
            if params.is_repeated(name) {
                return Err(invalid(format!("parameter {name} is given more than once")));
            }
        }
        let client_id = ClientId::parse(required(params, "client_id")?);
        Ok(Self {
            client_id: client_id.map_err(|error| invalid(format!("client_id: {error}")))?,
            redirect_uri: params.get("redirect_uri").map(str::to_owned),
        })
    }
}

/// How the answer is delivered, success or error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationReply {
    /// Query or form.
    pub response_mode: ResponseMode,
    /// The client's own text, of at most [`STATE_BYTES_MAX`], returned byte for byte.
    pub state: Option<String>,
}

impl AuthorizationReply {
    /// Reads what can be read, so that an error finds its way whatever else is wrong with the request: a response mode that
    /// is not known counts as the default, and a `state` that is too long or comes twice as none.
    #[must_use]
    pub fn parse(params: &Params) -> Self {
        Self {
            response_mode: params.get("response_mode").and_then(ResponseMode::parse).unwrap_or_default(),
            state: params.get("state").filter(|state| state.len() <= STATE_BYTES_MAX).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    fn params(query: &str) -> Params {
        Params::parse_noting_repeats(query.as_bytes()).unwrap()
    }

    #[test]
    fn rfc6749_section_4_1_2_1_a_request_that_does_not_say_whom_to_answer() {
        for (query, expected) in [
            ("redirect_uri=https://c/cb", "parameter client_id is missing"),
            ("client_id=", "parameter client_id is missing"),
            ("client_id=a&client_id=a", "parameter client_id is given more than once"),
            ("client_id=a&client_id=", "parameter client_id is given more than once"),
            ("client_id=a&redirect_uri=x&redirect_uri=x", "parameter redirect_uri is given more than once"),
            ("client_id=%00", "client_id: it contains the character '?0', which is not allowed there"),
        ] {
            let error = AuthorizationTarget::parse(&params(query)).unwrap_err();
            assert_eq!(
                (error.error, error.error_description.as_str()),
                (ErrorCode::InvalidRequest, expected),
                "{query}"
            );
        }
    }

    #[test]
    fn a_target_is_read_whatever_else_is_wrong() {
        let query = "client_id=a%3Ab&redirect_uri=https%3A%2F%2Fc%2Fcb&scope=x&scope=y&response_type=foo";
        let target = AuthorizationTarget::parse(&params(query)).unwrap();
        assert_eq!((target.client_id.as_str(), target.redirect_uri.as_deref()), ("a:b", Some("https://c/cb")));
        assert_eq!(AuthorizationTarget::parse(&params("client_id=a&redirect_uri=")).unwrap().redirect_uri, None);
    }

    #[test]
    fn rfc6749_section_4_1_2_1_state_is_echoed_in_errors_too() {
        let longest = "x".repeat(STATE_BYTES_MAX);
        for (query, state, response_mode) in [
            ("", None, ResponseMode::Query),
            ("state=&response_mode=", None, ResponseMode::Query),
            ("state=a%00%C3%A9%2B%20<script>&scope=%22", Some("a\0é+ <script>"), ResponseMode::Query),
            ("state=a&state=a", None, ResponseMode::Query),
            ("state=a&response_mode=form_post&scope=x&scope=x", Some("a"), ResponseMode::FormPost),
            ("state=a&response_mode=fragment", Some("a"), ResponseMode::Query),
            ("state=a&response_mode=form_post&response_mode=form_post", Some("a"), ResponseMode::Query),
            (&format!("state={longest}"), Some(longest.as_str()), ResponseMode::Query),
            (&format!("state={longest}x"), None, ResponseMode::Query),
        ] {
            let reply = AuthorizationReply::parse(&params(query));
            assert_eq!((reply.state.as_deref(), reply.response_mode), (state, response_mode), "{query}");
        }
    }
}
