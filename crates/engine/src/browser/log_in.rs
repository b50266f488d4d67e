use regrant_protocol::{ErrorCode, Params, Secret, Timestamp};
use regrant_store::{Client, StoreError, User};

use super::errand::{AuthorizationErrand, Errand, Holder};
use super::form::required;
use super::session::LoggedIn;
use super::{Browser, BrowserError, ClientPresentation, LoginProblem, LoginPrompt, Next, Step};
use crate::AuthorizationServer;

/// What the login page shows beside the request itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    client: Option<ClientPresentation>,
    username: Option<String>,
    authenticated_after: Option<Timestamp>,
    problem: Option<LoginProblem>,
}

impl AuthorizationServer {
    /// `POST /login`: the fields `request`, `username`, `password`, and `action=cancel` from who would rather not.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page. A wrong password is none: the login page says so.
    pub async fn log_in(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let (id, _) = self.browser_id(browser);
        let opened = self.open_errand(required(params, "request")?, Some(&Holder::Browser(id))).await?;
        let username = params.get("username").unwrap_or_default();
        if !opened.is_current {
            let problem = without_cookie(browser).unwrap_or(LoginProblem::Outdated);
            return self.ask_again(browser, &opened.errand, username, problem).await;
        }
        // A program that submits the form for its user names no button.
        if params.get("action") == Some("cancel") {
            return self.cancel(&opened.errand).await;
        }
        let password = Secret::new(params.get("password").unwrap_or_default().to_owned());
        match self.attempt_login(browser, username, &password).await? {
            Ok(user) => {
                let (who, session_cookie) = self.begin_session(browser, user, self.clock.now()).await?;
                let cookies = vec![session_cookie, id.set(), self.remember(id, &who.user)?];
                Ok(Step { next: self.go_on(opened.errand, &who.holder(), None)?, cookies })
            }
            Err(problem) => self.ask_again(browser, &opened.errand, username, problem).await,
        }
    }

    /// Where who has logged in goes on. `authenticated_at` is when they proved who they are; `None` for just now.
    pub(super) fn go_on(
        &self,
        errand: Errand,
        holder: &Holder,
        authenticated_at: Option<Timestamp>,
    ) -> Result<Next, StoreError> {
        Ok(match errand {
            Errand::Authorize(errand) => {
                let is_for_this = authenticated_at.is_none_or(|at| at >= errand.asked_at());
                let errand = if is_for_this { errand.after_login() } else { errand.before_login() };
                Next::Resume(self.seal_errand(&errand.into(), holder)?)
            }
            Errand::Account | Errand::LogOut(_) => Next::ToAccount,
        })
    }

    /// The user would rather not log in: the client is told, and nobody is logged in by it (OpenID Connect Core §3.1.2.6).
    pub(super) async fn cancel(&self, errand: &Errand) -> Result<Step, BrowserError> {
        match errand {
            Errand::Authorize(errand) => {
                self.client_of(errand).await?;
                Ok(self.refuse(errand, ErrorCode::AccessDenied, "the user did not log in"))
            }
            Errand::Account | Errand::LogOut(_) => Ok(Step::from(Next::LoggedOut)),
        }
    }

    pub(super) async fn ask_again(
        &self,
        browser: &Browser,
        errand: &Errand,
        username: &str,
        problem: LoginProblem,
    ) -> Result<Step, BrowserError> {
        let (client, authenticated_after) = match errand {
            Errand::Authorize(errand) => {
                let found = self.client_of(errand).await?;
                let client = ClientPresentation::new(&found.client, Some(&errand.redirect_uri));
                (Some(client), errand.oldest_authentication())
            }
            Errand::Account | Errand::LogOut(_) => (None, None),
        };
        let username = Some(username).filter(|username| !username.is_empty()).map(str::to_owned);
        let shown = Shown { client, username, authenticated_after, problem: Some(problem) };
        Ok(self.login_page(browser, errand, shown)?)
    }

