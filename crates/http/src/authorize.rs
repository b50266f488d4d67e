use axum::extract::State;
use axum::response::Response;
use regrant_engine::{Browser, Endpoint};
use regrant_protocol::Params;

use crate::foreign_form::ForeignForm;
use crate::link::Link;
use crate::site::Site;
use crate::visitor::Visitor;

/// `GET /authorize` (RFC 6749 §3.1).
pub(crate) async fn by_link(State(site): State<Site>, Visitor(browser): Visitor, Link(query): Link) -> Response {
    authorize(&site, &browser, &query).await
}

/// `POST /authorize` (OpenID Connect Core §3.1.2.1).
pub(crate) async fn by_form(
    State(site): State<Site>,
    Visitor(browser): Visitor,
    ForeignForm(form): ForeignForm,
) -> Response {
    authorize(&site, &browser, &form).await
}

async fn authorize(site: &Site, browser: &Browser, encoded: &[u8]) -> Response {
    // A repeated parameter is the client's to hear of, not the person's.
    match Params::parse_noting_repeats(encoded) {
        Ok(params) => site.answer(Endpoint::Authorization, browser, site.server.authorize(browser, &params).await),
        Err(error) => site.unreadable(&error.into(), browser.context.id.as_ref()),
    }
}
