use regrant_grant::{Grant, GrantId, Write, end_by_user};
use regrant_protocol::{ClientId, Params};
use regrant_store::{Client, Scene, Target, UserChange, decide_in};

use super::errand::Errand;
use super::form::required;
use super::log_in::Shown;
use super::seal::SealLabel;
use super::session::LoggedIn;
use super::{
    AccountGrant, AccountNotice, AccountView, Browser, BrowserError, Cookie, CookieChange, Next, PasswordProblem, Step,
};
use crate::{AuthorizationServer, Happening, RevokedGrants, Revoker};

impl AuthorizationServer {
    /// `GET /account`: what the user has granted, or the login page. `notice` is what [`Next::ShowNotice`] put into the address.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn account(&self, browser: &Browser, notice: Option<&str>) -> Result<Step, BrowserError> {
        match self.logged_in(browser).await? {
            Some(who) => {
                let notice = match notice {
                    Some(notice) => self.open_notice(&who, notice).await?,
                    None => None,
                };
                self.account_page(&who, notice, None).await
            }
            None => Ok(self.login_page(browser, &Errand::Account, Shown::default())?),
        }
    }

    /// `POST /account/end`: ends one grant, the field `grant`, and forgets what its client was allowed.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn end_grant(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let Some(who) = self.logged_in(browser).await? else { return Ok(Step::from(Next::ToAccount)) };
        self.check_form(&who, params).await?;
        let grant = GrantId::parse(required(params, "grant")?).map_err(|_| BrowserError::UnknownGrant)?;
        let user = &who.user.subject;
        let begin_before = Some(browser.context.begin_before());
        let of_user = {
            let user = user.clone();
            move |scene: &Scene<'_>| {
                let Some(row) = scene.grant else { return (None, Write::Nothing) };
                let (is_theirs, write) = end_by_user(row, &user, &scene.surroundings, scene.now);
                (is_theirs.then(|| row.client.clone()), write)
            }
        };
        let look = {
            let of_user = of_user.clone();
            move |scene: &Scene<'_>| (of_user(scene).0, Write::Nothing)
        };
        let client = decide_in(&*self.store, Target::Grant(grant), begin_before, look).await?;
        let client = client.ok_or(BrowserError::UnknownGrant)?;
        // Before the grant: whoever asks in between is asked, and gets nothing that outlives this.
        self.store.forget_consents(user, Some(&client)).await?;
        decide_in(&*self.store, Target::Grant(grant), begin_before, of_user).await?;
        let (grants, by) = (RevokedGrants::One(grant), Revoker::User);
        self.tell(&browser.context, Happening::Revoked { grants, by });
        let found = self.clients.find(&*self.store, &client).await?;
        let name = client_name(&client, found.as_ref().map(|found| &found.client));
        Ok(Step::from(self.show_notice(&who, AccountNotice::Disconnected(name))?))
    }

    /// `POST /account/end-all`: ends every grant of the user, and forgets what clients were allowed.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn end_all_grants(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let Some(who) = self.logged_in(browser).await? else { return Ok(Step::from(Next::ToAccount)) };
        self.check_form(&who, params).await?;
        self.end_everything_granted(browser, &who).await?;
        Ok(Step::from(self.show_notice(&who, AccountNotice::EverythingDisconnected)?))
    }

    /// `POST /account/log-out`: ends the login session of this browser.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn log_out(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let cookie = match self.logged_in(browser).await? {
            Some(who) => {
                self.check_form(&who, params).await?;
                self.end_login(browser, &who).await?
            }
            None => CookieChange::Clear(Cookie::Session),
        };
        Ok(Step { next: Next::LoggedOut, cookies: vec![cookie] })
    }

    /// Checks that a form is one that we gave to this login session.
    pub(super) async fn check_form(&self, who: &LoggedIn, params: &Params) -> Result<(), BrowserError> {
        let unsealed = self.unseal(SealLabel::Form, &form_place(who), required(params, "form")?).await?;
        unsealed.map(drop).ok_or(BrowserError::ForeignForm)
    }

    /// Ends every grant of a user, and forgets what clients were allowed.
    pub(super) async fn end_everything_granted(&self, browser: &Browser, who: &LoggedIn) -> Result<(), BrowserError> {
        let user = &who.user.subject;
        // Before the cutoff: a code that an old consent gives in between is below it.
        self.store.forget_consents(user, None).await?;
        self.store.change_user(user, UserChange::RaiseCutoff).await?;
        let (grants, by) = (RevokedGrants::OfUser(user), Revoker::User);
        self.tell(&browser.context, Happening::Revoked { grants, by });
        Ok(())
    }

    /// The account page.
    pub(super) async fn account_page(
        &self,
        who: &LoggedIn,
        notice: Option<AccountNotice>,
        password_problem: Option<PasswordProblem>,
    ) -> Result<Step, BrowserError> {
        let mut grants = Vec::new();
        for grant in self.store.grants_of(&who.user.subject).await? {
            let client = self.clients.find(&*self.store, &grant.client).await?;
            grants.push(describe(&grant, client.as_ref().map(|found| &found.client)));
        }
        Ok(Step::from(Next::Account(AccountView {
            form: self.seal(SealLabel::Form, &form_place(who), &[])?,
            username: who.user.username.to_string(),
            name: who.user.profile.name.clone(),
            has_password: who.user.credential.is_some(),
            authenticated_at: who.session.authenticated_at,
            grants,
            notice,
            password_problem,
        })))
    }
}

