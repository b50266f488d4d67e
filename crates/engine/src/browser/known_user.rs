use regrant_protocol::{IdentifierError, Profile, Subject, Timestamp, Username};
use regrant_store::{ChangeError, User, UserChange, UserStatus};

use super::errand::Holder;
use super::log_in::without_cookie;
use super::{Browser, BrowserError, LoginProblem, Step};
use crate::client_authentication::ATTEMPTS_MAX;
use crate::{AuthorizationServer, Happening, LogInOutcome};

/// A user whom the program around the server knows and has authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// The `sub` of their tokens. It never changes and is never given to another; no client may be called so.
    pub subject: Subject,
    /// What they are called on the pages and at introspection: as it was when they were seen first, and no other user's.
    pub username: Username,
    /// What clients may learn about them, when they let them. What is kept is replaced by it.
    pub profile: Profile,
    /// When they proved who they are; `None` for just now, for this very request.
    pub authenticated_at: Option<Timestamp>,
}

impl KnownUser {
    /// A user who has proved just now who they are, and of whom clients learn no more than the subject.
    ///
    /// # Errors
    /// Says what is wrong with the subject or the login name.
    pub fn new(subject: &str, username: &str) -> Result<Self, IdentifierError> {
        Ok(Self {
            subject: Subject::parse(subject)?,
            username: Username::parse(username)?,
            profile: Profile::default(),
            authenticated_at: None,
        })
    }
}

impl AuthorizationServer {
    /// What a login page of the program around does in place of [`AuthorizationServer::log_in`]: the user has proved to it who
    /// they are, and goes on with `request`, which the login page was opened with. From the first time on the user is kept,
    /// without a password.
    ///
    /// Who calls this vouches for the user. A request that another browser was given, or that was open for too long, logs
    /// nobody in: the browser is sent to the login page again. The same happens when the client asks for a newer proof than
    /// [`KnownUser::authenticated_at`]; see [`LoginPrompt::authenticated_after`](super::LoginPrompt::authenticated_after).
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page: also for a user who is locked or disabled here.
    pub async fn log_in_as(&self, browser: &Browser, request: &str, known: KnownUser) -> Result<Step, BrowserError> {
        let (id, _) = self.browser_id(browser);
        let opened = self.open_errand(request, Some(&Holder::Browser(id))).await?;
        if !opened.is_current {
            let problem = without_cookie(browser).unwrap_or(LoginProblem::Outdated);
            return self.ask_again(browser, &opened.errand, known.username.as_str(), problem).await;
        }
        let user = self.keep_known_user(&known).await?;
        if user.status != UserStatus::Active {
            let (subject, outcome) = (Some(&user.subject), LogInOutcome::UserDisabled);
            self.tell(&browser.context, Happening::LogIn { subject, outcome });
            return Err(BrowserError::UserDisabled(user.subject));
        }
        let now = self.clock.now();
        let authenticated_at = known.authenticated_at.map_or(now, |at| at.min(now));
        let (who, session_cookie) = self.begin_session(browser, user, authenticated_at).await?;
        let next = self.go_on(opened.errand, &who.holder(), known.authenticated_at)?;
        Ok(Step { next, cookies: vec![session_cookie, id.set()] })
    }

