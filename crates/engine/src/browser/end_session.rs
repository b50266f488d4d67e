use std::sync::Arc;

use regrant_protocol::{ClientId, EndSessionRequest, ErrorCode, ErrorResponse, IdTokenClaims, Params, with_query};
use regrant_store::StoreError;

use super::errand::{Errand, LogOutErrand};
use super::error::PostLogoutProblem;
use super::form::required;
use super::session::LoggedIn;
use super::{Browser, BrowserError, ClientPresentation, Cookie, CookieChange, LogOutPrompt, Next, Step};
use crate::AuthorizationServer;
use crate::clients::CachedClient;

impl AuthorizationServer {
    /// `GET` and `POST /logout` (OpenID Connect RP-Initiated Logout §2), and the answer to the page that asks for a confirmation:
    /// the fields `form` and `decision`, which is `log-out` or `stay`.
    ///
    /// Who brings an ID token of the user who is logged in need not confirm; anybody else could be sent here by anybody.
    /// Afterwards nobody is sent anywhere but to a registered address of the client.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn end_session(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        if let Some(form) = params.get("form") {
            return self.confirm_end_session(browser, form, required(params, "decision")?).await;
        }
        let request = EndSessionRequest::parse(params).map_err(BrowserError::Request)?;
        if let Some(hint) = &request.id_token_hint {
            self.learn_of_signer(hint.expose()).await?;
        }
        let hint = request.id_token_hint.as_ref().and_then(|hint| self.verify_id_token_hint(hint));
        let client = client_of_request(request.client_id, hint.as_ref())?;
        let post_logout_redirect_uri = request.post_logout_redirect_uri;
        let errand = LogOutErrand { client, post_logout_redirect_uri, state: request.state };
        let client = self.check_destination(&errand).await?;
        if !Errand::LogOut(errand.clone()).fits() {
            return Err(BrowserError::Request(ErrorResponse::new(ErrorCode::InvalidRequest, TOO_LARGE)));
        }
        match self.logged_in(browser).await? {
            Some(who) if hint.is_some_and(|hint| hint.sub == who.user.subject.as_str()) => {
                self.finish_log_out(browser, Some(&who), &errand).await
            }
            Some(who) => Ok(self.ask_to_log_out(&who, errand, client.as_deref(), false)?),
            None => self.finish_log_out(browser, None, &errand).await,
        }
    }

    async fn confirm_end_session(&self, browser: &Browser, form: &str, decision: &str) -> Result<Step, BrowserError> {
        let who = self.logged_in(browser).await?;
        let opened = self.open_errand(form, who.as_ref().map(LoggedIn::holder).as_ref()).await?;
        let Errand::LogOut(errand) = opened.errand else { return Err(BrowserError::ForeignForm) };
        let client = self.check_destination(&errand).await?;
        match (who, decision) {
            (_, "stay") => Ok(Step::from(Next::ToAccount)),
            (_, other) if other != "log-out" => Err(BrowserError::FieldMissing("decision")),
            (None, _) => self.finish_log_out(browser, None, &errand).await,
            (Some(who), _) if opened.is_current => self.finish_log_out(browser, Some(&who), &errand).await,
            (Some(who), _) => Ok(self.ask_to_log_out(&who, errand, client.as_deref(), true)?),
        }
    }

    async fn finish_log_out(
        &self,
        browser: &Browser,
        who: Option<&LoggedIn>,
        errand: &LogOutErrand,
    ) -> Result<Step, BrowserError> {
        let cookie = match who {
            Some(who) => Some(self.end_login(browser, who).await?),
            // Who brought none may be another site, whose forms come without cookies.
            None => browser.cookies.session.is_some().then_some(CookieChange::Clear(Cookie::Session)),
        };
        let state = errand.state.iter().map(|state| ("state", state.as_str()));
        let next = match &errand.post_logout_redirect_uri {
            Some(uri) => Next::Return(with_query(uri, state)),
            None => Next::LoggedOut,
        };
        Ok(Step { next, cookies: cookie.into_iter().collect() })
    }

    fn ask_to_log_out(
        &self,
        who: &LoggedIn,
        errand: LogOutErrand,
        client: Option<&CachedClient>,
        is_outdated: bool,
    ) -> Result<Step, StoreError> {
        let destination = errand.post_logout_redirect_uri.as_deref();
        let client = client.map(|found| ClientPresentation::new(&found.client, destination));
        Ok(Step::from(Next::ConfirmLogOut(LogOutPrompt {
            form: self.seal_errand(&Errand::LogOut(errand), &who.holder())?,
            username: who.user.username.to_string(),
            client,
            is_outdated,
        })))
    }

    /// The client of a logout request, if it is known; fails when the browser would be sent to an address that is not its own.
    async fn check_destination(&self, errand: &LogOutErrand) -> Result<Option<Arc<CachedClient>>, BrowserError> {
        let Some(uri) = &errand.post_logout_redirect_uri else {
            return match &errand.client {
                Some(client) => Ok(self.clients.reload(&*self.store, client).await?),
                None => Ok(None),
            };
        };
        let problem = |problem| BrowserError::PostLogoutRedirectUri { presented: uri.clone(), problem };
        let client = errand.client.as_ref().ok_or_else(|| problem(PostLogoutProblem::NoClient))?;
        let found = self.find_client(client).await?;
        let registered = &found.client.settings.post_logout_redirect_uris;
        if registered.iter().any(|own| own.matches(uri)) {
            Ok(Some(found))
        } else {
            Err(problem(PostLogoutProblem::NotRegistered))
        }
    }
}

