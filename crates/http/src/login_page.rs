use std::fmt;

use regrant_engine::{LoginProblem, LoginPrompt};
use regrant_protocol::{Timestamp, with_query};

/// Where a program has a login page of its own: a path on the host of the issuer, as the cookies of the login are that host's.
///
/// The browser is sent there with these parameters, which only say what to show and prove nothing:
///
/// - `request`, to be passed back unchanged to [`Site::log_in_as`](crate::Site::log_in_as) or
///   [`Site::cancel_log_in`](crate::Site::cancel_log_in);
/// - `client`, the name of who asks, where it is a client that does;
/// - `login_hint`, the name that the user is expected to enter, where there is one;
/// - `authenticated_after`, a time in Unix seconds, when the client accepts no older proof of who the user is: who has logged in
///   to the program before that is asked again;
/// - `problem`, why the page is shown again: `outdated` when it was open for too long or for another browser, `no_cookie` when the
///   browser brings no cookie along, without which nobody can be logged in, `logged_out` when the user was meanwhile.
///
/// A page that logs in by itself who is known to the program already does so only where there is neither `problem` nor
/// `authenticated_after`: or it may send the browser round and round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPage(String);

/// A text that is no path to a login page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no path of a login page; write one such as /login, in visible ASCII, without host, query and fragment"
)]
pub struct LoginPageError(String);

impl LoginPage {
    /// The login page at `path`, such as `/login`.
    ///
    /// # Errors
    /// When it is not a path alone.
    pub fn at(path: &str) -> Result<Self, LoginPageError> {
        let is_path = path.starts_with('/') && !path.starts_with("//");
        let is_alone = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\".contains(&byte));
        if is_path && is_alone { Ok(Self(path.to_owned())) } else { Err(LoginPageError(path.to_owned())) }
    }

    /// Where the browser is sent for this prompt.
    pub(crate) fn location(&self, prompt: &LoginPrompt) -> String {
        let authenticated_after = prompt.authenticated_after.map(|time| seconds_at_least(time).to_string());
        let parameters = [
            ("request", Some(prompt.request.as_str())),
            ("client", prompt.client.as_ref().map(|client| client.name.as_str())),
            ("login_hint", prompt.username.as_deref()),
            ("authenticated_after", authenticated_after.as_deref()),
            ("problem", prompt.problem.and_then(word)),
        ];
        with_query(&self.0, parameters.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

impl fmt::Display for LoginPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the page is told; `None` for what only happens at our own.
const fn word(problem: LoginProblem) -> Option<&'static str> {
    match problem {
        LoginProblem::Outdated => Some("outdated"),
        LoginProblem::NoCookie => Some("no_cookie"),
        LoginProblem::LoggedOut => Some("logged_out"),
        LoginProblem::Credentials
        | LoginProblem::UserDisabled
        | LoginProblem::TooManyFailures { .. }
        | LoginProblem::Overloaded => None,
    }
}

/// Whole seconds: a program that counts in them must not mistake an older proof for a new one.
fn seconds_at_least(time: Timestamp) -> i64 {
    -(-time.milliseconds()).div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_page_is_a_path_alone() {
        for (path, is_one) in [
            ("/login", true),
            ("/a/b-c.d%20", true),
            ("", false),
            ("login", false),
            ("//evil.example/login", false),
            ("/\\evil.example", false),
            ("https://id.example/login", false),
            ("/login?x=1", false),
            ("/login#x", false),
            ("/lo gin", false),
            ("/login\r\n", false),
            ("/é", false),
        ] {
            assert_eq!(LoginPage::at(path).is_ok(), is_one, "{path:?}");
        }
    }

    #[test]
    fn the_browser_is_sent_with_what_the_page_may_show() {
        let page = LoginPage::at("/login").unwrap();
        let mut prompt = LoginPrompt {
            request: "a-_".to_owned(),
            client: None,
            username: None,
            authenticated_after: None,
            problem: None,
        };
        assert_eq!(page.location(&prompt), "/login?request=a-_");
        prompt.username = Some("a&b=\"é".to_owned());
        prompt.authenticated_after = Some(Timestamp::from_milliseconds(1_001));
        prompt.problem = Some(LoginProblem::Outdated);
        assert_eq!(
            page.location(&prompt),
            "/login?request=a-_&login_hint=a%26b%3D%22%C3%A9&authenticated_after=2&problem=outdated"
        );
    }
}
