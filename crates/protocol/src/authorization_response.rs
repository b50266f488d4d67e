use crate::query::with_query;
use crate::{AuthorizationReply, ErrorResponse, Issuer, ResponseMode, Secret};

/// The answer to an authorization request, on its way through the browser (RFC 6749 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// Where it goes, checked against what is registered.
    pub redirect_uri: String,
    /// How it goes there.
    pub response_mode: ResponseMode,
    /// What it says; always with `iss` (RFC 9207 §2), and with `state` where the request had one.
    pub parameters: Vec<(&'static str, Secret)>,
}

impl AuthorizationResponse {
    /// The user agreed: `code` can be redeemed at the token endpoint.
    #[must_use]
    pub fn code(issuer: &Issuer, redirect_uri: String, reply: AuthorizationReply, code: Secret) -> Self {
        Self::new(issuer, redirect_uri, reply, vec![("code", code)])
    }

    /// There is no code, and why (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn error(issuer: &Issuer, redirect_uri: String, reply: AuthorizationReply, error: ErrorResponse) -> Self {
        let code = Secret::new(error.error.as_str().to_owned());
        let mut parameters = vec![("error", code)];
        if !error.error_description.is_empty() {
            parameters.push(("error_description", Secret::new(error.error_description)));
        }
        Self::new(issuer, redirect_uri, reply, parameters)
    }

    fn new(
        issuer: &Issuer,
        redirect_uri: String,
        reply: AuthorizationReply,
        mut parameters: Vec<(&'static str, Secret)>,
    ) -> Self {
        parameters.extend(reply.state.map(|state| ("state", Secret::new(state))));
        parameters.push(("iss", Secret::new(issuer.as_str().to_owned())));
        Self { redirect_uri, response_mode: reply.response_mode, parameters }
    }

    /// The `Location` of [`ResponseMode::Query`]: the redirect URI, its own query kept, with the parameters appended.
    #[must_use]
    pub fn location(&self) -> String {
        with_query(&self.redirect_uri, self.fields())
    }

    /// The names and values of [`ResponseMode::FormPost`], in the clear, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (*name, value.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    const STATE: &str = "%00\0é+ <script>&iss=x";

    fn reply(state: Option<&str>) -> AuthorizationReply {
        AuthorizationReply { response_mode: ResponseMode::Query, state: state.map(str::to_owned) }
    }

    fn issuer() -> Issuer {
        Issuer::parse("https://id.example/t1").unwrap()
    }

    #[test]
    fn rfc9207_section_2_a_code_comes_with_state_and_iss() {
        let code = Secret::new("rgc_x".to_owned());
        let uri = "https://c/cb?k=v".to_owned();
        let response = AuthorizationResponse::code(&issuer(), uri.clone(), reply(Some(STATE)), code.clone());
        let fields: Vec<_> = response.fields().collect();
        assert_eq!(fields, [("code", "rgc_x"), ("state", STATE), ("iss", "https://id.example/t1")]);
        assert_eq!(
            response.location(),
            "https://c/cb?k=v&code=rgc_x&state=%2500%00%C3%A9%2B%20%3Cscript%3E%26iss%3Dx&iss=https%3A%2F%2Fid.example%2Ft1"
        );
        assert!(!format!("{response:?}").contains("rgc_x"), "the code is redacted");
        let without_state = AuthorizationResponse::code(&issuer(), uri, reply(None), code);
        assert_eq!(without_state.location(), "https://c/cb?k=v&code=rgc_x&iss=https%3A%2F%2Fid.example%2Ft1");
    }

    #[test]
    fn rfc9207_section_2_an_error_comes_with_state_and_iss() {
        for code in [ErrorCode::AccessDenied, ErrorCode::InvalidScope, ErrorCode::ServerError, ErrorCode::LoginRequired]
        {
            let error = ErrorResponse::new(code, "the user said \"no\"");
            let form = AuthorizationReply { response_mode: ResponseMode::FormPost, ..reply(Some("s")) };
            let response = AuthorizationResponse::error(&issuer(), "com.example.app:/cb".to_owned(), form, error);
            assert_eq!(response.response_mode, ResponseMode::FormPost);
            let expected = [
                ("error", code.as_str()),
                ("error_description", "the user said 'no'"),
                ("state", "s"),
                ("iss", "https://id.example/t1"),
            ];
            assert_eq!(response.fields().collect::<Vec<_>>(), expected);
        }
        let silent = ErrorResponse::new(ErrorCode::AccessDenied, "");
        let response = AuthorizationResponse::error(&issuer(), "https://c".to_owned(), reply(None), silent);
        assert_eq!(response.location(), "https://c?error=access_denied&iss=https%3A%2F%2Fid.example%2Ft1");
    }
}
