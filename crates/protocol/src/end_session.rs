use crate::authorization_request::state;
use crate::error_response::invalid;
use crate::{ClientId, ErrorResponse, Params, Secret};

/// What a client asks of the end session endpoint (OpenID Connect RP-Initiated Logout §2): to end the login session of the
/// browser that brings the request. Faults are shown to the person at the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndSessionRequest {
    /// An ID token that says whose session is meant, and for which client.
    pub id_token_hint: Option<Secret>,
    /// The client that asks.
    pub client_id: Option<ClientId>,
    /// Where the browser is to go afterwards, as it arrived, unchecked.
    pub post_logout_redirect_uri: Option<String>,
    /// The client's own text, of at most [`crate::STATE_BYTES_MAX`], returned byte for byte.
    pub state: Option<String>,
    /// Who is expected to be logged in.
    pub logout_hint: Option<String>,
}

impl EndSessionRequest {
    /// Reads the request from its query or form.
    ///
    /// # Errors
    /// `invalid_request` when `client_id` is malformed or `state` too long.
    pub fn parse(params: &Params) -> Result<Self, ErrorResponse> {
        let client_id = params.get("client_id").map(ClientId::parse).transpose();
        Ok(Self {
            id_token_hint: params.get("id_token_hint").map(|hint| Secret::new(hint.to_owned())),
            client_id: client_id.map_err(|error| invalid(format!("client_id: {error}")))?,
            post_logout_redirect_uri: params.get("post_logout_redirect_uri").map(str::to_owned),
            state: state(params)?,
            logout_hint: params.get("logout_hint").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, STATE_BYTES_MAX};

    fn parse(form: &str) -> Result<EndSessionRequest, ErrorCode> {
        EndSessionRequest::parse(&Params::parse(form.as_bytes()).unwrap()).map_err(|error| error.error)
    }

    #[test]
    fn rp_initiated_logout_section_2_every_parameter_is_optional() {
        let expected = EndSessionRequest {
            id_token_hint: None,
            client_id: None,
            post_logout_redirect_uri: None,
            state: None,
            logout_hint: None,
        };
        for form in
            ["", "id_token_hint=&client_id=&post_logout_redirect_uri=&state=&logout_hint=", "ui_locales=de&foo=bar"]
        {
            assert_eq!(parse(form).as_ref(), Ok(&expected), "{form}");
        }
    }

    #[test]
    fn rp_initiated_logout_section_2_every_parameter_is_read() {
        let form =
            "id_token_hint=jwt&client_id=c&post_logout_redirect_uri=https%3A%2F%2Fc%2Fbye&state=s%20t&logout_hint=u";
        let expected = EndSessionRequest {
            id_token_hint: Some(Secret::new("jwt".to_owned())),
            client_id: Some(ClientId::parse("c").unwrap()),
            post_logout_redirect_uri: Some("https://c/bye".to_owned()),
            state: Some("s t".to_owned()),
            logout_hint: Some("u".to_owned()),
        };
        assert_eq!(parse(form), Ok(expected));
    }

    #[test]
    fn a_malformed_client_and_a_long_state_are_refused() {
        let long_state = format!("state={}", "x".repeat(STATE_BYTES_MAX + 1));
        for form in ["client_id=%C3%A9", &long_state] {
            assert_eq!(parse(form), Err(ErrorCode::InvalidRequest), "{form}");
        }
    }
}
