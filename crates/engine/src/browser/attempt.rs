use regrant_crypto::sha256;
use regrant_protocol::{Secret, Subject, Username};
use regrant_store::{StoreError, User};

use super::cookies::BrowserId;
use super::seal::SealLabel;
use super::session::LoggedIn;
use super::{BROWSER_COOKIE_SECONDS, Browser, Cookie, CookieChange, LoginProblem};
use crate::failures::FailureKey;
use crate::user_authentication::{Caller, UserAuthenticationError};
use crate::{AuthorizationServer, Happening, LogInOutcome};

impl AuthorizationServer {
    /// Checks what was entered at the login page.
    pub(super) async fn attempt_login(
        &self,
        browser: &Browser,
        username: &str,
        password: &Secret,
    ) -> Result<Result<User, LoginProblem>, StoreError> {
        let (caller, keys) = self.login_failure_keys(browser, username).await?;
        self.attempt(browser, None, caller, &keys, username, password).await
    }

    /// Checks the password of who is logged in, entered once more.
    pub(super) async fn attempt_again(
        &self,
        browser: &Browser,
        who: &LoggedIn,
        password: &Secret,
    ) -> Result<Result<User, LoginProblem>, StoreError> {
        let username = who.user.username.as_str();
        let keys = [FailureKey::browser(&who.session.id.0, username)];
        self.attempt(browser, Some(&who.user.subject), Caller::Known, &keys, username, password).await
    }

    /// Checks a password. A wrong one counts under each of `keys`, and too many before it leave it unchecked. Of a failure it
    /// tells; `known` is who has logged in with this browser before.
    async fn attempt(
        &self,
        browser: &Browser,
        known: Option<&Subject>,
        caller: Caller,
        keys: &[FailureKey],
        username: &str,
        password: &Secret,
    ) -> Result<Result<User, LoginProblem>, StoreError> {
        let tell = |subject, outcome| self.tell(&browser.context, Happening::LogIn { subject, outcome });
        if let Err(retry_after_seconds) = self.failures.charge(keys, self.clock.monotonic()) {
            tell(known, LogInOutcome::TooManyFailures);
            return Ok(Err(LoginProblem::TooManyFailures { retry_after_seconds }));
        }
        let authenticated = self.authenticate_user(caller, username, password).await;
        if authenticated != Err(UserAuthenticationError::Credentials) {
            self.failures.give_back(keys);
        }
        match authenticated {
            Ok(user) => Ok(Ok(user)),
            Err(UserAuthenticationError::Credentials) => {
                tell(known, LogInOutcome::WrongCredentials);
                Ok(Err(LoginProblem::Credentials))
            }
            Err(UserAuthenticationError::UserDisabled(subject)) => {
                tell(Some(&subject), LogInOutcome::UserDisabled);
                Ok(Err(LoginProblem::UserDisabled))
            }
            Err(UserAuthenticationError::Overloaded(_)) => Ok(Err(LoginProblem::Overloaded)),
            Err(UserAuthenticationError::Store(error)) => Err(error),
        }
    }

    /// Who tries to log in, and what a failure counts for. A browser with which this user has logged in before is counted alone, so
    /// that nobody else's guesses delay it.
    async fn login_failure_keys(
        &self,
        browser: &Browser,
        username: &str,
    ) -> Result<(Caller, Vec<FailureKey>), StoreError> {
        if let Some(known) = self.known_browser(browser, username).await? {
            return Ok((Caller::Known, vec![FailureKey::browser(&known.0, username)]));
        }
        let source = browser.context.source;
        let pair = FailureKey::user(source, username);
        Ok((Caller::Stranger, vec![pair, FailureKey::account(username), FailureKey::source(source)]))
    }

    /// The browser, if this user has logged in with it by the password that they have now.
    pub(super) async fn known_browser(
        &self,
        browser: &Browser,
        username: &str,
    ) -> Result<Option<BrowserId>, StoreError> {
        let id = browser.cookies.browser.as_ref().and_then(BrowserId::parse);
        let (Some(id), Some(known)) = (id, &browser.cookies.known) else { return Ok(None) };
        let Ok(username) = Username::parse(username) else { return Ok(None) };
        let Some(user) = self.store.user_named(&username).await? else { return Ok(None) };
        let password = password_mark(&user);
        let place = [&id.0[..], username.as_str().as_bytes(), &password[..]];
        Ok(self.unseal(SealLabel::Known, &place, known.expose()).await?.map(|_| id))
    }

    /// Lets the browser be known, until the password is another, as one with which this user has logged in.
    pub(super) fn remember(&self, id: BrowserId, user: &User) -> Result<CookieChange, StoreError> {
        let place = [&id.0[..], user.username.as_str().as_bytes(), &password_mark(user)[..]];
        let value = Secret::new(self.seal(SealLabel::Known, &place, &[])?);
        Ok(CookieChange::Set { cookie: Cookie::Known, value, max_age_seconds: BROWSER_COOKIE_SECONDS })
    }
}

/// What changes with the password.
fn password_mark(user: &User) -> [u8; 32] {
    sha256(user.credential.as_ref().map_or(&[], |credential| credential.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use regrant_store::{Credential, UserChange};

    use crate::browser::Next;
    use crate::browser::visitor::{Visitor, login_prompt};
    use crate::world::World;

    /// Alice has the password that the form enters, as phpass hashed it for another system; by Python's passlib 1.7.
    #[tokio::test]
    async fn a_password_that_was_taken_over_logs_in_and_makes_no_browser_a_stranger() {
        let world = World::new().await;
        let taken_over = Credential::new("$P$5saltSALTJiSgexBsjq56VoLC1ow6N0".to_owned());
        world
            .server
            .store()
            .change_user(&world.alice, UserChange::Password { seen_version: None, credential: taken_over.clone() })
            .await
            .unwrap();
        let (mut first, mut second) = (Visitor::new(&world), Visitor::new(&world));
        for visitor in [&mut first, &mut second] {
            let prompt = login_prompt(visitor.authorize("").await);
            let step = visitor.log_in(&prompt.request, "alice", "wonderland").await;
            assert!(matches!(step, Ok(Next::Resume(_))), "{step:?}");
        }
        for visitor in [&first, &second] {
            let known = world.server.known_browser(&visitor.browser(), "alice").await.unwrap();
            assert!(known.is_some(), "each is marked by the new hash");
        }
        let fields = "current_password=wonderland&new_password=looking-glass&new_password_again=looking-glass";
        world
            .server
            .store()
            .change_user(&world.alice, UserChange::Password { seen_version: None, credential: taken_over })
            .await
            .unwrap();
        let form = first.view().await.form;
        let changed = first.change_password(&format!("form={form}&{fields}")).await;
        assert!(matches!(changed, Ok(Next::ShowNotice(_))), "{changed:?}");
        let prompt = login_prompt(second.authorize("prompt=login").await);
        for (password, is_right) in [("wonderland", false), ("looking-glass", true)] {
            let step = second.log_in(&prompt.request, "alice", password).await;
            assert_eq!(matches!(step, Ok(Next::Resume(_))), is_right, "{password}");
        }
    }
}
