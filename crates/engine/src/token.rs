use regrant_grant::{Grant, Verdict, Write};
use regrant_protocol::{
    ClientAuthentication, GrantType, Params, Resources, Scope, Secret, Timestamp, TokenRequest, TokenResponse,
};
use regrant_store::{ClientSettings, Scene};
use serde_json::{Map, Value};

use crate::access_token_draft::Draft;
use crate::client_authentication::ATTEMPTS_MAX;
use crate::id_token::OPENID;
use crate::refresh::wants_id_token;
use crate::slow_signatures::is_slow;
use crate::{
    AuthenticatedClient, AuthorizationServer, Endpoint, RequestContext, ScopeLimit, TokenCall, TokenError,
    TooMuchScope, access_token, id_token,
};

impl AuthorizationServer {
    /// `POST /token` (RFC 6749 §3.2): authenticates the client, then answers by grant type.
    ///
    /// `authorization` is the `Authorization` header, where there is one.
    ///
    /// # Errors
    /// [`TokenError`]; [`crate::Refusal`] says what the caller is told.
    pub async fn token(
        &self,
        context: &RequestContext,
        authorization: Option<&[u8]>,
        params: &Params,
    ) -> Result<TokenResponse, TokenError> {
        self.answer_token_call(context, &TokenCall::standard(authorization, params)).await
    }

    /// As [`AuthorizationServer::token`], for a request that was read by the customs of another server.
    ///
    /// # Errors
    /// [`TokenError`], of several that one that [`crate::OrderOfChecks`] chooses.
    pub async fn answer_token_call(
        &self,
        context: &RequestContext,
        call: &TokenCall,
    ) -> Result<TokenResponse, TokenError> {
        let refused = |client, error| self.refused(context, Endpoint::Token, client, error);
        if let Some(fault) = call.first_fault() {
            return Err(refused(None, TokenError::Request(fault.clone())));
        }
        let claimed = self.claimed_client(context, call).await.map_err(|error| refused(None, error))?;
        let answer = self.token_from(context, &claimed, call).await;
        answer.map_err(|error| refused(Some(&claimed.client_id), error))
    }

    async fn token_from(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
        call: &TokenCall,
    ) -> Result<TokenResponse, TokenError> {
        for _ in 0..ATTEMPTS_MAX {
            let client = self.authenticate(context, claimed).await?;
            match self.token_for(context, &client, call).await {
                Ok(response) => return Ok(response),
                Err(refusal) => self.unless_changed(&client, refusal).await?,
            }
        }
        Err(TokenError::Changed)
    }

    async fn token_for(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        call: &TokenCall,
    ) -> Result<TokenResponse, TokenError> {
        let request = call.request.as_ref().map_err(|fault| TokenError::Request(fault.clone()))?;
        self.keys_are_fresh().await?;
        if !client.settings().grant_types.contains(&request.grant_type()) {
            if let (TokenRequest::RefreshToken(request), true) = (request, call.order.refresh_token_before_grant_type) {
                self.check_refresh_token(context, client, request).await?;
            }
            let (client, grant_type) = (client.id().clone(), request.grant_type());
            return Err(TokenError::GrantTypeNotAllowed { client, grant_type });
        }
        if may_sign_slowly(client.settings(), request) {
            self.slow_signatures.find_room().map_err(|overloaded| self.turned_away.count(overloaded))?;
        }
        match request {
            TokenRequest::AuthorizationCode(request) => self.redeem_code(context, client, request).await,
            TokenRequest::Password(request) => self.password(context, client, request).await,
            TokenRequest::ClientCredentials { scope, resources } => {
                self.client_credentials(context, client, scope.as_ref(), resources).await
            }
            TokenRequest::RefreshToken(request) => self.refresh(context, client, request).await,
        }
    }
}

/// Whether the answer may have a signature with RSA, as far as it can be told before the grant is looked at.
fn may_sign_slowly(settings: &ClientSettings, request: &TokenRequest) -> bool {
    let may_have_id_token = match request {
        TokenRequest::AuthorizationCode(_) => settings.scope.contains(OPENID),
        TokenRequest::RefreshToken(request) => wants_id_token(settings, request.scope.as_ref(), &settings.scope),
        TokenRequest::Password(_) | TokenRequest::ClientCredentials { .. } => false,
    };
    access_token::algorithm(settings.access_token_format).is_some_and(is_slow)
        || may_have_id_token && is_slow(id_token::algorithm(settings.id_token_algorithm))
}

