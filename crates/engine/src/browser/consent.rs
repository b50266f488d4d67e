use regrant_protocol::{ErrorCode, Params, Resources, Scope};
use regrant_store::{ClientSettings, Consent, ConsentMode, OutlivesSession, StoreError};

use super::authorize::CONSENT_SCOPES_MAX;
use super::due::OFFLINE_ACCESS;
use super::errand::Errand;
use super::form::required;
use super::issue::Approval;
use super::proceed::{Answer, Waiting};
use super::{AccessEnd, Browser, BrowserError, ClientPresentation, ConsentPrompt, ConsentScope, Next, Step};
use crate::id_token::OPENID;
use crate::token::may_refresh;
use crate::{AuthorizationServer, Happening};

impl AuthorizationServer {
    /// `GET /consent?request=`, where the login page sends the browser: the consent page, or back to the client at once.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn resume(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        self.answer(browser, required(params, "request")?, Answer::None).await
    }

    /// `POST /consent`: the fields `request`, `allow_0`, `allow_1` … with the names of what is allowed, and `decision`, which is
    /// `allow`, `deny` or `switch`.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn consent(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let answer = match required(params, "decision")? {
            "allow" => Answer::Allow(ticked(params)),
            "deny" => Answer::Deny,
            "switch" => Answer::Switch,
            _ => return Err(BrowserError::FieldMissing("decision")),
        };
        self.answer(browser, required(params, "request")?, answer).await
    }

    async fn answer(&self, browser: &Browser, request: &str, answer: Answer) -> Result<Step, BrowserError> {
        let who = self.logged_in(browser).await?;
        let opened = self.open_errand(request, who.map(|who| who.holder()).as_ref()).await?;
        let Errand::Authorize(errand) = opened.errand else { return Ok(Step::from(Next::ToAccount)) };
        if opened.is_current {
            let waiting = Waiting { request: request.to_owned(), grant: opened.grant };
            return self.proceed(browser, *errand, Some(waiting), answer).await;
        }
        // That the user logged in for it is true of the session that it was sealed for.
        let errand = errand.before_login();
        let answer = if answer == Answer::None { Answer::None } else { Answer::Outdated };
        self.proceed(browser, errand, None, answer).await
    }

    /// The consent page.
    pub(super) fn ask_to_consent(
        &self,
        approval: Approval<'_>,
        scope: &Scope,
        is_outdated: bool,
    ) -> Result<Step, StoreError> {
        let Approval { errand, client, who, waiting, .. } = approval;
        let request = match waiting {
            Some(waiting) => waiting.request.clone(),
            None => self.seal_errand(&errand.clone().into(), &who.holder())?,
        };
        let access_end = access_end(&client.settings, scope);
        let is_line = |name: &&str| *name == OPENID || is_choice(name, access_end);
        let line = |name: &str| ConsentScope { name: name.to_owned(), is_required: name == OPENID };
        Ok(Step::from(Next::Consent(ConsentPrompt {
            request,
            client: ClientPresentation::new(client, Some(&errand.redirect_uri)),
            username: who.user.username.to_string(),
            scopes: scope.tokens().filter(is_line).map(line).collect(),
            access_end,
            resources: errand.request.resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            is_outdated,
        })))
    }

    /// The user did not agree: the client is told.
    pub(super) fn deny(&self, approval: Approval<'_>, description: &str) -> Step {
        self.tell_of_consent(approval, false);
        self.refuse(approval.errand, ErrorCode::AccessDenied, description)
    }

    fn tell_of_consent(&self, approval: Approval<'_>, is_given: bool) {
        let (subject, client) = (&approval.who.user.subject, &approval.client.id);
        self.tell(&approval.browser.context, Happening::Consent { subject, client, is_given });
    }

    /// The user agreed to the scope names `ticked`: a code for them, and they are remembered where the client has it so.
    pub(super) async fn agree(
        &self,
        approval: Approval<'_>,
        given: Option<Consent>,
        asked: &Scope,
        ticked: &[String],
    ) -> Result<Step, BrowserError> {
        let allowed = allowed(asked, ticked, access_end(&approval.client.settings, asked));
        // Access that lasts is none without something to have access to.
        if allowed != *asked && allowed.without(OFFLINE_ACCESS).is_empty() {
            return Ok(self.deny(approval, "the user agreed to nothing of the scope"));
        }
        let step = self.give_code(approval, allowed.clone()).await?;
        self.tell_of_consent(approval, true);
        if approval.client.settings.consent == ConsentMode::Remember {
            let resources = approval.errand.request.resources.clone();
            let scope = remembered(given.as_ref(), asked, &allowed, &resources);
            let (user, client) = (approval.who.user.subject.clone(), approval.client.id.clone());
            let consent = Consent { user, client, scope, resources, given_at: self.clock.now() };
            self.store.keep_consent(consent).await?;
        }
        Ok(step)
    }
}

