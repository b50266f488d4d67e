use axum::extract::State;
use axum::response::Response;
use regrant_engine::{Browser, Endpoint, LogOutPrompt};
use regrant_pages as pages;
use regrant_protocol::Params;

use crate::client::client;
use crate::foreign_form::ForeignForm;
use crate::link::Link;
use crate::site::Site;
use crate::visitor::Visitor;

/// `GET /logout` (OpenID Connect RP-Initiated Logout §2).
pub(crate) async fn by_link(State(site): State<Site>, Visitor(browser): Visitor, Link(query): Link) -> Response {
    log_out(&site, &browser, &query).await
}

/// `POST /logout`: the same from a client's form, and the answer to our own question.
pub(crate) async fn by_form(
    State(site): State<Site>,
    Visitor(browser): Visitor,
    ForeignForm(form): ForeignForm,
) -> Response {
    log_out(&site, &browser, &form).await
}

async fn log_out(site: &Site, browser: &Browser, encoded: &[u8]) -> Response {
    match Params::parse(encoded) {
        Ok(params) => site.answer(Endpoint::EndSession, browser, site.server.end_session(browser, &params).await),
        Err(error) => site.unreadable(&error.into(), browser.context.id.as_ref()),
    }
}

pub(crate) fn log_out_page(prompt: LogOutPrompt) -> pages::LogOutPage {
    pages::LogOutPage {
        form: prompt.form,
        username: prompt.username,
        client: prompt.client.map(client),
        is_outdated: prompt.is_outdated,
    }
}
