use regrant_crypto::random;
use regrant_grant::SessionId;
use regrant_protocol::Timestamp;
use regrant_store::{Session, StoreError, User, UserStatus};

use super::cookies::{BrowserId, SessionCookie};
use super::errand::Holder;
use super::{Browser, BrowserError, Cookie, CookieChange};
use crate::{AuthorizationServer, Happening, LogInOutcome};

/// Who is logged in, as the cookie of the browser proves.
#[derive(Clone, Debug)]
pub(super) struct LoggedIn {
    pub(super) session: Session,
    pub(super) user: User,
}

impl LoggedIn {
    pub(super) fn holder(&self) -> Holder {
        Holder::Session(self.session.id, self.user.subject.clone())
    }
}

impl AuthorizationServer {
    /// Who is logged in with this browser: the session lives, its secret is right, and its user may be logged in.
    pub(super) async fn logged_in(&self, browser: &Browser) -> Result<Option<LoggedIn>, StoreError> {
        let Some(cookie) = browser.cookies.session.as_ref().and_then(SessionCookie::parse) else { return Ok(None) };
        let now = self.clock.now();
        let session = self.store.session(cookie.id).await?;
        let is_alive = |session: &Session| cookie.is_of(&session.secret_digest) && now < session.expires_at;
        let Some(session) = session.filter(is_alive) else { return Ok(None) };
        let user = self.store.user(&session.user).await?.filter(|user| user.status == UserStatus::Active);
        Ok(user.map(|user| LoggedIn { session, user }))
    }

    /// Begins the session of a user who has proved who they are, or goes on with the one that the same user has
    /// in this browser, under a new secret.
    ///
    /// Fails with [`BrowserError::Changed`] when user or session changed since then: the password may be another by now.
    pub(super) async fn begin_session(
        &self,
        browser: &Browser,
        user: User,
        authenticated_at: Timestamp,
    ) -> Result<(LoggedIn, CookieChange), BrowserError> {
        let before = self.logged_in(browser).await?.map(|before| before.session);
        let same = before.as_ref().filter(|session| session.user == user.subject);
        let now = self.clock.now();
        let id = same.map_or_else(|| SessionId(random(&*self.entropy)), |session| session.id);
        let cookie = SessionCookie::new(id, random(&*self.entropy));
        let session = Session {
            id,
            secret_digest: cookie.secret_digest(),
            user: user.subject.clone(),
            created_at: same.map_or(now, |session| session.created_at),
            authenticated_at: same.map_or(authenticated_at, |session| session.authenticated_at.max(authenticated_at)),
            expires_at: now.plus_seconds(i64::from(self.session_seconds)),
        };
        self.store.keep_session(session.clone()).await?;
        // A change of the password ends the sessions that it finds: one that was made meanwhile ends itself.
        let is_as_it_was = self.store.user(&user.subject).await?.is_some_and(|now| now.version == user.version);
        if !is_as_it_was {
            self.store.end_session(id).await?;
            return Err(BrowserError::Changed);
        }
        if let Some(other) = before.filter(|session| session.id != id) {
            self.store.end_session(other.id).await?;
        }
        let (subject, outcome) = (Some(&user.subject), LogInOutcome::LoggedIn);
        self.tell(&browser.context, Happening::LogIn { subject, outcome });
        Ok((LoggedIn { session, user }, cookie.set(self.session_seconds)))
    }

    /// Ends a session, and with it the grants that do not outlive it. The answer takes its cookie away.
    pub(super) async fn end_login(&self, browser: &Browser, who: &LoggedIn) -> Result<CookieChange, StoreError> {
        self.store.end_session(who.session.id).await?;
        self.tell(&browser.context, Happening::LogOut { subject: &who.user.subject });
        Ok(CookieChange::Clear(Cookie::Session))
    }

    /// The browser as it is known, or as it will be from now on, and the cookie that makes it so.
    pub(super) fn browser_id(&self, browser: &Browser) -> (BrowserId, Option<CookieChange>) {
        match browser.cookies.browser.as_ref().and_then(BrowserId::parse) {
            Some(known) => (known, None),
            None => {
                let new = BrowserId(random(&*self.entropy));
                (new, Some(new.set()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{Profile, Secret};
    use regrant_store::UserChange;

    use super::*;
    use crate::browser::Next;
    use crate::browser::visitor::{Visitor, login_prompt};
    use crate::world::World;

    #[tokio::test]
    async fn a_session_ends_with_its_time_and_while_its_user_is_locked() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        for status in [UserStatus::Locked, UserStatus::Disabled] {
            world.server.store().change_user(&world.alice, UserChange::Status(status)).await.unwrap();
            login_prompt(visitor.account().await);
        }
        world.server.store().change_user(&world.alice, UserChange::Status(UserStatus::Active)).await.unwrap();
        world.clock.advance_seconds(world.server.session_seconds - 1);
        visitor.view().await;
        world.clock.advance_seconds(1);
        login_prompt(visitor.account().await);
    }

    #[tokio::test]
    async fn another_user_in_the_same_browser_begins_another_session() {
        let world = World::new().await;
        let password = Secret::new("wonderland".to_owned());
        world.server.register_user("bob", password, Profile::default()).await.unwrap();
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        let of_alice = visitor.cookies.clone();
        let prompt = login_prompt(visitor.authorize("prompt=login").await);
        assert!(matches!(visitor.log_in(&prompt.request, "bob", "wonderland").await, Ok(Next::Resume(_))));
        assert_eq!(visitor.view().await.username, "bob");
        visitor.cookies = of_alice;
        login_prompt(visitor.account().await);
    }
}