    /// The login page for an authorization. Whatever was entered before, the user has to log in for this. It begins with the
    /// name of the user who has to be the one; else with the one that the client expects, or that is logged in already.
    pub(super) fn ask_to_log_in(
        &self,
        browser: &Browser,
        errand: &AuthorizationErrand,
        client: &Client,
        who: Option<&LoggedIn>,
        problem: Option<LoginProblem>,
    ) -> Result<Step, StoreError> {
        let is_expected = |user: &User| errand.expected_user.as_ref().is_none_or(|expected| *expected == user.subject);
        let user = who.map(|who| &who.user).filter(|user| is_expected(user));
        let hint = errand.request.login_hint.as_deref();
        let logged_in = user.map(|user| user.username.as_str());
        let username = if errand.expected_user.is_some() { logged_in.or(hint) } else { hint.or(logged_in) };
        // What came with an answer that does not count came from a page for somebody who was logged in.
        let is_logged_out = problem.is_some() && who.is_none();
        let logged_out = || without_cookie(browser).unwrap_or(LoginProblem::LoggedOut);
        let problem = if is_logged_out { Some(logged_out()) } else { problem };
        let must_be_another = user.is_none() && who.is_some();
        let shown = Shown {
            client: Some(ClientPresentation::new(client, Some(&errand.redirect_uri))),
            username: username.map(str::to_owned),
            authenticated_after: must_be_another.then(|| errand.asked_at()).or(errand.oldest_authentication()),
            problem,
        };
        self.login_page(browser, &errand.clone().before_login().into(), shown)
    }

    /// The login page for an authorization by another user than the one who is logged in.
    pub(super) fn ask_for_another_user(
        &self,
        browser: &Browser,
        errand: &AuthorizationErrand,
        client: &Client,
    ) -> Result<Step, StoreError> {
        let shown = Shown {
            client: Some(ClientPresentation::new(client, Some(&errand.redirect_uri))),
            username: errand.request.login_hint.clone(),
            authenticated_after: Some(self.clock.now()),
            problem: None,
        };
        self.login_page(browser, &errand.clone().before_login().into(), shown)
    }

    /// The login page, for this browser.
    pub(super) fn login_page(&self, browser: &Browser, errand: &Errand, shown: Shown) -> Result<Step, StoreError> {
        let (id, new_cookie) = self.browser_id(browser);
        let request = self.seal_errand(errand, &Holder::Browser(id))?;
        let Shown { client, username, authenticated_after, problem } = shown;
        let prompt = LoginPrompt { request, client, username, authenticated_after, problem };
        Ok(Step { next: Next::LogIn(prompt), cookies: new_cookie.into_iter().collect() })
    }
}

/// That the browser keeps no cookies, as far as one can tell: every login page gives one, and its form brought none along.
pub(super) fn without_cookie(browser: &Browser) -> Option<LoginProblem> {
    browser.cookies.browser.is_none().then_some(LoginProblem::NoCookie)
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
        login_prompt(victim.authorize("").await);
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
    async fn a_browser_is_known_until_the_password_is_another() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        let browser = visitor.browser();
        let known = async || world.server.known_browser(&browser, "alice").await.unwrap().is_some();
        assert!(known().await);
        assert!(world.server.known_browser(&browser, "nobody").await.unwrap().is_none());
        let form = visitor.view().await.form;
        let fields = "current_password=wonderland&new_password=looking-glass&new_password_again=looking-glass";
        visitor.change_password(&format!("form={form}&{fields}")).await.unwrap();
        assert!(!known().await);
    }

    #[tokio::test]
    async fn a_browser_without_cookies_is_told_so_and_who_was_logged_out_too() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = login_prompt(visitor.authorize("").await);
        visitor.cookies.browser = None;
        let again = login_prompt(visitor.log_in(&prompt.request, "alice", "wonderland").await);
        assert_eq!(again.problem, Some(LoginProblem::NoCookie));
        let outdated = login_prompt(visitor.log_in(&prompt.request, "alice", "wonderland").await);
        assert_eq!(outdated.problem, Some(LoginProblem::Outdated), "another cookie");

        let prompt = visitor.reach_consent("").await;
        let allow = "decision=allow&allow_0=openid";
        visitor.cookies.session = None;
        let asked = login_prompt(visitor.consent(&prompt.request, allow).await);
        assert_eq!(asked.problem, Some(LoginProblem::LoggedOut));
        visitor.cookies.browser = None;
        let asked = login_prompt(visitor.consent(&prompt.request, allow).await);
        assert_eq!(asked.problem, Some(LoginProblem::NoCookie));
    }

    #[tokio::test]
    async fn oidc_core_section_3_1_2_1_the_login_page_begins_with_the_hint_unless_the_user_is_known() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let tokens = world.redeem(&visitor.reach_code("").await, "").await.unwrap();
        let id_token = tokens.id_token.unwrap().expose().to_owned();
        for (rest, expected) in [
            ("prompt=login".to_owned(), "alice"),
            ("prompt=login&login_hint=bob".to_owned(), "bob"),
            ("max_age=0&login_hint=bob".to_owned(), "bob"),
            (format!("prompt=login&login_hint=bob&id_token_hint={id_token}"), "alice"),
        ] {
            let prompt = login_prompt(visitor.authorize(&rest).await);
            assert_eq!(prompt.username.as_deref(), Some(expected), "{rest}");
        }
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
