use regrant_engine::{BrowserCookies, BrowserError, Next};
use regrant_protocol::{AuthorizationResponse, Params, STATE_BYTES_MAX};

use crate::visit::{VISIT, Visit};

/// Nobody is sent anywhere but to a registered redirect URI, nobody gets a code without consent, and no page is shown where
/// none may be. The bytes are the query.
pub(crate) fn run(data: &[u8]) {
    let Ok(params) = Params::parse_noting_repeats(data) else { return };
    for cookies in [&VISIT.held.of_stranger, &VISIT.held.of_user] {
        asks(&params, cookies);
    }
}

fn asks(params: &Params, cookies: &BrowserCookies) {
    let Visit { server, .. } = &*VISIT;
    let step = server.runtime.block_on(server.engine.authorize(&VISIT.browser(cookies), params));
    let may_see_pages = params.get("prompt") != Some("none");
    match step.map(|step| step.next) {
        Ok(Next::Respond(response)) => is_sent_where_it_may_be(&response, params),
        Ok(Next::LogIn(prompt)) => assert!(may_see_pages && prompt.problem.is_none()),
        Ok(Next::Consent(_)) => assert!(may_see_pages && cookies.session.is_some(), "a stranger cannot consent"),
        Ok(next) => panic!("{params:?} leads to {next:?}"),
        Err(
            BrowserError::Request(_)
            | BrowserError::UnknownClient(_)
            | BrowserError::RedirectUriMissing { .. }
            | BrowserError::RedirectUriUnknown { .. },
        ) => {}
        Err(error) => panic!("{params:?}: {error}"),
    }
}

fn is_sent_where_it_may_be(response: &AuthorizationResponse, params: &Params) {
    assert_eq!(Some(response.redirect_uri.as_str()), params.get("redirect_uri"));
    assert!(Visit::redirect_uris().any(|uri| uri.matches(&response.redirect_uri)), "{}", response.redirect_uri);
    let fields: Vec<(&str, &str)> = response.fields().collect();
    let field = |name| fields.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    assert_eq!((field("code"), field("iss")), (None, Some("https://id.example")), "nobody has consented");
    assert!(field("error").is_some());
    assert_eq!(field("state"), params.get("state").filter(|state| state.len() <= STATE_BYTES_MAX));
}
