use std::sync::Arc;

use regrant_crypto::random;
use regrant_grant::{
    ApprovedFrom, Binding, Birth, CODE_LIFETIME_SECONDS, Code, Generation, Grant, GrantId, GrantSecret, Surroundings,
    Write, end_by_user,
};
use regrant_protocol::{AuthorizationResponse, Scope, Timestamp};
use regrant_store::{Client, OutlivesSession, Scene, Target, decide_in};

use super::due::OFFLINE_ACCESS;
use super::errand::AuthorizationErrand;
use super::proceed::Waiting;
use super::session::LoggedIn;
use super::{Browser, BrowserError, Step, agent};
use crate::code::redirect_uri_digest;
use crate::{AuthorizationServer, Happening};

/// Who approves what, and where from.
#[derive(Clone, Copy)]
pub(super) struct Approval<'a> {
    pub(super) browser: &'a Browser,
    pub(super) errand: &'a AuthorizationErrand,
    pub(super) client: &'a Client,
    pub(super) who: &'a LoggedIn,
    pub(super) waiting: Option<&'a Waiting>,
}

impl AuthorizationServer {
    /// Sends the browser back with a code for `scope`.
    pub(super) async fn give_code(&self, approval: Approval<'_>, scope: Scope) -> Result<Step, BrowserError> {
        self.keys_are_fresh().await?;
        let row = self.issue_code(approval, scope).await?;
        let code = self.keys.code(&row)?;
        let errand = approval.errand;
        let (client, subject) = (&row.client, &row.subject);
        self.tell(&approval.browser.context, Happening::CodeIssued { grant: row.id, client, subject });
        let (redirect_uri, reply) = (errand.redirect_uri.clone(), errand.request.reply());
        Ok(Step::from(AuthorizationResponse::code(&self.issuer, redirect_uri, reply, code)))
    }

    /// Makes the row of the grant, unless client, user or session changed since they were looked at. The same page posted
    /// again finds the row that it made.
    async fn issue_code(&self, approval: Approval<'_>, scope: Scope) -> Result<Grant, BrowserError> {
        let Approval { browser, errand, client, who, .. } = approval;
        let birth = self.birth(approval, scope);
        let target = Target::NewGrant {
            grant: birth.id,
            client: birth.client.clone(),
            user: birth.subject.clone(),
            session: Some(who.session.id),
        };
        let versions = (Some(client.party.version), Some(who.user.version));
        let policy = client.settings.policy;
        let (keys, errand) = (Arc::clone(&self.keys), errand.clone());
        let rule = move |scene: &Scene<'_>| {
            let unchanged = |error| (Err(error), Write::Nothing);
            let Surroundings { client, user, session_ends_at, .. } = scene.surroundings;
            let is_as_it_was = (client.map(|client| client.version), user.map(|user| user.version)) == versions;
            if !is_as_it_was || session_ends_at.is_none_or(|end| end <= scene.now) {
                return unchanged(BrowserError::Changed);
            }
            match scene.grant {
                Some(row) if is_open(row, &birth, scene.now) => return (Ok(row.clone()), Write::Nothing),
                Some(_) => return unchanged(BrowserError::AlreadyAnswered),
                None => {}
            }
            let birth = Birth { code: Some(code(&errand, scene.now)), ..birth.clone() };
            let row = Grant::new(birth, &scene.surroundings, &policy, scene.now);
            if keys.can_make(&row) {
                (Ok(row.clone()), Write::Insert(row))
            } else {
                unchanged(BrowserError::Store(keys.why_not(&row)))
            }
        };
        decide_in(&*self.store, target, Some(browser.context.begin_before()), rule).await?
    }

    /// Ends the grant whose code the same page has led to before, if the code was not used yet, and forgets what was allowed with
    /// it: the user has said no since.
    pub(super) async fn take_back(&self, approval: Approval<'_>) -> Result<(), BrowserError> {
        let Approval { browser, client, who, waiting, .. } = approval;
        let Some(waiting) = waiting else { return Ok(()) };
        let (client, user) = (client.id.clone(), who.user.subject.clone());
        let rule = move |scene: &Scene<'_>| {
            let Some(row) = scene.grant.filter(|row| row.client == client && row.subject == user) else {
                return (Ok(false), Write::Nothing);
            };
            if row.generation == Generation::CODE {
                (Ok(true), end_by_user(row, &user, &scene.surroundings, scene.now).1)
            } else {
                (Err(BrowserError::AlreadyAnswered), Write::Nothing)
            }
        };
        let begin_before = Some(browser.context.begin_before());
        if decide_in(&*self.store, Target::Grant(waiting.grant), begin_before, rule).await?? {
            self.store.forget_consents(&approval.who.user.subject, Some(&approval.client.id)).await?;
        }
        Ok(())
    }

    /// All that is known of the grant before the step; its code begins with the step.
    fn birth(&self, approval: Approval<'_>, scope: Scope) -> Birth {
        let Approval { browser, errand, client, who, waiting } = approval;
        let outlives_session = match client.settings.outlives_session {
            OutlivesSession::Always => true,
            OutlivesSession::WithOfflineAccess => scope.contains(OFFLINE_ACCESS),
        };
        let agent = browser.user_agent.as_deref().and_then(agent::in_words);
        Birth {
            id: waiting.map_or_else(|| GrantId(random(&*self.entropy)), |waiting| waiting.grant),
            secret: GrantSecret::new(random(&*self.entropy)),
            client: client.id.clone(),
            subject: who.user.subject.clone(),
            scope,
            resources: errand.request.resources.clone(),
            binding: Binding::None,
            session: (!outlives_session).then_some(who.session.id),
            approved_from: Some(ApprovedFrom::new(browser.context.source, agent.as_deref())),
            code: None,
            authenticated_at: who.session.authenticated_at,
            kid: self.keys.newest_kid(),
            generation: Generation::CODE,
        }
    }
}

