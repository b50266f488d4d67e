use regrant_protocol::{ErrorCode, Params, Secret};
use regrant_store::{Client, User};

use super::errand::{AuthorizationErrand, Errand, Holder};
use super::form::required;
use super::session::LoggedIn;
use super::{Browser, BrowserError, ClientPresentation, LoginProblem, LoginPrompt, Next, Step};
use crate::AuthorizationServer;

impl AuthorizationServer {
    /// `POST /login`: the fields `request`, `username`, `password`, and `action=cancel` from who would rather not.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page. A wrong password is none: the login page says so.
    pub async fn log_in(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let (id, _) = self.browser_id(browser);
        let opened = self.open_errand(required(params, "request")?, Some(&Holder::Browser(id)))?;
        let username = params.get("username").unwrap_or_default();
        if !opened.is_current {
            return self.ask_again(browser, &opened.errand, username, LoginProblem::Outdated).await;
        }
        // A program that submits the form for its user names no button.
        if params.get("action") == Some("cancel") {
            return self.cancel(&opened.errand).await;
        }
        let password = Secret::new(params.get("password").unwrap_or_default().to_owned());
        match self.attempt_login(browser, username, &password).await? {
            Ok(user) => {
                let (who, session_cookie) = self.begin_session(browser, user).await?;
                let cookies = vec![session_cookie, id.set(), self.remember(id, username)];
                Ok(Step { next: self.go_on(opened.errand, &who.holder()), cookies })
            }
            Err(problem) => self.ask_again(browser, &opened.errand, username, problem).await,
        }
    }

    /// Where who has logged in goes on.
    fn go_on(&self, errand: Errand, holder: &Holder) -> Next {
        match errand {
            Errand::Authorize(errand) => Next::Resume(self.seal_errand(&errand.after_login().into(), holder)),
            Errand::Account | Errand::LogOut(_) => Next::ToAccount,
        }
    }

    /// The user would rather not log in: the client is told, and nobody is logged in by it (OpenID Connect Core §3.1.2.6).
    async fn cancel(&self, errand: &Errand) -> Result<Step, BrowserError> {
        match errand {
            Errand::Authorize(errand) => {
                self.client_of(errand).await?;
                Ok(self.refuse(errand, ErrorCode::AccessDenied, "the user did not log in"))
            }
            Errand::Account | Errand::LogOut(_) => Ok(Step::from(Next::LoggedOut)),
        }
    }

    async fn ask_again(
        &self,
        browser: &Browser,
        errand: &Errand,
        username: &str,
        problem: LoginProblem,
    ) -> Result<Step, BrowserError> {
        let client = match errand {
            Errand::Authorize(errand) => {
                Some(ClientPresentation::new(&self.client_of(errand).await?.client, Some(&errand.redirect_uri)))
            }
            Errand::Account | Errand::LogOut(_) => None,
        };
        let username = Some(username).filter(|username| !username.is_empty());
        Ok(self.login_page(browser, errand, client, username, Some(problem)))
    }

    /// The login page for an authorization. Whatever was entered before, the user has to log in for this; who is logged in
    /// already need not enter the name again, unless another is expected.
    pub(super) fn ask_to_log_in(
        &self,
        browser: &Browser,
        errand: &AuthorizationErrand,
        client: &Client,
        who: Option<&LoggedIn>,
        problem: Option<LoginProblem>,
    ) -> Step {
        let is_expected = |user: &User| errand.expected_user.as_ref().is_none_or(|expected| *expected == user.subject);
        let user = who.map(|who| &who.user).filter(|user| is_expected(user));
        let username = user.map(|user| user.username.as_str()).or(errand.request.login_hint.as_deref());
        let presentation = ClientPresentation::new(client, Some(&errand.redirect_uri));
        self.login_page(browser, &errand.clone().before_login().into(), Some(presentation), username, problem)
    }

