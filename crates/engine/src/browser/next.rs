use regrant_protocol::AuthorizationResponse;

use super::{AccountView, ConsentPrompt, CookieChange, LogOutPrompt, LoginPrompt};

/// What a browser is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it shows, or where it goes.
    pub next: Next,
    /// The cookies that change.
    pub cookies: Vec<CookieChange>,
}

/// What the browser shows, or where it goes. Every redirect is a 303, so that no password is sent on (RFC 9700 §4.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Back to the client with a code or an error: by redirect, or by a page that posts itself.
    Respond(AuthorizationResponse),
    /// The login page.
    LogIn(LoginPrompt),
    /// `GET /consent?request=` this.
    Resume(String),
    /// The consent page.
    Consent(ConsentPrompt),
    /// The account page.
    Account(AccountView),
    /// `GET /account`.
    ToAccount,
    /// `GET /account?notice=` this, which says what was just done.
    ShowNotice(String),
    /// The page that asks whether to log out.
    ConfirmLogOut(LogOutPrompt),
    /// The page that says that nobody is logged in any more.
    LoggedOut,
    /// To the `post_logout_redirect_uri` of a client, `state` included.
    Return(String),
}

impl Next {
    /// The status of the page; `None` for a redirect, and for the response to the client, which has its own rules.
    #[must_use]
    pub fn page_status(&self) -> Option<u16> {
        match self {
            Self::LogIn(prompt) => Some(prompt.problem.map_or(200, |problem| problem.status())),
            Self::Consent(prompt) => Some(if prompt.is_outdated { 403 } else { 200 }),
            Self::Account(view) => Some(view.password_problem.map_or(200, |problem| problem.status())),
            Self::ConfirmLogOut(prompt) => Some(if prompt.is_outdated { 403 } else { 200 }),
            Self::LoggedOut => Some(200),
            Self::Respond(_) | Self::Resume(_) | Self::ToAccount | Self::ShowNotice(_) | Self::Return(_) => None,
        }
    }

    /// Seconds after which a new try makes sense (`Retry-After`).
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::LogIn(prompt) => prompt.problem.and_then(|problem| problem.retry_after_seconds()),
            Self::Account(view) => view.password_problem.and_then(|problem| problem.retry_after_seconds()),
            Self::Consent(_)
            | Self::ConfirmLogOut(_)
            | Self::LoggedOut
            | Self::Respond(_)
            | Self::Resume(_)
            | Self::ToAccount
            | Self::ShowNotice(_)
            | Self::Return(_) => None,
        }
    }
}

impl From<Next> for Step {
    fn from(next: Next) -> Self {
        Self { next, cookies: Vec::new() }
    }
}