/// The scope names whose boxes came with the form.
fn ticked(params: &Params) -> Vec<String> {
    let fields = (0..CONSENT_SCOPES_MAX).map(|number| format!("allow_{number}"));
    fields.filter_map(|field| params.get(&field).map(str::to_owned)).collect()
}

/// When the access of a client ends that asks for `scope`.
fn access_end(settings: &ClientSettings, scope: &Scope) -> AccessEnd {
    match settings.outlives_session {
        _ if !may_refresh(settings, scope) => AccessEnd::WithAccessToken,
        OutlivesSession::Always => AccessEnd::WhenDisconnected,
        OutlivesSession::WithOfflineAccess if scope.contains(OFFLINE_ACCESS) => AccessEnd::AsTicked,
        OutlivesSession::WithOfflineAccess => AccessEnd::WhenLoggedOut,
    }
}

/// Whether the user can leave out a scope name. `openid` names who it is that agrees; `offline_access` is a choice where it
/// decides when the access ends.
fn is_choice(name: &str, access_end: AccessEnd) -> bool {
    match name {
        OPENID => false,
        OFFLINE_ACCESS => access_end == AccessEnd::AsTicked,
        _ => true,
    }
}

/// What of `asked` is ticked, and what is no choice.
fn allowed(asked: &Scope, ticked: &[String], access_end: AccessEnd) -> Scope {
    let is_left_out = |name: &&str| is_choice(name, access_end) && !ticked.iter().any(|ticked| ticked == name);
    asked.tokens().filter(is_left_out).fold(asked.clone(), |scope, name| scope.without(name))
}

