use std::sync::Arc;

use axum::extract::FromRef;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Browser, BrowserError, ErrorPage, Next, Step};
use regrant_pages::{FormPostPage, Pages};
use regrant_protocol::{AuthorizationResponse, Metadata, ResponseMode, with_query};

use crate::account::account_page;
use crate::consent::consent_page;
use crate::cookies::CookieJar;
use crate::error_page::{error_page, unreadable};
use crate::form::FormFault;
use crate::login::login_page;
use crate::logout::log_out_page;
use crate::page::{Window, page, see_other};

/// What the handlers of pages share.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) pages: Arc<Pages>,
}

impl FromRef<Site> for Arc<AuthorizationServer> {
    fn from_ref(site: &Site) -> Self {
        Arc::clone(&site.server)
    }
}

impl Site {
    /// How cookies are read and written here.
    pub(crate) fn jar(&self) -> CookieJar {
        CookieJar::of(self.server.issuer())
    }

    /// What the browser is answered: the page or the redirect that the engine decided on, and its cookies.
    pub(crate) fn answer(
        &self,
        endpoint: &'static str,
        browser: &Browser,
        outcome: Result<Step, BrowserError>,
    ) -> Response {
        match outcome {
            Ok(step) => {
                let mut response = self.render(step.next);
                for change in &step.cookies {
                    response.headers_mut().append(SET_COOKIE, self.jar().write(change));
                }
                response
            }
            Err(error) => {
                error.report(endpoint, browser.context.source);
                self.error(ErrorPage::from(&error))
            }
        }
    }

    /// A page that says what went wrong.
    pub(crate) fn error(&self, error: ErrorPage) -> Response {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_seconds = error.retry_after_seconds;
        let response = page(status, self.pages.error(&error_page(error)), Window::Own);
        with_retry_after(response, retry_after_seconds)
    }

    /// The page for a request whose words cannot be read.
    pub(crate) fn unreadable(&self, fault: &FormFault) -> Response {
        self.error(unreadable(fault))
    }

    fn render(&self, next: Next) -> Response {
        let pages = &self.pages;
        let status = next.page_status().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        let retry_after_seconds = next.retry_after_seconds();
        let response = match next {
            Next::LogIn(prompt) => {
                let window = Window::of(prompt.client.as_ref());
                page(status, pages.login(&login_page(prompt)), window)
            }
            Next::Consent(prompt) => page(status, pages.consent(&consent_page(prompt)), Window::OfAClient),
            Next::Account(view) => page(status, pages.account(&account_page(view)), Window::Own),
            Next::ConfirmLogOut(prompt) => {
                let window = Window::of(prompt.client.as_ref());
                page(status, pages.log_out(&log_out_page(prompt)), window)
            }
            Next::LoggedOut => page(status, pages.logged_out(), Window::Own),
            Next::Resume(request) => {
                see_other(&with_query(&self.below(Metadata::CONSENT_PATH), [("request", &*request)]))
            }
            Next::ToAccount => see_other(&self.below(Metadata::ACCOUNT_PATH)),
            Next::Return(address) => see_other(&address),
            Next::Respond(response) => self.respond(&response),
        };
        with_retry_after(response, retry_after_seconds)
    }

    /// Back to the client (RFC 6749 §4.1.2, OAuth 2.0 Form Post Response Mode).
    fn respond(&self, response: &AuthorizationResponse) -> Response {
        match response.response_mode {
            ResponseMode::Query => see_other(&response.location()),
            ResponseMode::FormPost => {
                let fields = response.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                let form = FormPostPage { action: response.redirect_uri.clone(), fields };
                page(StatusCode::OK, self.pages.form_post(&form), Window::OfAClient)
            }
        }
    }

    /// The path of `path` below the issuer. It names no host, so that the browser stays on the one it is on.
    fn below(&self, path: &str) -> String {
        format!("{}{path}", self.server.issuer().path())
    }
}

fn with_retry_after(mut response: Response, seconds: Option<u32>) -> Response {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
