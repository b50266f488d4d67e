use axum::extract::State;
use axum::response::Response;
use regrant_engine::{AccessEnd, ConsentPrompt, Endpoint};
use regrant_pages as pages;
use regrant_protocol::Params;

use crate::client::client;
use crate::link::Link;
use crate::own_form::OwnForm;
use crate::site::Site;
use crate::visitor::Visitor;

/// `GET /consent`: goes on with a request after its user has logged in.
pub(crate) async fn resume(State(site): State<Site>, Visitor(browser): Visitor, Link(query): Link) -> Response {
    match Params::parse(&query) {
        Ok(params) => site.answer(Endpoint::Consent, &browser, site.server.resume(&browser, &params).await),
        Err(error) => site.unreadable(&error.into(), browser.context.id.as_ref()),
    }
}

/// `POST /consent`: yes, no, or somebody else.
pub(crate) async fn decide(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer(Endpoint::Consent, &browser, site.server.consent(&browser, &params).await)
}

pub(crate) fn consent_page(prompt: ConsentPrompt) -> pages::ConsentPage {
    let scopes = prompt.scopes.into_iter();
    pages::ConsentPage {
        request: prompt.request,
        client: client(prompt.client),
        username: prompt.username,
        scopes: scopes.map(|scope| pages::ConsentScope { name: scope.name, is_required: scope.is_required }).collect(),
        access_end: access_end(prompt.access_end),
        resources: prompt.resources,
        is_outdated: prompt.is_outdated,
    }
}

fn access_end(end: AccessEnd) -> pages::AccessEnd {
    match end {
        AccessEnd::WithAccessToken => pages::AccessEnd::WithAccessToken,
        AccessEnd::WhenDisconnected => pages::AccessEnd::WhenDisconnected,
        AccessEnd::WhenLoggedOut => pages::AccessEnd::WhenLoggedOut,
        AccessEnd::AsTicked => pages::AccessEnd::AsTicked,
    }
}
