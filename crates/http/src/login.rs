use axum::extract::State;
use axum::response::Response;
use regrant_engine::{Endpoint, LoginProblem, LoginPrompt};
use regrant_pages as pages;

use crate::client::client;
use crate::own_form::OwnForm;
use crate::site::Site;
use crate::visitor::Visitor;

/// `POST /login`: name and password, or neither.
pub(crate) async fn log_in(State(site): State<Site>, Visitor(browser): Visitor, OwnForm(params): OwnForm) -> Response {
    site.answer(Endpoint::Login, &browser, site.server.log_in(&browser, &params).await)
}

pub(crate) fn login_page(prompt: LoginPrompt) -> pages::LoginPage {
    pages::LoginPage {
        request: prompt.request,
        client: prompt.client.map(client),
        username: prompt.username,
        problem: prompt.problem.map(login_problem),
    }
}

pub(crate) fn login_problem(problem: LoginProblem) -> pages::LoginProblem {
    match problem {
        LoginProblem::Credentials => pages::LoginProblem::Credentials,
        LoginProblem::UserDisabled => pages::LoginProblem::UserDisabled,
        LoginProblem::TooManyFailures { retry_after_seconds } => {
            pages::LoginProblem::TooManyFailures { retry_after_seconds }
        }
        LoginProblem::Overloaded => pages::LoginProblem::Overloaded,
        LoginProblem::Outdated => pages::LoginProblem::Outdated,
        LoginProblem::NoCookie => pages::LoginProblem::NoCookie,
        LoginProblem::LoggedOut => pages::LoginProblem::LoggedOut,
    }
}
