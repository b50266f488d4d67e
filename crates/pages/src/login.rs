use askama::Template;

use crate::frame::Frame;
use crate::{Client, Page, Pages};

/// The login page, posted to `/login` as `request`, `username`, `password` and `action=login` or `cancel`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginPage {
    /// The hidden field `request`.
    pub request: String,
    /// Who asks; `None` when the user wants to see their account, and then there is no button to cancel.
    pub client: Option<Client>,
    /// The name to begin with.
    pub username: Option<String>,
    /// Why the page is shown again.
    pub problem: Option<LoginProblem>,
}

/// Why a password was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// Unknown user or wrong password: one sentence for both.
    Credentials,
    /// The right password of a user who is locked or disabled.
    UserDisabled,
    /// Too many failures; the next try is allowed after so many seconds.
    TooManyFailures {
        /// Seconds until then.
        retry_after_seconds: u32,
    },
    /// Too many passwords are being checked.
    Overloaded,
    /// The page was open for too long, or comes from another browser: nothing was checked.
    Outdated,
    /// The browser brought no cookie of ours along: nothing was checked.
    NoCookie,
    /// Whoever the page was for has been logged out meanwhile.
    LoggedOut,
}

impl Pages {
    /// The login page.
    #[must_use]
    pub fn login(&self, page: &LoginPage) -> Page {
        let destination = page.client.as_ref().and_then(|client| client.destination_scheme.as_deref());
        let template = LoginTemplate {
            frame: &self.frame,
            page,
            problem: page.problem.map(LoginProblem::in_words),
            in_fields: page.problem == Some(LoginProblem::Credentials),
        };
        Page::new(&template, destination)
    }
}

impl LoginProblem {
    fn in_words(self) -> String {
        match self {
            Self::Credentials => "The username or the password is wrong. Please check both.".to_owned(),
            Self::UserDisabled => "This account is locked. Please ask whoever runs this service for help.".to_owned(),
            Self::TooManyFailures { retry_after_seconds } => format!(
                "There were too many wrong passwords. Please wait {} and try again.",
                duration(retry_after_seconds)
            ),
            Self::Overloaded => "Too many people are logging in at this moment. Please try again.".to_owned(),
            Self::Outdated => "This page was open for too long. Please log in again.".to_owned(),
            Self::NoCookie => {
                "Your browser did not send our cookie. Please allow cookies for this site and log in again.".to_owned()
            }
            Self::LoggedOut => "You have been logged out meanwhile. Please log in again.".to_owned(),
        }
    }
}

/// A wait of so many seconds in words, never shorter than it is.
pub(crate) fn duration(seconds: u32) -> String {
    let (number, unit) = match seconds {
        0..=90 => (seconds, "second"),
        91..=5_400 => (seconds.div_ceil(60), "minute"),
        5_401.. => (seconds.div_ceil(3_600), "hour"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginTemplate<'a> {
    frame: &'a Frame,
    page: &'a LoginPage,
    problem: Option<String>,
    /// The fields themselves are wrong, and not the moment.
    in_fields: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_said_to_be_shorter_than_it_is() {
        let cases = [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (5_400, "90 minutes"),
            (5_401, "2 hours"),
            (u32::MAX, "1193047 hours"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn every_problem_is_said() {
        let pages = Pages::new(crate::Brand::default(), "");
        let cases = [
            (LoginProblem::Credentials, "The username or the password is wrong"),
            (LoginProblem::UserDisabled, "This account is locked"),
            (LoginProblem::TooManyFailures { retry_after_seconds: 30 }, "Please wait 30 seconds"),
            (LoginProblem::Overloaded, "Too many people are logging in"),
            (LoginProblem::Outdated, "This page was open for too long"),
            (LoginProblem::NoCookie, "allow cookies for this site"),
            (LoginProblem::LoggedOut, "You have been logged out meanwhile"),
        ];
        for (problem, expected) in cases {
            let html = pages.login(&LoginPage { problem: Some(problem), ..LoginPage::default() }).html;
            assert!(html.contains(expected), "{problem:?}");
            assert_eq!(html.contains("aria-invalid"), problem == LoginProblem::Credentials, "{problem:?}");
        }
        assert!(!pages.login(&LoginPage::default()).html.contains("role=\"alert\""));
    }
}