/// The scope that is remembered after `allowed` was chosen of what was `asked` at `resources`: what was given before for the
/// same resources and not asked again stays. For others it does not, or each would be remembered as given at the other's.
fn remembered(given: Option<&Consent>, asked: &Scope, allowed: &Scope, resources: &Resources) -> Scope {
    let is_same = |given: &&Consent| given.resources.is_within(resources) && resources.is_within(&given.resources);
    let Some(given) = given.filter(is_same) else { return allowed.clone() };
    let stays = given.scope.tokens().filter(|name| !asked.contains(name));
    let names: Vec<&str> = stays.chain(allowed.tokens()).collect();
    // More names than a scope may have are too many to remember.
    Scope::parse(&names.join(" ")).unwrap_or_else(|_| allowed.clone())
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{ClientId, GrantType, RedirectUri, Subject, Timestamp};
    use regrant_store::ClientChange;

    use super::*;
    use crate::browser::visitor::{Visitor, code, consent_prompt, login_prompt, told};
    use crate::world::{World, settings};

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn only_what_is_ticked_is_allowed_and_what_is_no_choice() {
        use AccessEnd::{AsTicked, WhenDisconnected};
        for (asked, ticked, access_end, expected) in [
            ("openid read", "openid read", WhenDisconnected, "openid read"),
            ("openid read write", "write", WhenDisconnected, "openid write"),
            ("read write", "write", WhenDisconnected, "write"),
            ("read", "", WhenDisconnected, ""),
            ("read", "write", WhenDisconnected, ""),
            ("openid", "", WhenDisconnected, "openid"),
            ("read offline_access", "read", WhenDisconnected, "read offline_access"),
            ("read offline_access", "read", AsTicked, "read"),
            ("read offline_access", "read offline_access", AsTicked, "read offline_access"),
        ] {
            let ticked: Vec<_> = ticked.split(' ').map(str::to_owned).collect();
            assert_eq!(allowed(&scope(asked), &ticked, access_end), scope(expected), "{asked}: {ticked:?}");
        }
    }

    #[tokio::test]
    async fn oidc_core_section_11_offline_access_is_asked_where_it_decides_when_the_access_ends() {
        use AccessEnd::{AsTicked, WhenDisconnected, WhenLoggedOut, WithAccessToken};
        let without_refresh = vec![GrantType::AuthorizationCode];
        let with_refresh = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        for (mode, grant_types, asked, lines, access_end) in [
            (OutlivesSession::Always, &with_refresh, "read+offline_access", "read", WhenDisconnected),
            (OutlivesSession::Always, &with_refresh, "read", "read", WhenDisconnected),
            (OutlivesSession::Always, &without_refresh, "read+offline_access", "read", WithAccessToken),
            (OutlivesSession::WithOfflineAccess, &with_refresh, "read+offline_access", "read offline_access", AsTicked),
            (OutlivesSession::WithOfflineAccess, &with_refresh, "read", "read", WhenLoggedOut),
        ] {
            let world = World::new().await;
            world
                .change(|settings| {
                    (settings.outlives_session, settings.grant_types) = (mode, grant_types.clone());
                    settings.scope = scope("openid profile read offline_access");
                })
                .await;
            let mut visitor = Visitor::new(&world);
            let prompt = visitor.reach_consent(&format!("scope={asked}")).await;
            let names: Vec<_> = prompt.scopes.iter().map(|line| line.name.as_str()).collect();
            assert_eq!((names.join(" ").as_str(), prompt.access_end), (lines, access_end), "{mode:?} {asked}");
            let nothing =
                told(visitor.consent(&prompt.request, "decision=allow&allow_0=offline_access").await, "error");
            assert_eq!(nothing.as_deref(), Some("access_denied"), "{mode:?} {asked}");
        }
    }

    #[test]
    fn access_ends_with_the_access_token_where_the_refresh_token_hangs_on_more() {
        let settings = ClientSettings { refresh_token_scope: Some(scope("offline")), ..settings() };
        assert_eq!(access_end(&settings, &scope("read")), AccessEnd::WithAccessToken);
        assert_eq!(access_end(&settings, &scope("read offline")), AccessEnd::WhenDisconnected);
    }

    #[test]
    fn what_was_not_asked_again_stays_remembered_for_the_same_resources() {
        let resources = |uri: &str| Resources::parse([uri]).unwrap();
        let given = |scope_text| Consent {
            user: Subject::parse("alice").unwrap(),
            client: ClientId::parse("app").unwrap(),
            scope: scope(scope_text),
            resources: resources("urn:a"),
            given_at: Timestamp::from_seconds(0),
        };
        for (why, given, asked, allowed, at, expected) in [
            ("the first time", None, "a b", "a", "urn:a", "a"),
            ("more", Some(given("a")), "b", "b", "urn:a", "a b"),
            ("taken back", Some(given("a b")), "b c", "c", "urn:a", "a c"),
            ("elsewhere", Some(given("a")), "b", "b", "urn:b", "b"),
        ] {
            let remembered = remembered(given.as_ref(), &scope(asked), &scope(allowed), &resources(at));
            assert_eq!(remembered, scope(expected), "{why}");
        }
    }

    #[tokio::test]
    async fn nobody_is_asked_twice_what_they_have_allowed() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = visitor.reach_consent("scope=openid+read").await;
        assert_eq!(prompt.scopes.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["openid", "read"]);
        let issued = code(visitor.consent(&prompt.request, "decision=allow&allow_0=openid").await);
        assert_eq!(world.redeem(&issued, "").await.unwrap().scope.as_str(), "openid");

        code(visitor.authorize("scope=openid").await);
        code(visitor.authorize("scope=openid&prompt=none").await);
        assert_eq!(
            told(visitor.authorize("scope=read&prompt=none").await, "error").as_deref(),
            Some("consent_required")
        );
        consent_prompt(visitor.authorize("scope=openid+read").await);
        consent_prompt(visitor.authorize("scope=openid&prompt=consent").await);
    }

    #[tokio::test]
    async fn the_same_consent_posted_twice_leads_to_one_grant() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = visitor.reach_consent("").await;
        let allow = "decision=allow&allow_0=openid&allow_1=profile&allow_2=read";
        let first = code(visitor.consent(&prompt.request, allow).await);
        assert_eq!(code(visitor.consent(&prompt.request, allow).await), first);
        world.redeem(&first, "").await.unwrap();
        assert_eq!(visitor.consent(&prompt.request, allow).await, Err(BrowserError::AlreadyAnswered));
        assert_eq!(visitor.view().await.grants.len(), 1);
    }

    #[tokio::test]
    async fn who_does_not_agree_leaves_nothing_behind() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = visitor.reach_consent("scope=read").await;
        for rest in ["decision=deny", "decision=allow", "decision=allow&allow_0=profile"] {
            let told = told(visitor.consent(&prompt.request, rest).await, "error");
            assert_eq!(told.as_deref(), Some("access_denied"), "{rest}");
        }
        consent_prompt(visitor.authorize("scope=read").await);
        login_prompt(visitor.consent(&prompt.request, "decision=switch").await);
    }

    #[tokio::test]
    async fn rfc6749_section_10_12_a_consent_of_another_session_gives_no_code() {
        let world = World::new().await;
        let (mut attacker, mut victim) = (Visitor::new(&world), Visitor::new(&world));
        let foreign = attacker.reach_consent("").await;
        victim.reach_code("").await;
        let allow = "decision=allow&allow_0=openid&allow_1=profile&allow_2=read";
        for rest in [allow, "decision=deny", "decision=switch"] {
            let again = consent_prompt(victim.consent(&foreign.request, rest).await);
            assert!(again.is_outdated && again.request != foreign.request, "{rest}");
        }
        let mut nobody = Visitor::new(&world);
        login_prompt(nobody.consent(&foreign.request, allow).await);
    }

    #[tokio::test]
    async fn what_an_operator_takes_while_a_page_is_open_is_not_given() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = visitor.reach_consent("scope=openid+read").await;
        let allow = "decision=allow&allow_0=openid&allow_1=read";
        world
            .change(|settings| {
                settings.scope = scope("openid");
                settings.default_scope = scope("openid");
            })
            .await;
        assert_eq!(told(visitor.consent(&prompt.request, allow).await, "error").as_deref(), Some("invalid_scope"));
        let elsewhere = RedirectUri::parse("https://app.example/elsewhere").unwrap();
        world.change(|settings| settings.redirect_uris = vec![elsewhere]).await;
        let refused = visitor.consent(&prompt.request, allow).await;
        assert!(matches!(refused, Err(BrowserError::RedirectUriUnknown { .. })), "{refused:?}");
        let app = ClientId::parse("app").unwrap();
        world.server.store().change_client(&app, ClientChange::Enabled(false)).await.unwrap();
        assert_eq!(visitor.consent(&prompt.request, allow).await, Err(BrowserError::ClientDisabled(app)));
    }
}