/// Whether the row that a page led to before still has its code to give, to the same answer.
fn is_open(row: &Grant, birth: &Birth, now: Timestamp) -> bool {
    row.client == birth.client
        && row.subject == birth.subject
        && row.scope == birth.scope
        && row.generation == Generation::CODE
        && row.revoked_at.is_none()
        && row.code.as_ref().is_some_and(|code| !code.has_passed(now))
}

fn code(errand: &AuthorizationErrand, now: Timestamp) -> Code {
    Code {
        challenge: errand.request.code_challenge,
        redirect_uri: redirect_uri_digest(&errand.redirect_uri),
        redirect_uri_was_sent: errand.redirect_uri_was_sent,
        nonce: errand.request.nonce.clone(),
        expires_at: now.plus_seconds(i64::from(CODE_LIFETIME_SECONDS)),
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{AuthorizationRequest, ClientId, Params, Profile};
    use regrant_store::{ClientChange, UserChange};

    use super::*;
    use crate::browser::visitor::{Visitor, code, login_prompt};
    use crate::world::World;

    #[tokio::test]
    async fn a_session_that_ends_while_a_page_is_open_gives_no_code() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = visitor.reach_consent("").await;
        let form = visitor.view().await.form;
        let kept = visitor.cookies.clone();
        visitor.log_out(&format!("form={form}")).await.unwrap();
        visitor.cookies = kept;
        login_prompt(visitor.consent(&prompt.request, "decision=allow&allow_0=openid").await);
    }

    #[tokio::test]
    async fn a_grant_outlives_its_session_where_the_client_is_to() {
        for (mode, scope, outlives) in [
            (OutlivesSession::Always, "openid", true),
            (OutlivesSession::WithOfflineAccess, "openid", false),
            (OutlivesSession::WithOfflineAccess, "openid+offline_access", true),
        ] {
            let world = World::new().await;
            world
                .change(|settings| {
                    settings.outlives_session = mode;
                    settings.scope = Scope::parse("openid profile read offline_access").unwrap();
                })
                .await;
            let mut visitor = Visitor::new(&world);
            let prompt = visitor.reach_consent(&format!("scope={scope}")).await;
            let allow = "decision=allow&allow_0=openid&allow_1=offline_access";
            let issued = code(visitor.consent(&prompt.request, allow).await);
            let tokens = world.redeem(&issued, "").await.unwrap();
            let form = visitor.view().await.form;
            visitor.log_out(&format!("form={form}")).await.unwrap();
            assert_eq!(world.refresh(&tokens, "").await.is_ok(), outlives, "{mode:?} {scope}");
        }
    }

    #[tokio::test]
    async fn the_step_sees_what_changed_since_it_was_looked_at() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        let (server, browser) = (&world.server, visitor.browser());
        let query = Params::parse(b"response_type=code").unwrap();
        let request = AuthorizationRequest::parse(&query).unwrap();
        let app = ClientId::parse("app").unwrap();
        let callback = ("https://app.example/cb".to_owned(), true);
        let errand = AuthorizationErrand::new(app.clone(), callback, request, None, world.now());
        let found = server.find_client(&app).await.unwrap();
        let who = server.logged_in(&browser).await.unwrap().unwrap();
        let client = &found.client;
        let approval = Approval { browser: &browser, errand: &errand, client, who: &who, waiting: None };
        let issue = || server.give_code(approval, Scope::empty());
        assert!(issue().await.is_ok());

        server.store().change_client(&app, ClientChange::RaiseCutoff).await.unwrap();
        assert_eq!(issue().await, Err(BrowserError::Changed));
        let found = server.find_client(&app).await.unwrap();
        let approval = Approval { client: &found.client, ..approval };
        let issue = || server.give_code(approval, Scope::empty());
        assert!(issue().await.is_ok());
        server.store().end_session(who.session.id).await.unwrap();
        assert_eq!(issue().await, Err(BrowserError::Changed));
    }

    #[tokio::test]
    async fn what_changed_meanwhile_is_looked_at_again() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = visitor.reach_consent("").await;
        // The engine's copy of the client is old now, and the user's version another.
        world.change(|settings| settings.name = Some("App".to_owned())).await;
        let change = UserChange::Profile { seen_version: 1, profile: Box::<Profile>::default() };
        world.server.store().change_user(&world.alice, change).await.unwrap();
        let issued = code(visitor.consent(&prompt.request, "decision=allow&allow_0=openid").await);
        world.redeem(&issued, "").await.unwrap();
    }
}
