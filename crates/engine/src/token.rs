use regrant_grant::{Grant, access_period};
use regrant_protocol::{
    ClientAuthentication, GrantType, Params, Resources, Scope, Secret, Timestamp, TokenRequest, TokenResponse,
};
use regrant_store::ClientSettings;

use crate::client_authentication::ATTEMPTS_MAX;
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

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
        let claimed = ClientAuthentication::find(authorization, params).map_err(TokenError::Request)?;
        for _ in 0..ATTEMPTS_MAX {
            let client = self.authenticate(context, &claimed).await?;
            match self.token_for(context, &client, params).await {
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
        params: &Params,
    ) -> Result<TokenResponse, TokenError> {
        let request = TokenRequest::parse(params).map_err(TokenError::Request)?;
        if !client.settings().grant_types.contains(&request.grant_type()) {
            return Err(TokenError::GrantTypeNotAllowed(request.grant_type()));
        }
        // Before anything is written: a refresh that was rotated and not answered would be a lost answer of our own making.
        self.can_sign_for(client)?;
        match &request {
            TokenRequest::Password(request) => self.password(context, client, request).await,
            TokenRequest::ClientCredentials { scope, resources } => {
                self.client_credentials(context, client, scope.as_ref(), resources).await
            }
            TokenRequest::RefreshToken(request) => self.refresh(context, client, request).await,
        }
    }
}

/// The scope of a new grant: what is asked for, or the client's default (RFC 6749 §3.3).
pub(crate) fn granted_scope(settings: &ClientSettings, asked: Option<&Scope>) -> Result<Scope, TokenError> {
    match asked {
        None => Ok(settings.default_scope.clone()),
        Some(scope) if scope.is_within(&settings.scope) => Ok(scope.clone()),
        Some(_) => Err(TokenError::Scope),
    }
}

/// The resources of a new grant: what is asked for, within what the client may name (RFC 8707 §2).
pub(crate) fn granted_resources(settings: &ClientSettings, asked: &Resources) -> Result<Resources, TokenError> {
    if asked.is_within(&settings.resources) { Ok(asked.clone()) } else { Err(TokenError::Target) }
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
    /// The scope of the access token.
    pub(crate) scope: Scope,
    /// The resources of the access token.
    pub(crate) resources: Resources,
}

impl AuthorizationServer {
    /// The answer for the current generation of a grant: its access token, and its refresh token where there is one.
    pub(crate) fn respond(
        &self,
        client: &AuthenticatedClient,
        granted: Granted,
        refresh_token: Option<Secret>,
    ) -> Result<TokenResponse, TokenError> {
        let Granted { row, now, scope, resources } = granted;
        let period = access_period(&row, client.settings().policy.rotation, now);
        let access_token = self.mint_for_grant(client, &row, &scope, &resources, period)?;
        let refresh_expires_at = refresh_token.as_ref().and_then(|_| row.refresh_expires_at());
        Ok(TokenResponse {
            access_token,
            expires_in: period.expires_at.map(|end| seconds_until(end, now)),
            scope,
            refresh_token,
            refresh_token_expires_in: refresh_expires_at.map(|end| seconds_until(end, now)),
        })
    }
}

/// Whether a client gets refresh tokens.
pub(crate) fn may_refresh(settings: &ClientSettings) -> bool {
    settings.grant_types.contains(&GrantType::RefreshToken)
}
