use regrant_engine::{BrowserError, Next};
use regrant_protocol::{ClientId, EndSessionRequest, Params, STATE_BYTES_MAX, Secret};

use crate::visit::{VISIT, Visit};

/// A log-out request says what its parameters say; nobody is logged out by it unasked, or sent anywhere but to a registered
/// address. The bytes are the query.
pub(crate) fn run(data: &[u8]) {
    let Ok(params) = Params::parse(data) else { return };
    let sent = |name| params.get(name);
    match EndSessionRequest::parse(&params) {
        Ok(request) => {
            assert_eq!(request.id_token_hint.as_ref().map(Secret::expose), sent("id_token_hint"));
            assert_eq!(request.client_id.as_ref().map(ClientId::as_str), sent("client_id"));
            assert_eq!(request.post_logout_redirect_uri.as_deref(), sent("post_logout_redirect_uri"));
            assert_eq!(
                (request.state.as_deref(), request.logout_hint.as_deref()),
                (sent("state"), sent("logout_hint"))
            );
        }
        Err(error) => {
            let has_no_client_id = sent("client_id").is_some_and(|id| ClientId::parse(id).is_err());
            let is_too_long = sent("state").is_some_and(|state| state.len() > STATE_BYTES_MAX);
            assert!(has_no_client_id || is_too_long, "{error:?}");
        }
    }
    // The answer to a confirmation is the target `sealed`.
    if sent("form").is_none() {
        logs_nobody_out(&params);
    }
}

fn logs_nobody_out(params: &Params) {
    let Visit { server, held } = &*VISIT;
    let next = |cookies| {
        let step = server.runtime.block_on(server.engine.end_session(&VISIT.browser(cookies), params));
        step.map(|step| step.next)
    };
    let redirect_uri = params.get("post_logout_redirect_uri");
    match (next(&held.of_stranger), next(&held.of_user)) {
        (Ok(Next::LoggedOut), Ok(Next::ConfirmLogOut(_))) => assert_eq!(redirect_uri, None),
        (Ok(Next::Return(url)), Ok(Next::ConfirmLogOut(_))) => {
            let redirect_uri = redirect_uri.expect("nobody is sent where nobody asked to be");
            assert!(Visit::redirect_uris().any(|uri| uri.matches(redirect_uri)), "{redirect_uri} is not registered");
            let appended = url.strip_prefix(redirect_uri).expect("it is where the browser is sent");
            let state = form_urlencoded::parse(appended.trim_start_matches(['?', '&']).as_bytes()).next();
            let state = state.map(|(name, value)| (name.into_owned(), value.into_owned()));
            assert_eq!(state, params.get("state").map(|state| ("state".to_owned(), state.to_owned())));
        }
        (Err(of_stranger), Err(of_user)) => {
            assert_eq!(of_stranger, of_user, "who is logged in is not told");
            assert!(!matches!(of_user, BrowserError::Store(_) | BrowserError::Changed), "{of_user}");
        }
        outcomes => panic!("{params:?} leads to {outcomes:?}"),
    }
}