    /// What a login page of the program around does for who would rather not log in: the client is told.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn cancel_log_in(&self, browser: &Browser, request: &str) -> Result<Step, BrowserError> {
        let (id, _) = self.browser_id(browser);
        let opened = self.open_errand(request, Some(&Holder::Browser(id))).await?;
        if opened.is_current {
            self.cancel(&opened.errand).await
        } else {
            let problem = without_cookie(browser).unwrap_or(LoginProblem::Outdated);
            self.ask_again(browser, &opened.errand, "", problem).await
        }
    }

    /// The user as they are kept, with the profile of this moment.
    async fn keep_known_user(&self, known: &KnownUser) -> Result<User, BrowserError> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(user) = self.store.user(&known.subject).await? else {
                match self.store.add_user(new_user(known)).await {
                    Ok(()) => {}
                    Err(ChangeError::Store(error)) => return Err(error.into()),
                    // It may be this very user, who logs in with two browsers at once.
                    Err(_) if self.store.user(&known.subject).await?.is_some() => {}
                    Err(error) => return Err(BrowserError::UserNotKept { subject: known.subject.clone(), error }),
                }
                continue;
            };
            if user.profile == known.profile {
                return Ok(user);
            }
            let change = UserChange::Profile { seen_version: user.version, profile: Box::new(known.profile.clone()) };
            match self.store.change_user(&known.subject, change).await {
                // Whatever was changed meanwhile is read with the user, who is returned as they are then.
                Ok(()) | Err(ChangeError::Outdated(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(BrowserError::Changed)
    }
}

fn new_user(known: &KnownUser) -> User {
    User {
        subject: known.subject.clone(),
        username: known.username.clone(),
        credential: None,
        status: UserStatus::Active,
        profile: known.profile.clone(),
        cutoff: 0,
        version: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::Next;
    use crate::browser::visitor::{Visitor, code, consent_prompt, login_prompt, told};
    use crate::world::World;

    const ALLOW: &str = "decision=allow&allow_0=openid&allow_1=profile&allow_2=read";

    fn ada() -> KnownUser {
        KnownUser {
            profile: Profile { name: Some("Ada".to_owned()), ..Profile::default() },
            ..KnownUser::new("ada-1815", "ada").unwrap()
        }
    }

    async fn log_in(visitor: &mut Visitor<'_>, rest: &str, known: &KnownUser) -> Result<Next, BrowserError> {
        let prompt = login_prompt(visitor.authorize(rest).await);
        visitor.log_in_as(&prompt.request, known).await
    }

    /// Where a login that succeeded leads to.
    async fn go_on(visitor: &mut Visitor<'_>, step: Result<Next, BrowserError>) -> Result<Next, BrowserError> {
        let Ok(Next::Resume(request)) = step else { panic!("not logged in: {step:?}") };
        visitor.resume(&request).await
    }

    #[tokio::test]
    async fn a_user_whom_the_program_knows_gets_a_code_and_is_kept_without_a_password() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let step = log_in(&mut visitor, "state=s", &ada()).await;
        let prompt = consent_prompt(go_on(&mut visitor, step).await);
        assert_eq!(prompt.username, "ada");
        let tokens = world.redeem(&code(visitor.consent(&prompt.request, ALLOW).await), "").await.unwrap();
        let claims = world.id_token(&tokens);
        assert_eq!((claims.sub.as_str(), claims.auth_time), ("ada-1815", world.now().seconds()));
        assert_eq!((claims.acr, claims.amr), (None, Vec::new()), "nobody here knows how");
        let alice = Visitor::new(&world).reach_code("").await;
        assert!(world.id_token(&world.redeem(&alice, "").await.unwrap()).acr.is_some());

        let kept = world.server.store().user(&ada().subject).await.unwrap().unwrap();
        assert_eq!((&kept.credential, &kept.profile), (&None, &ada().profile));
        let view = visitor.view().await;
        assert_eq!((view.has_password, view.username.as_str(), view.name.as_deref()), (false, "ada", Some("Ada")));
        let body =
            format!("form={}&current_password=&new_password=looking-glass&new_password_again=looking-glass", view.form);
        assert_eq!(visitor.change_password(&body).await, Ok(Next::ToAccount));
        assert_eq!(world.server.store().user(&ada().subject).await.unwrap().unwrap().credential, None);
        world.refresh(&tokens, "").await.unwrap();
    }

    #[tokio::test]
    async fn a_later_profile_is_taken_over_and_the_same_one_is_not_written() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let later = KnownUser { profile: Profile::default(), ..ada() };
        for (known, version) in [(ada(), 1), (ada(), 1), (later, 2)] {
            let step = log_in(&mut visitor, "prompt=login", &known).await;
            assert!(matches!(step, Ok(Next::Resume(_))), "{step:?}");
            let kept = world.server.store().user(&known.subject).await.unwrap().unwrap();
            assert_eq!((kept.profile, kept.version), (known.profile, version));
        }
    }

    #[tokio::test]
    async fn a_request_that_is_not_this_browsers_or_is_old_logs_nobody_in() {
        let world = World::new().await;
        let (mut attacker, mut victim) = (Visitor::new(&world), Visitor::new(&world));
        let prompt = login_prompt(attacker.authorize("").await);
        for problem in [LoginProblem::NoCookie, LoginProblem::Outdated] {
            let again = login_prompt(victim.log_in_as(&prompt.request, &ada()).await);
            assert_eq!((again.problem, &victim.cookies.session), (Some(problem), &None));
        }
        let again = login_prompt(victim.authorize("").await);
        assert_eq!(world.server.store().user(&ada().subject).await, Ok(None));
        world.clock.advance_seconds(600);
        let again = login_prompt(victim.log_in_as(&again.request, &ada()).await);
        assert_eq!(again.problem, Some(LoginProblem::Outdated));
        assert!(matches!(victim.log_in_as(&again.request, &ada()).await, Ok(Next::Resume(_))));
        assert_eq!(victim.log_in_as("AAAA", &ada()).await, Err(BrowserError::NotOurs));
    }

    #[tokio::test]
    async fn who_is_locked_or_disabled_here_is_not_logged_in() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        log_in(&mut visitor, "", &ada()).await.unwrap();
        visitor.cookies.session = None;
        for status in [UserStatus::Locked, UserStatus::Disabled] {
            world.server.store().change_user(&ada().subject, UserChange::Status(status)).await.unwrap();
            let refused = log_in(&mut visitor, "", &ada()).await;
            assert_eq!((refused, &visitor.cookies.session), (Err(BrowserError::UserDisabled(ada().subject)), &None));
        }
    }

    #[tokio::test]
    async fn a_name_that_is_somebody_elses_is_refused() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        for (subject, username, taken) in [("ada-1815", "alice", "alice"), ("app", "ada", "app")] {
            let refused = log_in(&mut visitor, "", &KnownUser::new(subject, username).unwrap()).await;
            let error = ChangeError::Taken(taken.to_owned());
            assert_eq!(refused, Err(BrowserError::UserNotKept { subject: Subject::parse(subject).unwrap(), error }));
        }
        let first = log_in(&mut visitor, "", &ada()).await;
        let mut other = Visitor::new(&world);
        assert!(first.is_ok() && log_in(&mut other, "", &ada()).await.is_ok(), "the same user again");
    }

    #[tokio::test]
    async fn oidc_core_section_3_1_2_1_an_older_proof_is_accepted_as_far_as_the_client_accepts_it() {
        let world = World::new().await;
        let proved =
            |seconds_ago: i64| KnownUser { authenticated_at: Some(world.now().plus_seconds(-seconds_ago)), ..ada() };
        for (rest, seconds_ago, oldest_seconds_ago, is_accepted) in [
            ("", 1_000, None, true),
            ("max_age=60", 60, Some(60), true),
            ("max_age=60", 61, Some(60), false),
            ("max_age=0", 1, Some(0), false),
            ("prompt=login", 1, Some(0), false),
            ("prompt=login", 0, Some(0), true),
            ("prompt=login", -5, Some(0), true),
        ] {
            let mut visitor = Visitor::new(&world);
            let prompt = login_prompt(visitor.authorize(&format!("{rest}&scope=openid")).await);
            let oldest = oldest_seconds_ago.map(|seconds: i64| world.now().plus_seconds(-seconds));
            assert_eq!(prompt.authenticated_after, oldest, "{rest}");
            let step = visitor.log_in_as(&prompt.request, &proved(seconds_ago)).await;
            let next = go_on(&mut visitor, step).await;
            if !is_accepted {
                let again = login_prompt(next);
                let step = visitor.log_in_as(&again.request, &ada()).await;
                consent_prompt(go_on(&mut visitor, step).await);
                continue;
            }
            let consent = consent_prompt(next);
            let tokens = world.redeem(&code(visitor.consent(&consent.request, ALLOW).await), "").await.unwrap();
            let auth_time = world.now().seconds() - seconds_ago.max(0);
            assert_eq!(world.id_token(&tokens).auth_time, auth_time, "{rest} {seconds_ago}");
            world.server.store().forget_consents(&ada().subject, None).await.unwrap();
            world.clock.advance_seconds(1);
        }
    }

    #[tokio::test]
    async fn an_older_proof_takes_nothing_from_a_newer_one_of_the_same_session() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let earlier = KnownUser { authenticated_at: Some(world.now().plus_seconds(-100)), ..ada() };
        let prompt = login_prompt(visitor.authorize("").await);
        for known in [ada(), earlier] {
            visitor.log_in_as(&prompt.request, &known).await.unwrap();
            consent_prompt(visitor.authorize("max_age=50").await);
        }
    }

    #[tokio::test]
    async fn who_is_to_be_another_has_to_prove_it_now() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let step = log_in(&mut visitor, "", &ada()).await;
        let consent = consent_prompt(go_on(&mut visitor, step).await);
        let prompt = login_prompt(visitor.consent(&consent.request, "decision=switch").await);
        assert_eq!(prompt.authenticated_after, Some(world.now()));
    }

    #[tokio::test]
    async fn who_would_rather_not_log_in_is_sent_back_and_the_account_says_goodbye() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = login_prompt(visitor.authorize("").await);
        let step = visitor.cancel_log_in(&prompt.request).await;
        assert_eq!(told(step, "error").as_deref(), Some("access_denied"));
        let mut other = Visitor::new(&world);
        login_prompt(other.cancel_log_in(&prompt.request).await);
        let prompt = login_prompt(visitor.account().await);
        assert_eq!(visitor.log_in_as(&prompt.request, &ada()).await, Ok(Next::ToAccount));
    }
}
