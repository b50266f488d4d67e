use std::sync::Arc;

use regrant_protocol::{
    AuthorizationReply, AuthorizationRequest, AuthorizationResponse, AuthorizationTarget, ClientId, ErrorCode,
    ErrorResponse, GrantType, Params, RedirectUri, Scope, Subject,
};
use regrant_store::{Client, ClientSettings};
use tracing::info;

use super::errand::{AuthorizationErrand, Errand};
use super::proceed::Answer;
use super::{Browser, BrowserError, Next, Step};
use crate::clients::CachedClient;
use crate::token::{granted_resources, granted_scope};
use crate::{AuthorizationServer, Refusal};

/// The most scope names that a request through the browser may have: each is a field of the consent form.
pub(super) const CONSENT_SCOPES_MAX: usize = 50;

impl AuthorizationServer {
    /// `GET` and `POST /authorize` (RFC 6749 §3.1, OpenID Connect Core §3.1.2.1), with the parameters of
    /// [`Params::parse_noting_repeats`]. Nobody is sent anywhere before client and redirect URI are known to be registered;
    /// whatever else is wrong is told the client.
    ///
    /// # Errors
    /// [`BrowserError`], to be shown on a page.
    pub async fn authorize(&self, browser: &Browser, params: &Params) -> Result<Step, BrowserError> {
        let target = AuthorizationTarget::parse(params).map_err(BrowserError::Request)?;
        let found = self.find_client(&target.client_id).await?;
        let redirect_uri = redirect_uri(&found.client, target.redirect_uri.as_deref())?;

        if let Some(hint) = params.get("id_token_hint") {
            self.learn_of_signer(hint).await?;
        }

        let reply = AuthorizationReply::parse(params);
        let refuse = |error| Step::from(self.refusal(&redirect_uri, reply, error));
        let errand = match self.read_authorization(target, redirect_uri.clone(), params) {
            Ok(errand) => errand,
            Err(error) => return Ok(refuse(error)),
        };
        let is_silent = errand.is_silent();
        match self.proceed(browser, errand, None, Answer::None).await {
            // Where no page may be shown, a page with an error reaches nobody.
            Err(BrowserError::Changed | BrowserError::Store(_)) if is_silent => {
                Ok(refuse(ErrorResponse::new(ErrorCode::TemporarilyUnavailable, "no answer was reached; try again")))
            }
            step => step,
        }
    }

    /// What is asked for, once it is known whom to answer.
    fn read_authorization(
        &self,
        target: AuthorizationTarget,
        redirect_uri: String,
        params: &Params,
    ) -> Result<AuthorizationErrand, ErrorResponse> {
        let refuse = |description| ErrorResponse::new(ErrorCode::InvalidRequest, description);
        let mut request = AuthorizationRequest::parse(params)?;
        let hint = request.id_token_hint.take();
        let hinted =
            hint.map(|hint| self.verify_id_token_hint(&hint).and_then(|claims| Subject::parse(&claims.sub).ok()));
        if hinted == Some(None) {
            return Err(refuse("id_token_hint is not an ID token of this server; leave it out"));
        }
        let destination = (redirect_uri, target.redirect_uri.is_some());
        let errand =
            AuthorizationErrand::new(target.client_id, destination, request, hinted.flatten(), self.clock.now());
        if Errand::from(errand.clone()).fits() { Ok(errand) } else { Err(refuse(TOO_LARGE)) }
    }

    /// The client as the store has it now, if it may send anybody here.
    pub(super) async fn find_client(&self, id: &ClientId) -> Result<Arc<CachedClient>, BrowserError> {
        let found = self.clients.reload(&*self.store, id).await?;
        let found = found.ok_or_else(|| BrowserError::UnknownClient(id.clone()))?;
        if found.client.party.enabled { Ok(found) } else { Err(BrowserError::ClientDisabled(id.clone())) }
    }

    /// The client of an errand, if the redirect URI is still one of its own.
    pub(super) async fn client_of(&self, errand: &AuthorizationErrand) -> Result<Arc<CachedClient>, BrowserError> {
        let found = self.find_client(&errand.client).await?;
        redirect_uri(&found.client, Some(&errand.redirect_uri))?;
        Ok(found)
    }

    fn refusal(&self, redirect_uri: &str, reply: AuthorizationReply, error: ErrorResponse) -> AuthorizationResponse {
        info!(redirect_uri, error = error.error.as_str(), reason = error.error_description, "no code");
        AuthorizationResponse::error(&self.issuer, redirect_uri.to_owned(), reply, error)
    }

