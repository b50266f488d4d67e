use regrant_protocol::Secret;
use regrant_store::{StoreError, User};
use tracing::info;

use super::cookies::BrowserId;
use super::seal::SealLabel;
use super::session::LoggedIn;
use super::{BROWSER_COOKIE_SECONDS, Browser, Cookie, CookieChange, LoginProblem};
use crate::AuthorizationServer;
use crate::failures::FailureKey;
use crate::user_authentication::{Caller, UserAuthenticationError};

impl AuthorizationServer {
    /// Checks what was entered at the login page.
    pub(super) async fn attempt_login(
        &self,
        browser: &Browser,
        username: &str,
        password: &Secret,
    ) -> Result<Result<User, LoginProblem>, StoreError> {
        let (caller, keys) = self.login_failure_keys(browser, username);
        let outcome = self.attempt(caller, &keys, username, password).await?;
        if let Err(problem) = &outcome {
            info!(source = %browser.context.source, ?problem, "not logged in");
        }
        Ok(outcome)
    }

    /// Checks the password of who is logged in, entered once more.
    pub(super) async fn attempt_again(
        &self,
        who: &LoggedIn,
        password: &Secret,
    ) -> Result<Result<User, LoginProblem>, StoreError> {
        let username = who.user.username.as_str();
        self.attempt(Caller::Known, &[FailureKey::browser(&who.session.id.0, username)], username, password).await
    }

    /// Checks a password. A wrong one counts under each of `keys`, and too many before it leave it unchecked.
    async fn attempt(
        &self,
        caller: Caller,
        keys: &[FailureKey],
        username: &str,
        password: &Secret,
    ) -> Result<Result<User, LoginProblem>, StoreError> {
        if let Err(retry_after_seconds) = self.failures.charge(keys, self.clock.monotonic()) {
            return Ok(Err(LoginProblem::TooManyFailures { retry_after_seconds }));
        }
        let authenticated = self.authenticate_user(caller, username, password).await;
        if authenticated != Err(UserAuthenticationError::Credentials) {
            self.failures.give_back(keys);
        }
        match authenticated {
            Ok(user) => Ok(Ok(user)),
            Err(UserAuthenticationError::Credentials) => Ok(Err(LoginProblem::Credentials)),
            Err(UserAuthenticationError::UserDisabled) => Ok(Err(LoginProblem::UserDisabled)),
            Err(UserAuthenticationError::Overloaded(_)) => Ok(Err(LoginProblem::Overloaded)),
            Err(UserAuthenticationError::Store(error)) => Err(error),
        }
    }

    /// Who tries to log in, and what a failure counts for. A browser with which this user has logged in before is counted alone, so
    /// that nobody else's guesses delay it.
    fn login_failure_keys(&self, browser: &Browser, username: &str) -> (Caller, Vec<FailureKey>) {
        let id = browser.cookies.browser.as_ref().and_then(BrowserId::parse);
        match id.filter(|id| self.is_known(browser, *id, username)) {
            Some(known) => (Caller::Known, vec![FailureKey::browser(&known.0, username)]),
            None => {
                let source = browser.context.source;
                let pair = FailureKey::user(source, username);
                (Caller::Stranger, vec![pair, FailureKey::account(username), FailureKey::source(source)])
            }
        }
    }

    fn is_known(&self, browser: &Browser, id: BrowserId, username: &str) -> bool {
        let place = [&id.0[..], username.as_bytes()];
        let unsealed =
            browser.cookies.known.as_ref().map(|known| self.unseal(SealLabel::Known, &place, known.expose()));
        unsealed.flatten().is_some()
    }

    /// Lets the browser be known from now on as one with which this name has logged in.
    pub(super) fn remember(&self, id: BrowserId, username: &str) -> CookieChange {
        let value = Secret::new(self.seal(SealLabel::Known, &[&id.0, username.as_bytes()], &[]));
        CookieChange::Set { cookie: Cookie::Known, value, max_age_seconds: BROWSER_COOKIE_SECONDS }
    }
}