/// The client that asks: the one it names, which has to be the one that the ID token was issued to.
fn client_of_request(named: Option<ClientId>, hint: Option<&IdTokenClaims>) -> Result<Option<ClientId>, BrowserError> {
    let of_hint = hint.and_then(|hint| ClientId::parse(&hint.aud).ok());
    match (named, of_hint) {
        (Some(named), Some(of_hint)) if named != of_hint => Err(BrowserError::NotTheClientOfTheHint(named)),
        (named, of_hint) => Ok(named.or(of_hint)),
    }
}

const TOO_LARGE: &str = "the request is too large to be kept while the user is asked; shorten state";

#[cfg(test)]
mod tests {
    use regrant_protocol::RedirectUri;

    use super::*;
    use crate::browser::visitor::{Visitor, login_prompt};
    use crate::world::World;

    const GOODBYE: &str = "post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye";

    /// A world whose client may be returned to, alice in her browser, and an ID token of hers.
    async fn logged_in(world: &World) -> (Visitor<'_>, String) {
        let goodbye = RedirectUri::parse("https://app.example/bye").unwrap();
        world.change(|settings| settings.post_logout_redirect_uris = vec![goodbye]).await;
        let mut visitor = Visitor::new(world);
        let tokens = world.redeem(&visitor.reach_code("").await, "").await.unwrap();
        let hint = tokens.id_token.unwrap().expose().to_owned();
        (visitor, hint)
    }

    #[tokio::test]
    async fn rp_initiated_logout_section_2_an_id_token_of_the_user_needs_no_confirmation() {
        let world = World::new().await;
        let (mut visitor, hint) = logged_in(&world).await;
        world.clock.advance_seconds(100_000);
        let step = visitor.end_session(&format!("id_token_hint={hint}&{GOODBYE}&state=a%26b")).await;
        assert_eq!(step, Ok(Next::Return("https://app.example/bye?state=a%26b".to_owned())));
        login_prompt(visitor.account().await);
    }

    #[tokio::test]
    async fn without_an_id_token_the_user_is_asked() {
        let world = World::new().await;
        let (mut visitor, hint) = logged_in(&world).await;
        let forged = format!("id_token_hint={}AAAA", &hint[..hint.len() - 4]);
        for query in ["", "client_id=app", forged.as_str()] {
            let Ok(Next::ConfirmLogOut(prompt)) = visitor.end_session(query).await else { panic!("{query}") };
            let stay = visitor.end_session(&format!("form={}&decision=stay", prompt.form)).await;
            assert_eq!(stay, Ok(Next::ToAccount), "{query}");
        }
        let Ok(Next::ConfirmLogOut(prompt)) = visitor.end_session(&format!("client_id=app&{GOODBYE}")).await else {
            panic!("nobody confirmed")
        };
        assert_eq!(prompt.client.and_then(|client| client.destination).as_deref(), Some("app.example"));
        let mut other = Visitor::new(&world);
        other.reach_code("").await;
        let body = format!("form={}&decision=log-out", prompt.form);
        assert!(matches!(other.end_session(&body).await, Ok(Next::ConfirmLogOut(again)) if again.is_outdated));
        assert_eq!(visitor.end_session(&body).await, Ok(Next::Return("https://app.example/bye".to_owned())));
        login_prompt(visitor.account().await);
        other.view().await;
    }

    #[tokio::test]
    async fn nobody_is_sent_to_an_address_that_is_not_registered() {
        let world = World::new().await;
        let (mut visitor, hint) = logged_in(&world).await;
        for (why, query) in [
            ("nobody knows whose", GOODBYE.to_owned()),
            ("another path", format!("client_id=app&{GOODBYE}2")),
            ("a redirect URI", "client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fcb".to_owned()),
            ("of another client", format!("client_id=other&{GOODBYE}")),
            ("an unknown client", format!("client_id=nobody&{GOODBYE}")),
            ("two clients", format!("client_id=other&id_token_hint={hint}")),
        ] {
            assert!(visitor.end_session(&query).await.is_err(), "{why}");
            assert!(Visitor::new(&world).end_session(&query).await.is_err(), "{why}, with nobody logged in");
        }
        visitor.view().await;
        let step = Visitor::new(&world).end_session(&format!("client_id=app&{GOODBYE}")).await;
        assert_eq!(step, Ok(Next::Return("https://app.example/bye".to_owned())));
    }
}