    /// Tells the client that there is no code, and why.
    pub(super) fn refuse(&self, errand: &AuthorizationErrand, code: ErrorCode, description: &str) -> Step {
        let error = ErrorResponse::new(code, description);
        Step::from(self.refusal(&errand.redirect_uri, errand.request.reply(), error))
    }
}

impl From<AuthorizationResponse> for Step {
    fn from(response: AuthorizationResponse) -> Self {
        Self { next: Next::Respond(response), cookies: Vec::new() }
    }
}

/// Where the answer goes: what was presented, if it is registered; or else the only one that is (RFC 6749 §3.1.2.3).
fn redirect_uri(client: &Client, presented: Option<&str>) -> Result<String, BrowserError> {
    let registered = &client.settings.redirect_uris;
    match (presented, registered.as_slice()) {
        (Some(presented), _) if registered.iter().any(|uri| uri.matches(presented)) => Ok(presented.to_owned()),
        (Some(presented), _) => Err(BrowserError::RedirectUriUnknown {
            client: client.id.clone(),
            presented: presented.to_owned(),
            registered_host: registered_host(registered, presented),
        }),
        (None, [only]) => Ok(only.as_str().to_owned()),
        (None, _) => Err(BrowserError::RedirectUriMissing { client: client.id.clone(), registered: registered.len() }),
    }
}

/// The other name of this machine, if `presented` would be registered with it: the mistake that is made most.
fn registered_host(registered: &[RedirectUri], presented: &str) -> Option<&'static str> {
    [("localhost", "127.0.0.1"), ("127.0.0.1", "localhost")].into_iter().find_map(|(host, other)| {
        let rest = presented.strip_prefix("http://")?.strip_prefix(host)?;
        let as_other = format!("http://{other}{rest}");
        registered.iter().any(|uri| uri.matches(&as_other)).then_some(other)
    })
}

/// What a request comes to under the settings of its client: the scope that is asked for, or its default.
pub(super) fn check_request(settings: &ClientSettings, request: &AuthorizationRequest) -> Result<Scope, ErrorResponse> {
    let refuse = |code, description| Err(ErrorResponse::new(code, description));
    if !settings.grant_types.contains(&GrantType::AuthorizationCode) {
        return refuse(ErrorCode::UnauthorizedClient, "this client may not use the authorization code grant");
    }
    // RFC 9700 §2.1.1: whatever its settings say, a public client has nothing else that protects its code.
    if request.code_challenge.is_none() && (settings.require_pkce || settings.is_public()) {
        return refuse(ErrorCode::InvalidRequest, "code_challenge is missing; this client has to use PKCE with S256");
    }
    let told = |error| Refusal::from(&error).response;
    let scope = granted_scope(settings, request.scope.as_ref()).map_err(told)?;
    granted_resources(settings, &request.resources).map_err(told)?;
    if scope.tokens().count() > CONSENT_SCOPES_MAX {
        return refuse(
            ErrorCode::InvalidScope,
            "scope has more than 50 names, the most that a user can be asked about",
        );
    }
    Ok(scope)
}

const TOO_LARGE: &str = "the request is too large to be kept while the user logs in; shorten state, nonce or scope";

#[cfg(test)]
mod tests {
    use regrant_protocol::{Profile, RedirectUri, Secret};
    use regrant_store::ClientChange;

    use super::*;
    use crate::browser::ErrorPage;
    use crate::browser::visitor::{Visitor, code, login_prompt, told};
    use crate::world::{World, settings};

    #[tokio::test]
    async fn rfc6749_section_4_1_2_1_nobody_is_sent_to_an_address_that_is_not_registered() {
        let world = World::new().await;
        let two = ["https://app.example/a", "https://app.example/b"].map(|uri| RedirectUri::parse(uri).unwrap());
        world.change(|settings| settings.redirect_uris = two.to_vec()).await;
        let other = ClientId::parse("other").unwrap();
        world.server.store().change_client(&other, ClientChange::Enabled(false)).await.unwrap();
        for (query, named) in [
            ("", "client_id"),
            ("client_id=app&client_id=app", "client_id"),
            ("client_id=%00", "client_id"),
            ("client_id=nobody", "nobody"),
            ("client_id=other", "other"),
            ("client_id=app", "redirect_uri"),
            ("client_id=app&redirect_uri=https%3A%2F%2Fevil.example", "evil.example"),
            ("client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fa%2F", "redirect_uri"),
            ("client_id=app&redirect_uri=https%3A%2F%2FAPP.example%2Fa", "redirect_uri"),
            ("client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fa&redirect_uri=x", "redirect_uri"),
            ("client_id=app&prompt=none&redirect_uri=https%3A%2F%2Fevil.example", "evil.example"),
        ] {
            let error = Visitor::new(&world).request(query).await.expect_err(query);
            let page = ErrorPage::from(&error);
            assert_eq!(page.status, 400, "{query}");
            assert!(page.detail.contains(named), "{query}: {}", page.detail);
        }
    }

