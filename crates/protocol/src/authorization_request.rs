use serde::{Deserialize, Serialize};

use crate::error_response::invalid;
use crate::token_request::{resources, scope};
use crate::{
    AuthorizationReply, CodeChallenge, ErrorCode, ErrorResponse, Nonce, Params, Prompts, Resources, ResponseMode,
    STATE_BYTES_MAX, Scope, Secret, Username,
};

/// The only `response_type` that is offered: no token passes through the browser (RFC 9700 §2.1.2).
pub(crate) const RESPONSE_TYPE: &str = "code";

/// What a client asks of the authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1), once it is known whom
/// to answer. `display`, `ui_locales`, `acr_values`, `claims` and parameters that nobody knows are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// How the answer is delivered.
    pub response_mode: ResponseMode,
    /// The client's own text, returned byte for byte.
    pub state: Option<String>,
    /// What is asked for; `None` leaves it to the client's default.
    pub scope: Option<Scope>,
    /// For whom (RFC 8707); none leaves it to the client's default.
    pub resources: Resources,
    /// What the redemption of the code will have to prove.
    pub code_challenge: Option<CodeChallenge>,
    /// Echoed in the ID token.
    pub nonce: Option<Nonce>,
    /// What the user is to be asked again.
    pub prompts: Prompts,
    /// The longest time since the password was given, in seconds.
    pub max_age_seconds: Option<u32>,
    /// The username that the login page begins with.
    pub login_hint: Option<String>,
    /// An ID token that says who is expected. It is checked when the request arrives, and not carried further.
    #[serde(skip)]
    pub id_token_hint: Option<Secret>,
}

impl AuthorizationRequest {
    /// Reads the request from parameters that were read by [`Params::parse_noting_repeats`].
    ///
    /// # Errors
    /// What the client is to be sent: `invalid_request`, `unsupported_response_type`, `request_not_supported`,
    /// `request_uri_not_supported`, `invalid_scope` or `invalid_target`.
    pub fn parse(params: &Params) -> Result<Self, ErrorResponse> {
        if let Some(name) = params.repeated().next() {
            return Err(invalid(format!("parameter {name} is given more than once")));
        }
        // A request object may hold all the other parameters, so that these would be missed for the wrong reason.
        refuse_request_objects(params)?;
        check_response_type(params)?;
        Ok(Self {
            response_mode: response_mode(params)?,
            state: state(params)?,
            scope: scope(params)?,
            resources: resources(params)?,
            code_challenge: code_challenge(params)?,
            nonce: params.get("nonce").map(Nonce::parse).transpose().map_err(invalid)?,
            prompts: params.get("prompt").map(Prompts::parse).transpose().map_err(invalid)?.unwrap_or_default(),
            max_age_seconds: params.get("max_age").map(max_age_seconds).transpose()?,
            login_hint: params.get("login_hint").filter(|hint| Username::parse(hint).is_ok()).map(str::to_owned),
            id_token_hint: params.get("id_token_hint").map(|hint| Secret::new(hint.to_owned())),
        })
    }

    /// How the answer is delivered.
    #[must_use]
    pub fn reply(&self) -> AuthorizationReply {
        AuthorizationReply { response_mode: self.response_mode, state: self.state.clone() }
    }
}

/// OpenID Connect Core §6 and §3.1.2.6: what is not supported is refused by name.
fn refuse_request_objects(params: &Params) -> Result<(), ErrorResponse> {
    let unsupported = [("request", ErrorCode::RequestNotSupported), ("request_uri", ErrorCode::RequestUriNotSupported)];
    for (name, code) in unsupported {
        if params.get(name).is_some() {
            let description = format!("parameter {name} is not supported; send the parameters themselves");
            return Err(ErrorResponse::new(code, description));
        }
    }
    Ok(())
}

fn check_response_type(params: &Params) -> Result<(), ErrorResponse> {
    match params.get("response_type") {
        Some(RESPONSE_TYPE) => Ok(()),
        // The value is not repeated: it may be long, and the answer is a URL.
        Some(_) => {
            let description = format!("response_type is not supported; send {RESPONSE_TYPE}");
            Err(ErrorResponse::new(ErrorCode::UnsupportedResponseType, description))
        }
        None => Err(invalid(format!("parameter response_type is missing; send {RESPONSE_TYPE}"))),
    }
}

fn response_mode(params: &Params) -> Result<ResponseMode, ErrorResponse> {
    let Some(name) = params.get("response_mode") else { return Ok(ResponseMode::default()) };
    ResponseMode::parse(name).ok_or_else(|| invalid("response_mode is not supported; send query or form_post"))
}

