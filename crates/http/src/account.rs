use axum::extract::State;
use axum::response::Response;
use regrant_engine::{
    AccountGrant, AccountNotice, AccountView, Endpoint, NEW_PASSWORD_CHARACTERS_MIN, Next, PasswordProblem, Step,
};
use regrant_pages as pages;
use regrant_protocol::Params;

use crate::link::Link;
use crate::login::login_problem;
use crate::own_form::OwnForm;
use crate::site::Site;
use crate::visitor::Visitor;

/// `GET /account`: what the user has granted, and their password.
pub(crate) async fn show(State(site): State<Site>, Visitor(browser): Visitor, Link(query): Link) -> Response {
    // Whatever else stands in the address is nobody's mistake.
    let params = Params::parse(&query).ok();
    let notice = params.as_ref().and_then(|params| params.get("notice"));
    site.answer(Endpoint::Account, &browser, site.server.account(&browser, notice).await)
}

/// `GET` of an address that takes forms: the page that has them.
pub(crate) async fn see_account(State(site): State<Site>, Visitor(browser): Visitor) -> Response {
    site.answer(Endpoint::Account, &browser, Ok(Step::from(Next::ToAccount)))
}

/// `POST /account/end`: ends one grant.
pub(crate) async fn end(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer(Endpoint::Account, &browser, site.server.end_grant(&browser, &params).await)
}

/// `POST /account/end-all`: ends every grant.
pub(crate) async fn end_all(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer(Endpoint::Account, &browser, site.server.end_all_grants(&browser, &params).await)
}

/// `POST /account/password`: a new password.
pub(crate) async fn change_password(
    State(site): State<Site>,
    Visitor(browser): Visitor,
    OwnForm(params): OwnForm,
) -> Response {
    site.answer(Endpoint::Account, &browser, site.server.change_password(&browser, &params).await)
}

/// `POST /account/log-out`: ends the login session of this browser.
pub(crate) async fn log_out(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer(Endpoint::Account, &browser, site.server.log_out(&browser, &params).await)
}

pub(crate) fn account_page(view: AccountView) -> pages::AccountPage {
    pages::AccountPage {
        form: view.form,
        username: view.username,
        name: view.name,
        has_password: view.has_password,
        authenticated_at: view.authenticated_at.seconds(),
        grants: view.grants.into_iter().map(grant).collect(),
        notice: view.notice.map(notice),
        password_problem: view.password_problem.map(password_problem),
        password_characters_min: NEW_PASSWORD_CHARACTERS_MIN,
    }
}

fn grant(grant: AccountGrant) -> pages::AccountGrant {
    let (address, agent) = grant.approved_from.map(|from| (from.address.to_string(), from.agent)).unzip();
    pages::AccountGrant {
        id: grant.id,
        client: grant.client,
        client_uri: grant.client_uri,
        scopes: grant.scopes,
        created_at: grant.created_at.seconds(),
        used_at: grant.used_at.seconds(),
        expires_at: grant.expires_at.map(|end| end.seconds()),
        address,
        agent: agent.flatten(),
        ends_with_session: grant.ends_with_session,
    }
}

fn notice(notice: AccountNotice) -> pages::AccountNotice {
    match notice {
        AccountNotice::PasswordChanged => pages::AccountNotice::PasswordChanged,
        AccountNotice::PasswordChangedAndEverythingEnded => pages::AccountNotice::PasswordChangedAndEverythingEnded,
        AccountNotice::Disconnected(client) => pages::AccountNotice::Disconnected(client),
        AccountNotice::EverythingDisconnected => pages::AccountNotice::EverythingDisconnected,
    }
}

fn password_problem(problem: PasswordProblem) -> pages::PasswordProblem {
    match problem {
        PasswordProblem::Current(problem) => pages::PasswordProblem::Current(login_problem(problem)),
        PasswordProblem::TooShort => pages::PasswordProblem::TooShort,
        PasswordProblem::TooLong => pages::PasswordProblem::TooLong,
        PasswordProblem::Mismatch => pages::PasswordProblem::Mismatch,
        PasswordProblem::Unchanged => pages::PasswordProblem::Unchanged,
        PasswordProblem::Guessable => pages::PasswordProblem::Guessable,
    }
}