    #[tokio::test]
    async fn what_else_is_wrong_is_told_the_client_with_its_state() {
        let world = World::new().await;
        let long_state = format!("response_type=code&state={}", "%22".repeat(2000));
        for (rest, expected) in [
            ("", "invalid_request"),
            ("response_type=token", "unsupported_response_type"),
            ("response_type=code", "invalid_request"),
            ("response_type=code&id_token_hint=x", "invalid_request"),
            ("response_type=code&scope=openid&scope=read", "invalid_request"),
            (&long_state, "invalid_request"),
        ] {
            let answer = Visitor::new(&world).request(&format!("client_id=app&{rest}")).await;
            assert_eq!(told(answer.clone(), "error").as_deref(), Some(expected), "{rest}");
            assert_eq!(told(answer, "iss").as_deref(), Some(crate::world::ISSUER), "{rest}");
        }
        let answer = Visitor::new(&world).authorize("state=a%26b&scope=write&prompt=none").await;
        assert_eq!(told(answer.clone(), "error").as_deref(), Some("invalid_scope"));
        assert_eq!(told(answer, "state").as_deref(), Some("a&b"));
    }

    #[test]
    fn a_request_is_checked_against_the_settings_of_its_client() {
        let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let with_challenge = |rest: &str| format!("{rest}{challenge}");
        let many: Vec<_> = (0..=CONSENT_SCOPES_MAX).map(|number| format!("s{number}")).collect();
        let many = Scope::parse(&many.join(" ")).unwrap();
        let mut wide = settings();
        wide.scope = many.clone();
        let mut lax = settings();
        lax.require_pkce = false;
        let mut confidential = lax.clone();
        confidential.credential = Some(regrant_store::Credential::new("hash".to_owned()));
        let mut strict = confidential.clone();
        strict.require_pkce = true;
        let mut without_codes = settings();
        without_codes.grant_types = vec![GrantType::RefreshToken];
        let asks_many = with_challenge(&format!("&scope={}", many.as_str().replace(' ', "+")));
        for (why, settings, rest, expected) in [
            ("nothing asked", &settings(), with_challenge(""), Ok("openid profile read")),
            ("less asked", &settings(), with_challenge("&scope=read"), Ok("read")),
            ("more asked", &settings(), with_challenge("&scope=write"), Err(ErrorCode::InvalidScope)),
            ("a strange resource", &settings(), with_challenge("&resource=urn:x"), Err(ErrorCode::InvalidTarget)),
            ("no challenge", &strict, String::new(), Err(ErrorCode::InvalidRequest)),
            ("public, no challenge", &lax, String::new(), Err(ErrorCode::InvalidRequest)),
            ("confidential, no challenge", &confidential, "&scope=read".to_owned(), Ok("read")),
            ("another grant", &without_codes, with_challenge(""), Err(ErrorCode::UnauthorizedClient)),
            ("more than a page can ask", &wide, asks_many, Err(ErrorCode::InvalidScope)),
        ] {
            let params = Params::parse(format!("response_type=code{rest}").as_bytes()).unwrap();
            let request = AuthorizationRequest::parse(&params).unwrap();
            let checked = check_request(settings, &request).map_err(|error| error.error);
            assert_eq!(checked, expected.map(|scope| Scope::parse(scope).unwrap()), "{why}");
        }
    }

    #[tokio::test]
    async fn oidc_core_section_3_1_2_2_the_user_whom_the_hint_names_and_no_other() {
        let world = World::new().await;
        let password = Secret::new("wonderland".to_owned());
        world.server.register_user("bob", password, Profile::default()).await.unwrap();
        let mut alice = Visitor::new(&world);
        let tokens = world.redeem(&alice.reach_code("").await, "").await.unwrap();
        let hint = format!("id_token_hint={}", tokens.id_token.unwrap().expose());
        code(alice.authorize(&hint).await);

        let mut bob = Visitor::new(&world);
        for is_logged_in in [false, true] {
            let prompt = login_prompt(bob.authorize(&hint).await);
            assert_eq!(prompt.username, None, "{is_logged_in}");
            let Ok(crate::Next::Resume(request)) = bob.log_in(&prompt.request, "bob", "wonderland").await else {
                panic!("the password is right")
            };
            assert_eq!(told(bob.resume(&request).await, "error").as_deref(), Some("login_required"), "{is_logged_in}");
        }
        let silent = bob.authorize(&format!("{hint}&prompt=none")).await;
        assert_eq!(told(silent, "error").as_deref(), Some("login_required"));
    }
}
