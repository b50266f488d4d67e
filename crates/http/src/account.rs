use axum::extract::State;
use axum::response::Response;
use regrant_engine::{AccountGrant, AccountNotice, AccountView, PasswordProblem};
use regrant_pages as pages;

use crate::login::login_problem;
use crate::own_form::OwnForm;
use crate::site::Site;
use crate::visitor::Visitor;

/// `GET /account`: what the user has granted, and their password.
pub(crate) async fn show(State(site): State<Site>, Visitor(browser): Visitor) -> Response {
    site.answer("account", &browser, site.server.account(&browser).await)
}

/// `POST /account/end`: ends one grant.
pub(crate) async fn end(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer("account", &browser, site.server.end_grant(&browser, &params).await)
}

/// `POST /account/end-all`: ends every grant.
pub(crate) async fn end_all(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer("account", &browser, site.server.end_all_grants(&browser, &params).await)
}

/// `POST /account/password`: a new password.
pub(crate) async fn change_password(
    State(site): State<Site>,
    Visitor(browser): Visitor,
    OwnForm(params): OwnForm,
) -> Response {
    site.answer("account", &browser, site.server.change_password(&browser, &params).await)
}

/// `POST /account/log-out`: ends the login session of this browser.
pub(crate) async fn log_out(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer("account", &browser, site.server.log_out(&browser, &params).await)
}

pub(crate) fn account_page(view: AccountView) -> pages::AccountPage {
    pages::AccountPage {
        form: view.form,
        username: view.username,
        name: view.name,
        authenticated_at: view.authenticated_at.seconds(),
        grants: view.grants.into_iter().map(grant).collect(),
        notice: view.notice.map(notice),
        password_problem: view.password_problem.map(password_problem),
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
    }
}

fn password_problem(problem: PasswordProblem) -> pages::PasswordProblem {
    match problem {
        PasswordProblem::Current(problem) => pages::PasswordProblem::Current(login_problem(problem)),
        PasswordProblem::TooShort => pages::PasswordProblem::TooShort,
        PasswordProblem::TooLong => pages::PasswordProblem::TooLong,
        PasswordProblem::Mismatch => pages::PasswordProblem::Mismatch,
    }
}
