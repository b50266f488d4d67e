//! What a person does with a browser: log in, consent, look at their account, log out (RFC 6749 §3.1, OpenID Connect
//! Core §3.1.2, OpenID Connect RP-Initiated Logout).
//!
//! One method per form, and each answers with a [`Step`]: what the browser shows or where it goes [`Next`], and which
//! cookies change. Nothing is stored before the user has consented but the login session: until then the request
//! travels sealed in the pages ([`errand`]). What a page has to ask is decided by one pure function, [`due`].

mod account;
mod account_view;
mod agent;
mod attempt;
mod authorize;
mod change_password;
mod consent;
mod cookies;
mod due;
mod end_session;
mod errand;
mod error;
mod form;
mod issue;
mod known_user;
mod log_in;
mod new_password;
mod next;
mod notice;
mod proceed;
mod prompt;
mod seal;
mod session;
#[cfg(test)]
mod told;
#[cfg(test)]
mod visitor;

use crate::RequestContext;

pub use account_view::{AccountGrant, AccountNotice, AccountView, PasswordProblem};
pub use cookies::{BROWSER_COOKIE_SECONDS, BrowserCookies, Cookie, CookieChange, SESSION_SECONDS};
pub use error::{BrowserError, ErrorPage, PostLogoutProblem};
pub use known_user::KnownUser;
pub use new_password::NEW_PASSWORD_CHARACTERS_MIN;
pub(crate) use new_password::is_guessable;
pub use next::{Next, Step};
pub use prompt::{AccessEnd, ClientPresentation, ConsentPrompt, ConsentScope, LogOutPrompt, LoginProblem, LoginPrompt};

/// A request that comes from a person's browser, before its words are read.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Where it comes from, and when it began.
    pub context: RequestContext,
    /// The cookies of ours that it carries.
    pub cookies: BrowserCookies,
    /// `User-Agent`, to tell the user later from which browser they approved a grant.
    pub user_agent: Option<String>,
}