/// The scope of a new grant: what is asked for, or the client's default (RFC 6749 §3.3).
pub(crate) fn granted_scope(settings: &ClientSettings, asked: Option<&Scope>) -> Result<Scope, TokenError> {
    match asked {
        None => Ok(settings.default_scope.clone()),
        Some(scope) if scope.is_within(&settings.scope) => Ok(scope.clone()),
        Some(scope) => {
            let beyond = scope.tokens().find(|name| !settings.scope.contains(name));
            let limit = ScopeLimit::of_client(&settings.scope);
            Err(TokenError::Scope(TooMuchScope { beyond: beyond.map(str::to_owned), limit }))
        }
    }
}

/// The resources of a new grant: what is asked for, within what the client may name (RFC 8707 §2).
pub(crate) fn granted_resources(settings: &ClientSettings, asked: &Resources) -> Result<Resources, TokenError> {
    match asked.iter().find(|resource| !settings.resources.iter().any(|own| own == *resource)) {
        None => Ok(asked.clone()),
        Some(beyond) => Err(TokenError::Target(Some(beyond.as_str().to_owned()))),
    }
}

/// What an operator took from a client since it was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Scope,
    Resources,
}

impl From<Taken> for Verdict {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Scope => Self::ScopeExceeded,
            Taken::Resources => Self::TargetRefused,
        }
    }
}

impl From<Taken> for TokenError {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Scope => Self::Scope(TooMuchScope { beyond: None, limit: ScopeLimit::Grant }),
            Taken::Resources => Self::Target(None),
        }
    }
}

/// What is asked for within a grant, or all that was granted, as far as the client may still have it: what an operator takes
/// from a client is gone from its next access token.
pub(crate) fn still_allowed(
    row: &Grant,
    asked_scope: Option<&Scope>,
    asked_resources: &Resources,
    settings: &ClientSettings,
) -> Result<(Scope, Resources), Taken> {
    let scope = asked_scope.unwrap_or(&row.scope).within(&settings.scope);
    let asked_more = asked_scope.is_some_and(|asked| *asked != scope);
    if asked_more || (scope.is_empty() && !row.scope.is_empty()) {
        return Err(Taken::Scope);
    }
    let asked = if asked_resources.is_empty() { &row.resources } else { asked_resources };
    let resources = asked.within(&settings.resources);
    let asked_more = !asked_resources.is_empty() && *asked_resources != resources;
    if asked_more || (resources.is_empty() && !row.resources.is_empty()) {
        return Err(Taken::Resources);
    }
    Ok((scope, resources))
}

/// Seconds from `now` until `end`, as answers tell them.
pub(crate) fn seconds_until(end: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(end.seconds().saturating_sub(now.seconds())).unwrap_or(if end < now { 0 } else { u32::MAX })
}

/// What tokens are made from.
pub(crate) struct Granted {
    /// The row as it is now.
    pub(crate) row: Grant,
    /// The store's time.
    pub(crate) now: Timestamp,
    /// When the login session ends that the grant ends with; `None` when it outlives it.
    pub(crate) session_ends_at: Option<Timestamp>,
    /// The scope of the access token.
    pub(crate) scope: Scope,
    /// The resources of the access token.
    pub(crate) resources: Resources,
    /// What the claims hook adds to the access token.
    pub(crate) added: Map<String, Value>,
}

impl Granted {
    /// What a step gave: `row` is its grant as it is afterwards.
    pub(crate) fn new(row: Grant, scene: &Scene<'_>, scope: Scope, resources: Resources) -> Self {
        let session_ends_at = row.session.and(scene.surroundings.session_ends_at);
        Self { row, now: scene.now, session_ends_at, scope, resources, added: Map::new() }
    }
}

/// The grant of a step as it is once `write` is done.
pub(crate) fn row_after<'a>(write: &'a Write, before: &'a Grant) -> &'a Grant {
    match write {
        Write::Update(row) | Write::Insert(row) => row,
        Write::Nothing | Write::ListAccessToken { .. } => before,
    }
}

