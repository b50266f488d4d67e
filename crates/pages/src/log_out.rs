use askama::Template;

use crate::frame::Frame;
use crate::{Client, Page, Pages};

/// The page that asks whether to log out, posted to `/logout` as `form` and `decision=log-out` or `stay`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOutPage {
    /// The hidden field `form`.
    pub form: String,
    /// The login name of who is logged in.
    pub username: String,
    /// Who asks, where that is known.
    pub client: Option<Client>,
    /// The page was open for too long, or comes from another browser: nothing was done, and it is asked again.
    pub is_outdated: bool,
}

impl Pages {
    /// The page that asks whether to log out.
    #[must_use]
    pub fn log_out(&self, page: &LogOutPage) -> Page {
        let destination = page.client.as_ref().and_then(|client| client.destination_scheme.as_deref());
        Page::new(&LogOutTemplate { frame: &self.frame, page }, destination)
    }

    /// The page that says that nobody is logged in any more.
    #[must_use]
    pub fn logged_out(&self) -> Page {
        Page::new(&LoggedOutTemplate { frame: &self.frame }, None)
    }
}

#[derive(Template)]
#[template(path = "log_out.html")]
struct LogOutTemplate<'a> {
    frame: &'a Frame,
    page: &'a LogOutPage,
}

#[derive(Template)]
#[template(path = "logged_out.html")]
struct LoggedOutTemplate<'a> {
    frame: &'a Frame,
}