/// What a seal counts for that the account page carries: this login session.
pub(super) fn form_place(who: &LoggedIn) -> [&[u8]; 2] {
    [&who.session.id.0, who.user.subject.as_str().as_bytes()]
}

fn describe(grant: &Grant, client: Option<&Client>) -> AccountGrant {
    let settings = client.map(|client| &client.settings);
    AccountGrant {
        id: grant.id.to_string(),
        client: client_name(&grant.client, client),
        client_uri: settings.and_then(|settings| settings.client_uri.clone()),
        scopes: grant.scope.tokens().map(str::to_owned).collect(),
        created_at: grant.created_at,
        used_at: grant.rotated_at,
        expires_at: grant.refresh_expires_at(),
        approved_from: grant.approved_from.clone(),
        ends_with_session: grant.session.is_some(),
    }
}

/// What people call a client: its name, or its identifier when it has none.
fn client_name(id: &ClientId, client: Option<&Client>) -> String {
    let name = client.and_then(|client| client.settings.name.clone());
    name.unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::visitor::{Visitor, consent_prompt, login_prompt};
    use crate::world::World;

    #[tokio::test]
    async fn a_user_sees_their_grants_and_ends_them() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        let prompt = login_prompt(visitor.account().await);
        assert_eq!(prompt.client, None);
        assert_eq!(visitor.log_in(&prompt.request, "alice", "wonderland").await, Ok(Next::ToAccount));
        assert_eq!(visitor.view().await.grants, []);

        let first = world.redeem(&visitor.reach_code_again("").await, "").await.unwrap();
        world.clock.advance_seconds(1);
        let second = world.redeem(&visitor.reach_code_again("scope=read").await, "").await.unwrap();
        let view = visitor.view().await;
        assert_eq!((view.username.as_str(), view.name.as_deref()), ("alice", Some("Alice")));
        let scopes: Vec<_> = view.grants.iter().map(|grant| grant.scopes.join(" ")).collect();
        assert_eq!(scopes, ["read", "openid profile read"], "the newest first");
        let from = view.grants[0].approved_from.as_ref().and_then(|from| from.agent.as_deref());
        assert_eq!(from, Some("Edge on Windows"));

        let body = format!("form={}&grant={}", view.form, view.grants[0].id);
        let Ok(Next::ShowNotice(notice)) = visitor.end_grant(&body).await else { panic!("it is said what was done") };
        assert_eq!(visitor.view_with(&notice).await.notice, Some(AccountNotice::Disconnected("app".to_owned())));
        assert!(world.refresh(&second, "").await.is_err());
        let first = world.refresh(&first, "").await.unwrap();
        consent_prompt(visitor.authorize("").await);

        assert!(matches!(visitor.end_all_grants(&format!("form={}", view.form)).await, Ok(Next::ShowNotice(_))));
        assert!(world.refresh(&first, "").await.is_err());
        assert_eq!(visitor.view().await.grants, []);
    }

    #[tokio::test]
    async fn rfc6749_section_10_12_a_form_of_another_session_does_nothing() {
        let world = World::new().await;
        let (mut attacker, mut victim) = (Visitor::new(&world), Visitor::new(&world));
        attacker.reach_code("").await;
        let tokens = world.redeem(&victim.reach_code("").await, "").await.unwrap();
        let (foreign, grant) = (attacker.view().await.form, victim.view().await.grants[0].id.clone());
        let body = format!(
            "form={foreign}&grant={grant}&current_password=wonderland&new_password=looking-glass\
                           &new_password_again=looking-glass"
        );
        let refused = Err(BrowserError::ForeignForm);
        assert_eq!(victim.end_grant(&body).await, refused);
        assert_eq!(victim.end_all_grants(&body).await, refused);
        assert_eq!(victim.change_password(&body).await, refused);
        assert_eq!(victim.log_out(&body).await, refused);
        assert_eq!(victim.end_grant(&format!("grant={grant}")).await, Err(BrowserError::FieldMissing("form")));
        assert!(world.refresh(&tokens, "").await.is_ok());
    }

    #[tokio::test]
    async fn who_logs_out_is_asked_for_the_password_again() {
        let world = World::new().await;
        let mut visitor = Visitor::new(&world);
        visitor.reach_code("").await;
        let kept = visitor.cookies.clone();
        let form = visitor.view().await.form;
        assert_eq!(visitor.log_out(&format!("form={form}")).await, Ok(Next::LoggedOut));
        assert_eq!(visitor.cookies.session, None);
        visitor.cookies = kept;
        login_prompt(visitor.authorize("").await);
    }
}