    /// The login page, for this browser.
    pub(super) fn login_page(
        &self,
        browser: &Browser,
        errand: &Errand,
        client: Option<ClientPresentation>,
        username: Option<&str>,
        problem: Option<LoginProblem>,
    ) -> Step {
        let (id, new_cookie) = self.browser_id(browser);
        let request = self.seal_errand(errand, &Holder::Browser(id));
        let prompt = LoginPrompt { request, client, username: username.map(str::to_owned), problem };
        Step { next: Next::LogIn(prompt), cookies: new_cookie.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::Clock;

    use super::*;
    use crate::browser::visitor::{Visitor, code, login_prompt, told};
    use crate::failures::{ACCOUNT_FAILURE_BURST, FailureKey};
    use crate::world::World;

    #[tokio::test]
    async fn a_wrong_password_and_an_unknown_name_are_told_alike() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = login_prompt(visitor.authorize("").await);
        assert_eq!(prompt.client.as_ref().map(|client| client.name.as_str()), Some("app"));
        for username in ["alice", "nobody"] {
            let calls = world.server.hash_calls();
            let again = login_prompt(visitor.log_in(&prompt.request, username, "wrong").await);
            assert_eq!(again.problem, Some(LoginProblem::Credentials));
            assert_eq!(again.username.as_deref(), Some(username));
            assert_eq!(world.server.hash_calls(), calls + 1, "{username}");
            assert_eq!(visitor.cookies.session, None);
        }
    }

    #[tokio::test]
    async fn a_login_page_of_another_browser_logs_nobody_in() {
        let world = World::new().await;
        let (mut attacker, mut victim) = (Visitor::new(&world), Visitor::new(&world));
        let prompt = login_prompt(attacker.authorize("").await);
        let again = login_prompt(victim.log_in(&prompt.request, "alice", "wonderland").await);
        assert_eq!((again.problem, victim.cookies.session.is_none()), (Some(LoginProblem::Outdated), true));

        let step = victim.log_in(&again.request, "alice", "wonderland").await;
        assert!(matches!(step, Ok(Next::Resume(_))), "the page that it was answered with is its own");
        let changed = format!("{}AAAA", &prompt.request[..prompt.request.len() - 4]);
        assert_eq!(victim.log_in(&changed, "alice", "wonderland").await, Err(BrowserError::NotOurs));
    }

    #[tokio::test]
    async fn a_login_page_that_was_open_for_too_long_asks_again() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = login_prompt(visitor.authorize("").await);
        world.clock.advance_seconds(600);
        let again = login_prompt(visitor.log_in(&prompt.request, "alice", "wonderland").await);
        assert_eq!(again.problem, Some(LoginProblem::Outdated));
        world.clock.advance_seconds(599);
        assert!(matches!(visitor.log_in(&again.request, "alice", "wonderland").await, Ok(Next::Resume(_))));
    }

    #[tokio::test]
    async fn who_would_rather_not_log_in_is_sent_back_without_a_code() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = login_prompt(visitor.authorize("state=s").await);
        let step = visitor.post_login(&format!("request={}&action=cancel", prompt.request)).await;
        assert_eq!(told(step.clone(), "error").as_deref(), Some("access_denied"));
        assert_eq!(told(step, "state").as_deref(), Some("s"));
        login_prompt(visitor.authorize("").await);
    }

    #[tokio::test]
    async fn guessing_at_a_name_does_not_delay_its_owner_in_a_known_browser() {
        let world = World::new().await;
        let mut owner = Visitor::new(&world);
        owner.reach_code("").await;
        owner.cookies.session = None;
        let account = FailureKey::account("alice");
        for guess in 0..ACCOUNT_FAILURE_BURST {
            assert_eq!(world.server.failures.charge(&[account], world.clock.monotonic()), Ok(()), "guess {guess}");
        }
        let mut stranger = Visitor::new(&world);
        let prompt = login_prompt(stranger.authorize("").await);
        let again = login_prompt(stranger.log_in(&prompt.request, "alice", "wonderland").await);
        assert!(matches!(again.problem, Some(LoginProblem::TooManyFailures { .. })), "{:?}", again.problem);

        let prompt = login_prompt(owner.authorize("").await);
        assert!(matches!(owner.log_in(&prompt.request, "alice", "wonderland").await, Ok(Next::Resume(_))));
    }

    #[tokio::test]
    async fn oidc_core_section_3_1_2_1_max_age_and_prompt_ask_for_the_password_again() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        code(visitor.authorize("max_age=5").await);
        world.clock.advance_seconds(6);
        code(visitor.authorize("").await);
        let session = visitor.cookies.session.clone();
        for rest in ["max_age=5", "prompt=login", "max_age=0"] {
            let prompt = login_prompt(visitor.authorize(rest).await);
            assert_eq!(prompt.username.as_deref(), Some("alice"), "{rest}");
            let Ok(Next::Resume(request)) = visitor.log_in(&prompt.request, "alice", "wonderland").await else {
                panic!("the password is right")
            };
            let issued = code(visitor.resume(&request).await);
            let tokens = world.redeem(&issued, "").await.unwrap();
            assert_eq!(world.id_token(&tokens).auth_time, world.now().seconds(), "{rest}");
            world.clock.advance_seconds(6);
        }
        assert_ne!(visitor.cookies.session, session, "the session goes on under a new secret");
        visitor.cookies.session = session;
        login_prompt(visitor.authorize("").await);
    }
}