impl AuthorizationServer {
    /// The answer for the current generation of a grant: its access token, and its refresh token where there is one.
    pub(crate) async fn respond(
        &self,
        client: &AuthenticatedClient,
        granted: &Granted,
        refresh_token: Option<Secret>,
    ) -> Result<TokenResponse, TokenError> {
        let Granted { row, now, session_ends_at, scope, .. } = granted;
        let draft = Draft::for_grant(&self.issuer, client, granted);
        let access_token = self.mint(client, &draft).await?;
        let ends = [row.refresh_expires_at(), *session_ends_at].into_iter().flatten();
        let refresh_expires_at = refresh_token.as_ref().and_then(|_| ends.min());
        Ok(TokenResponse {
            access_token,
            expires_in: draft.period.expires_at.map(|end| seconds_until(end, *now)),
            scope: scope.clone(),
            refresh_token,
            refresh_token_expires_in: refresh_expires_at.map(|end| seconds_until(end, *now)),
            id_token: None,
        })
    }
}

/// Whether a client gets a refresh token with `granted`.
pub(crate) fn may_refresh(settings: &ClientSettings, granted: &Scope) -> bool {
    settings.grant_types.contains(&GrantType::RefreshToken)
        && settings.refresh_token_scope.as_ref().is_none_or(|needed| needed.is_within(granted))
}

#[cfg(test)]
mod tests {
    use regrant_grant::SessionId;
    use regrant_protocol::Scope;
    use regrant_store::Session;

    use crate::world::{World, settings};
    use crate::{ScopeLimit, TokenError, TooMuchScope};

    #[tokio::test]
    async fn a_refresh_token_may_hang_on_what_was_granted() {
        for (needed, is_given) in [
            (None, true),
            (Some(""), true),
            (Some("read"), true),
            (Some("read openid"), true),
            (Some("offline"), false),
            (Some("read offline"), false),
        ] {
            let world = World::new().await;
            let needed = needed.map(|needed| Scope::parse(needed).unwrap());
            world.change(|settings| settings.refresh_token_scope.clone_from(&needed)).await;
            let response = world.redeem(&world.code().await, "").await.unwrap();
            assert_eq!(response.refresh_token.is_some(), is_given, "{needed:?}");
            assert_eq!(response.refresh_token_expires_in.is_some(), is_given, "{needed:?}");
            if is_given {
                world.change(|settings| settings.refresh_token_scope = Some(Scope::parse("offline").unwrap())).await;
                let next = world.refresh(&response, "").await.unwrap();
                assert!(next.refresh_token.is_some(), "a grant that has one keeps it");
            }
        }
    }

    #[tokio::test]
    async fn a_scope_that_is_too_much_is_told_with_what_it_goes_beyond() {
        for (granted, of_client, asked, expected) in [
            ("read", "read write", "write", ScopeLimit::Grant),
            ("", "read", "read", ScopeLimit::Grant),
            ("", "read", "write", ScopeLimit::Client),
            ("", "", "read", ScopeLimit::Nothing),
        ] {
            let world = World::new().await;
            let scope = |text: &str| Scope::parse(text).unwrap();
            let grant = scope(granted);
            let code = world.code_of(|birth| birth.scope = grant).await;
            let own = scope(of_client);
            world.change(|settings| (settings.scope, settings.default_scope) = (own.clone(), own)).await;
            let given = world.redeem(&code, "").await.unwrap();
            let refused = world.refresh(&given, &format!("&scope={asked}")).await;
            let Err(TokenError::Refresh { limit, .. }) = refused else { panic!("{refused:?}") };
            assert_eq!(limit, Some(expected), "{granted:?} {of_client:?} {asked:?}");
        }
        for (of_client, limit) in [("", ScopeLimit::Nothing), ("read", ScopeLimit::Client)] {
            let settings = regrant_store::ClientSettings { scope: Scope::parse(of_client).unwrap(), ..settings() };
            let asked = Scope::parse("write").unwrap();
            let beyond = Some("write".to_owned());
            let refused = super::granted_scope(&settings, Some(&asked));
            assert_eq!(refused, Err(TokenError::Scope(TooMuchScope { beyond, limit })), "{of_client:?}");
        }
    }

    #[tokio::test]
    async fn a_refresh_token_that_ends_with_its_session_says_so() {
        let world = World::new().await;
        let id = SessionId([9; 16]);
        let session = Session {
            id,
            secret_digest: [8; 32],
            user: world.alice.clone(),
            created_at: world.now(),
            authenticated_at: world.now(),
            expires_at: world.now().plus_seconds(100),
        };
        world.server.store.keep_session(session).await.unwrap();
        let code = world.code_of(|birth| birth.session = Some(id)).await;
        let response = world.redeem(&code, "").await.unwrap();
        assert_eq!(response.refresh_token_expires_in, Some(100));
        world.server.store.end_session(id).await.unwrap();
        assert!(world.refresh(&response, "").await.is_err(), "the session has ended");
    }
}