pub(crate) fn state(params: &Params) -> Result<Option<String>, ErrorResponse> {
    match params.get("state") {
        Some(state) if state.len() > STATE_BYTES_MAX => {
            Err(invalid(format!("state is longer than {STATE_BYTES_MAX} bytes")))
        }
        state => Ok(state.map(str::to_owned)),
    }
}

fn code_challenge(params: &Params) -> Result<Option<CodeChallenge>, ErrorResponse> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (Some(challenge), method) => CodeChallenge::parse(challenge, method).map(Some).map_err(invalid),
        // A client that meant to protect its code must not be left without protection.
        (None, Some(_)) => Err(invalid("code_challenge_method is sent without code_challenge")),
        (None, None) => Ok(None),
    }
}

/// Any number of digits: what is longer than [`u32::MAX`] seconds is no limit to anybody.
fn max_age_seconds(text: &str) -> Result<u32, ErrorResponse> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("max_age is not a number of seconds"));
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Prompt;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// Reads a request that is good but for `more`.
    fn parse(more: &str) -> Result<AuthorizationRequest, ErrorResponse> {
        parse_whole(&format!("response_type=code&{more}"))
    }

    fn parse_whole(query: &str) -> Result<AuthorizationRequest, ErrorResponse> {
        AuthorizationRequest::parse(&Params::parse_noting_repeats(query.as_bytes()).unwrap())
    }

    #[test]
    fn every_parameter_is_read() {
        let request = parse(&format!(
            "client_id=a&redirect_uri=https%3A%2F%2Fc%2Fcb&response_mode=form_post&state=s%20t&scope=openid+email\
             &resource=https%3A%2F%2Fr1&resource=https%3A%2F%2Fr2&code_challenge={CHALLENGE}&code_challenge_method=S256\
             &nonce=n&prompt=login+consent&max_age=0&login_hint=alice&id_token_hint=jwt"
        ))
        .unwrap();
        let expected = AuthorizationRequest {
            response_mode: ResponseMode::FormPost,
            state: Some("s t".to_owned()),
            scope: Some(Scope::parse("openid email").unwrap()),
            resources: Resources::parse(["https://r1", "https://r2"]).unwrap(),
            code_challenge: Some(CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap()),
            nonce: Some(Nonce::parse("n").unwrap()),
            prompts: Prompts::parse("consent login").unwrap(),
            max_age_seconds: Some(0),
            login_hint: Some("alice".to_owned()),
            id_token_hint: Some(Secret::new("jwt".to_owned())),
        };
        assert_eq!(request, expected);
        assert!(request.prompts.contains(Prompt::Login));
        assert_eq!(
            request.reply(),
            AuthorizationReply { response_mode: ResponseMode::FormPost, state: Some("s t".to_owned()) }
        );
        let kept: AuthorizationRequest = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
        assert_eq!(kept, AuthorizationRequest { id_token_hint: None, ..request }, "the hint is not carried further");
    }

    #[test]
    fn rfc6749_section_4_1_1_everything_but_the_response_type_may_be_absent() {
        let expected = AuthorizationRequest {
            response_mode: ResponseMode::Query,
            state: None,
            scope: None,
            resources: Resources::none(),
            code_challenge: None,
            nonce: None,
            prompts: Prompts::default(),
            max_age_seconds: None,
            login_hint: None,
            id_token_hint: None,
        };
        let empty = "response_mode=&state=&scope=&resource=&code_challenge=&code_challenge_method=&nonce=&prompt=&max_age=\
                     &login_hint=&id_token_hint=&request=&request_uri=";
        let ignored = "foo=bar&ui_locales=xx&display=wap&acr_values=gold&claims=%7B&claims_locales=de&registration=x";
        for more in ["", empty, ignored] {
            assert_eq!(parse(more).as_ref(), Ok(&expected), "{more}");
        }
    }

    #[test]
    fn rfc6749_section_4_1_2_1_each_fault_has_its_code() {
        use ErrorCode::{
            InvalidRequest, InvalidScope, InvalidTarget, RequestNotSupported, RequestUriNotSupported,
            UnsupportedResponseType,
        };
        let long_state = format!("response_type=code&state={}", "x".repeat(STATE_BYTES_MAX + 1));
        let long_nonce = format!("response_type=code&nonce={}", "x".repeat(513));
        let long_type = format!("response_type={}", "x".repeat(8000));
        let long_mode = format!("response_type=code&response_mode={}", "x".repeat(8000));
        let plain = format!("response_type=code&code_challenge={CHALLENGE}&code_challenge_method=plain");
        let no_method = format!("response_type=code&code_challenge={CHALLENGE}");
        for (query, expected) in [
            ("", InvalidRequest),
            ("response_type=", InvalidRequest),
            ("response_type=foo", UnsupportedResponseType),
            ("response_type=Code", UnsupportedResponseType),
            // RFC 9700 §2.1.2: no tokens in the front channel.
            ("response_type=token", UnsupportedResponseType),
            ("response_type=id_token", UnsupportedResponseType),
            ("response_type=id_token+token", UnsupportedResponseType),
            ("response_type=code+id_token", UnsupportedResponseType),
            ("response_type=id_token+code", UnsupportedResponseType),
            ("response_type=code+token", UnsupportedResponseType),
            ("response_type=none", UnsupportedResponseType),
            ("response_type=code&request=x", RequestNotSupported),
            ("request=x", RequestNotSupported),
            ("response_type=code&request_uri=https://c/r", RequestUriNotSupported),
            ("request_uri=urn:x", RequestUriNotSupported),
            ("response_type=code&response_mode=fragment", InvalidRequest),
            (&long_type, UnsupportedResponseType),
            (&long_mode, InvalidRequest),
            (&long_state, InvalidRequest),
            ("response_type=code&scope=a%22b", InvalidScope),
            ("response_type=code&scope=a++b", InvalidScope),
            ("response_type=code&resource=foo", InvalidTarget),
            ("response_type=code&resource=https://r%23x", InvalidTarget),
            // RFC 7636 §4.3, §4.4.1.
            (&plain, InvalidRequest),
            (&no_method, InvalidRequest),
            ("response_type=code&code_challenge_method=S256", InvalidRequest),
            ("response_type=code&code_challenge=&code_challenge_method=S256", InvalidRequest),
            ("response_type=code&code_challenge=short&code_challenge_method=S256", InvalidRequest),
            (&long_nonce, InvalidRequest),
            ("response_type=code&nonce=%00", InvalidRequest),
            // OpenID Connect Core §3.1.2.6.
            ("response_type=code&prompt=none+login", InvalidRequest),
            ("response_type=code&prompt=create", InvalidRequest),
            ("response_type=code&max_age=-1", InvalidRequest),
            ("response_type=code&max_age=%2B1", InvalidRequest),
            ("response_type=code&max_age=1.5", InvalidRequest),
            ("response_type=code&max_age=x", InvalidRequest),
        ] {
            let error = parse_whole(query).unwrap_err();
            assert_eq!(error.error, expected, "{query}: {}", error.error_description);
            assert!(error.error_description.len() <= 200, "it travels in a URL: {}", error.error_description);
        }
    }

    #[test]
    fn rfc6749_section_3_1_no_parameter_comes_twice_but_resource() {
        for name in [
            "response_mode",
            "state",
            "scope",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "prompt",
            "max_age",
            "login_hint",
            "id_token_hint",
            "request",
            "request_uri",
            "claims",
            "foo",
        ] {
            let error = parse(&format!("{name}=v&{name}=v")).unwrap_err();
            assert_eq!(error.error, ErrorCode::InvalidRequest, "{name}");
            assert_eq!(error.error_description, format!("parameter {name} is given more than once"));
        }
        assert_eq!(parse_whole("response_type=code&response_type=code").unwrap_err().error, ErrorCode::InvalidRequest);
        assert_eq!(parse("resource=https://r&resource=https://r").unwrap().resources.iter().count(), 1);
    }

    #[test]
    fn max_age_is_any_number_of_seconds() {
        for (text, seconds) in [("0", 0), ("007", 7), ("4294967295", u32::MAX), ("99999999999999999999", u32::MAX)] {
            assert_eq!(parse(&format!("max_age={text}")).unwrap().max_age_seconds, Some(seconds), "{text}");
        }
    }

    #[test]
    fn a_login_hint_that_cannot_be_a_username_is_ignored() {
        let longest = "x".repeat(255);
        for (hint, expected) in [
            ("alice%40example.com", Some("alice@example.com")),
            (&longest, Some(longest.as_str())),
            (&format!("{longest}x"), None),
            ("a%0Ab", None),
        ] {
            assert_eq!(parse(&format!("login_hint={hint}")).unwrap().login_hint.as_deref(), expected, "{hint}");
        }
    }
}
