use std::sync::Arc;

use axum::extract::FromRef;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use regrant_engine::{
    AuthorizationServer, Browser, BrowserError, Endpoint, ErrorPage, KnownUser, Next, RequestId, Step,
};
use regrant_pages::{Brand, FormPostPage, Pages};
use regrant_protocol::{AuthorizationResponse, Metadata, ResponseMode, with_query};

use crate::account::account_page;
use crate::consent::consent_page;
use crate::cookies::CookieJar;
use crate::dialect::Dialects;
use crate::error_page::{error_page, unreadable};
use crate::form::FormFault;
use crate::login::login_page;
use crate::login_page::LoginPage;
use crate::logout::log_out_page;
use crate::page::{Window, page, see_other};
use crate::visitor::Visitor;

/// A server, and how it meets people: what its pages look like, and where they log in.
///
/// [`Site::router`] answers everybody. A program with users of its own names a [`LoginPage`], and ends the handler of that
/// page's form with [`Site::log_in_as`].
#[derive(Clone)]
pub struct Site {
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) login_page: Option<Arc<LoginPage>>,
    pub(crate) dialects: Arc<Dialects>,
}

/// How a [`Site`] meets people. By default with our own name, colours and login page.
#[derive(Clone, Debug, Default)]
pub struct SiteOptions {
    /// The name, logo and colours on the pages.
    pub brand: Brand,
    /// The login page of the program around. With it there is no `POST /login`: no password of ours logs anybody in there.
    pub login_page: Option<LoginPage>,
    /// How the endpoints for clients read requests and word answers.
    pub dialects: Dialects,
}

impl FromRef<Site> for Arc<AuthorizationServer> {
    fn from_ref(site: &Site) -> Self {
        Arc::clone(&site.server)
    }
}

impl Site {
    /// The site of a server.
    #[must_use]
    pub fn new(server: Arc<AuthorizationServer>, options: SiteOptions) -> Self {
        let pages = Arc::new(Pages::new(options.brand, server.issuer().path()));
        let login_page = options.login_page.map(Arc::new);
        Self { server, pages, login_page, dialects: Arc::new(options.dialects) }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Arc<AuthorizationServer> {
        &self.server
    }

    /// Ends the handler of a login page of the program around, which has found out who the user is: they are logged in with
    /// this browser, and go on with `request`, the parameter that the page was opened with.
    ///
    /// Nobody is logged in by a request that was made for another browser; see [`AuthorizationServer::log_in_as`].
    pub async fn log_in_as(&self, Visitor(browser): &Visitor, request: &str, user: KnownUser) -> Response {
        self.answer(Endpoint::Login, browser, self.server.log_in_as(browser, request, user).await)
    }

    /// Ends the handler of a login page of the program around for a user who would rather not log in: the client is told.
    pub async fn cancel_log_in(&self, Visitor(browser): &Visitor, request: &str) -> Response {
        self.answer(Endpoint::Login, browser, self.server.cancel_log_in(browser, request).await)
    }

    /// How cookies are read and written here.
    pub(crate) fn jar(&self) -> CookieJar {
        CookieJar::of(self.server.issuer())
    }

    /// What the browser is answered: the page or the redirect that the engine decided on, and its cookies.
    pub(crate) fn answer(
        &self,
        endpoint: Endpoint,
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
                self.server.refused_browser(&browser.context, endpoint, &error);
                self.error(ErrorPage::from(&error), browser.context.id.as_ref())
            }
        }
    }

    /// A page that says what went wrong.
    pub(crate) fn error(&self, error: ErrorPage, request: Option<&RequestId>) -> Response {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_seconds = error.retry_after_seconds;
        let response = page(status, self.pages.error(&error_page(error, request)), Window::Own);
        with_retry_after(response, retry_after_seconds)
    }

    /// The page for a request whose words cannot be read.
    pub(crate) fn unreadable(&self, fault: &FormFault, request: Option<&RequestId>) -> Response {
        self.error(unreadable(fault), request)
    }

    fn render(&self, next: Next) -> Response {
        let pages = &self.pages;
        let status = next.page_status().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        let retry_after_seconds = next.retry_after_seconds();
        let response = match next {
            Next::LogIn(prompt) => match &self.login_page {
                Some(login_page) => see_other(&login_page.location(&prompt)),
                None => {
                    let window = Window::of(prompt.client.as_ref());
                    page(status, pages.login(&login_page(prompt)), window)
                }
            },
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
            Next::ShowNotice(notice) => {
                see_other(&with_query(&self.below(Metadata::ACCOUNT_PATH), [("notice", &*notice)]))
            }
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
