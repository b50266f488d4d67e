use regrant_grant::{AccessPeriod, Grant};
use regrant_protocol::{
    ClientAuthentication, GrantType, Params, Resources, Scope, Secret, Timestamp, TokenRequest, TokenResponse,
};
use regrant_store::ClientSettings;

use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

/// How often a request is decided anew because the client or user changed meanwhile, before it is answered 503.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

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
        let mut client = self.authenticate(context, &claimed).await?;
        let request = TokenRequest::parse(params).map_err(TokenError::Request)?;
        for _ in 0..ATTEMPTS_MAX {
            if !client.settings().grant_types.contains(&request.grant_type()) {
                return Err(TokenError::GrantTypeNotAllowed(request.grant_type()));
            }
            let answer = match &request {
                TokenRequest::Password(request) => self.password(context, &client, request).await,
                TokenRequest::ClientCredentials { scope, resources } => {
                    self.client_credentials(context, &client, scope.as_ref(), resources).await
                }
                TokenRequest::RefreshToken(request) => self.refresh(context, &client, request).await,
            };
            match answer {
                Err(TokenError::Changed) => client = self.authenticate_anew(context, &claimed).await?,
                answer => return answer,
            }
        }
        Err(TokenError::Changed)
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

impl AuthorizationServer {
    /// The answer for the current generation of a grant: its access token, and its refresh token where there is one.
    pub(crate) fn respond(
        &self,
        client: &AuthenticatedClient,
        row: &Grant,
        narrowed: Narrowed<'_>,
        refresh_token: Option<Secret>,
        period: AccessPeriod,
        now: Timestamp,
    ) -> Result<TokenResponse, TokenError> {
        let scope = narrowed.scope.unwrap_or(&row.scope);
        let resources = if narrowed.resources.is_empty() { &row.resources } else { narrowed.resources };
        let access_token = self.mint_for_grant(client, row, scope, resources, period)?;
        let refresh_expires_at = refresh_token.as_ref().and_then(|_| row.refresh_expires_at());
        Ok(TokenResponse {
            access_token,
            expires_in: period.expires_at.map(|end| seconds_until(end, now)),
            scope: scope.clone(),
            refresh_token,
            refresh_token_expires_in: refresh_expires_at.map(|end| seconds_until(end, now)),
        })
    }
}

/// What a refresh asks for less of: `None` and none mean all that was granted.
#[derive(Clone, Copy)]
pub(crate) struct Narrowed<'a> {
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) resources: &'a Resources,
}

/// Whether a client gets refresh tokens.
pub(crate) fn may_refresh(settings: &ClientSettings) -> bool {
    settings.grant_types.contains(&GrantType::RefreshToken)
}
