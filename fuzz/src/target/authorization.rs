use regrant_protocol::{
    AuthorizationReply, AuthorizationRequest, AuthorizationResponse, AuthorizationTarget, ErrorCode, ErrorResponse,
    Issuer, Params, Prompt, RedirectUri, Resource, STATE_BYTES_MAX, Scope, Secret,
};

/// An authorization request says what its parameters say, once each, and its answer is read back as it was written.
pub(crate) fn run(data: &[u8]) {
    let Ok(params) = Params::parse_noting_repeats(data) else { return };
    let target = AuthorizationTarget::parse(&params);
    match &target {
        Ok(target) => {
            assert_eq!(Some(target.client_id.as_str()), params.get("client_id"));
            assert_eq!(target.redirect_uri.as_deref(), params.get("redirect_uri"));
            assert!(!params.is_repeated("client_id") && !params.is_repeated("redirect_uri"));
        }
        Err(error) => is_told(error, &[ErrorCode::InvalidRequest]),
    }

    let reply = AuthorizationReply::parse(&params);
    let state = params.get("state").filter(|state| state.len() <= STATE_BYTES_MAX);
    assert_eq!(reply.state.as_deref(), state, "state is echoed or left out, and never another");
    let response = match AuthorizationRequest::parse(&params) {
        Ok(request) => {
            says_what_was_sent(&request, &params);
            assert_eq!(request.reply(), reply, "a success goes where an error would have gone");
            let is_kept = AuthorizationRequest { id_token_hint: None, ..request.clone() };
            let json = serde_json::to_vec(&request).expect("a request is text, numbers and lists");
            assert_eq!(serde_json::from_slice::<AuthorizationRequest>(&json).ok(), Some(is_kept), "a page carries it");
            Ok(Secret::new("rgc_x".to_owned()))
        }
        Err(error) => {
            is_told(&error, ERRORS);
            Err(error)
        }
    };
    if let Some(redirect_uri) = params.get("redirect_uri").filter(|uri| RedirectUri::parse(uri).is_ok()) {
        is_read_back(redirect_uri, reply, response);
    }
}

const ERRORS: &[ErrorCode] = &[
    ErrorCode::InvalidRequest,
    ErrorCode::UnsupportedResponseType,
    ErrorCode::RequestNotSupported,
    ErrorCode::RequestUriNotSupported,
    ErrorCode::InvalidScope,
    ErrorCode::InvalidTarget,
];

fn is_told(error: &ErrorResponse, codes: &[ErrorCode]) {
    assert!(codes.contains(&error.error), "{error:?}");
    let is_allowed = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    assert!(error.error_description.bytes().all(is_allowed), "RFC 6749 §4.1.2.1: {error:?}");
}

fn says_what_was_sent(request: &AuthorizationRequest, params: &Params) {
    assert_eq!(params.repeated().next(), None, "what comes twice is refused");
    assert_eq!(params.get("response_type"), Some("code"));
    assert!(params.get("request").is_none() && params.get("request_uri").is_none());
    assert_eq!(params.get("response_mode").unwrap_or("query"), request.response_mode.as_str());
    assert_eq!(params.get("state"), request.state.as_deref());
    assert_eq!(params.get("scope").and_then(|scope| Scope::parse(scope).ok()), request.scope);
    assert!(params.all("resource").all(|sent| request.resources.iter().map(Resource::as_str).any(|own| own == sent)));
    assert_eq!(params.get("code_challenge"), request.code_challenge.map(String::from).as_deref());
    assert_eq!(params.get("code_challenge_method"), request.code_challenge.map(|_| "S256"));
    assert_eq!(params.get("nonce"), request.nonce.as_ref().map(|nonce| nonce.as_str()));
    let prompts: Vec<&str> = params.get("prompt").map(|prompts| prompts.split(' ').collect()).unwrap_or_default();
    for prompt in Prompt::ALL {
        assert_eq!(request.prompts.contains(prompt), prompts.contains(&prompt.as_str()), "{prompt:?}");
    }
    let is_alone = prompts.iter().all(|prompt| *prompt == "none");
    assert!(!request.prompts.contains(Prompt::None) || is_alone, "none is alone");
    let max_age = params.get("max_age").map(|seconds| seconds.parse::<u32>().unwrap_or(u32::MAX));
    assert_eq!(max_age, request.max_age_seconds);
    assert!(request.login_hint.is_none() || request.login_hint.as_deref() == params.get("login_hint"));
    assert_eq!(params.get("id_token_hint"), request.id_token_hint.as_ref().map(Secret::expose));
}

/// The redirect leads to the redirect URI, and its query says what the response says.
fn is_read_back(redirect_uri: &str, reply: AuthorizationReply, response: Result<Secret, ErrorResponse>) {
    let issuer = Issuer::parse("https://id.example/t1").expect("an issuer");
    let response = match response {
        Ok(code) => AuthorizationResponse::code(&issuer, redirect_uri.to_owned(), reply.clone(), code),
        Err(error) => AuthorizationResponse::error(&issuer, redirect_uri.to_owned(), reply.clone(), error),
    };
    let fields: Vec<(&str, &str)> = response.fields().collect();
    assert_eq!(fields.last(), Some(&("iss", issuer.as_str())), "RFC 9207 §2");
    let state = fields.iter().find(|(name, _)| *name == "state").map(|(_, value)| *value);
    assert_eq!(state, reply.state.as_deref());

    let location = response.location();
    let appended = location.strip_prefix(redirect_uri).expect("it leads to the redirect URI");
    assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location:?} is a header value");
    let appended = if redirect_uri.contains('?') {
        let is_separated = redirect_uri.ends_with(['?', '&']);
        if is_separated { appended } else { appended.strip_prefix('&').expect("its own query is kept") }
    } else {
        appended.strip_prefix('?').expect("the query begins")
    };
    let read: Vec<_> = form_urlencoded::parse(appended.as_bytes()).collect();
    let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(read, fields, "what is appended is read back");
}
