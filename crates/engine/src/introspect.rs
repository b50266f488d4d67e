use regrant_protocol::{
    AccessTokenClaims, ActiveToken, ClientAuthentication, IntrospectionRequest, IntrospectionResponse, Params,
    RequestFault, Subject,
};

use crate::client_authentication::ATTEMPTS_MAX;
use crate::{AboutToken, AuthenticatedClient, AuthorizationServer, Endpoint, Happening, RequestContext, TokenError};

impl AuthorizationServer {
    /// `POST /introspect` (RFC 7662): tells an authenticated client about access tokens of its own grants. Refresh tokens,
    /// ID tokens and everything of others are inactive; nothing is written.
    ///
    /// # Errors
    /// [`TokenError`]; a public client, which cannot authenticate, is refused (RFC 7662 §2.1).
    pub async fn introspect(
        &self,
        context: &RequestContext,
        authorization: Option<&[u8]>,
        params: &Params,
    ) -> Result<IntrospectionResponse, TokenError> {
        let call = AboutToken::standard(authorization, params, IntrospectionRequest::parse);
        self.answer_introspection_call(context, &call).await
    }

    /// As [`AuthorizationServer::introspect`], for a request that was read by the customs of another server.
    ///
    /// # Errors
    /// As there.
    pub async fn answer_introspection_call(
        &self,
        context: &RequestContext,
        call: &AboutToken<IntrospectionRequest>,
    ) -> Result<IntrospectionResponse, TokenError> {
        let refused = |client, error| self.refused(context, Endpoint::Introspection, client, error);
        let claimed = call.claimed().map_err(|fault| refused(None, TokenError::Request(fault)))?;
        let answer = self.introspect_from(context, claimed, &call.request).await;
        let response = answer.map_err(|error| refused(Some(&claimed.client_id), error))?;
        let is_active = matches!(response, IntrospectionResponse::Active(_));
        self.tell(context, Happening::Introspection { client: &claimed.client_id, is_active });
        Ok(response)
    }

    async fn introspect_from(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
        request: &Result<IntrospectionRequest, RequestFault>,
    ) -> Result<IntrospectionResponse, TokenError> {
        for _ in 0..ATTEMPTS_MAX {
            let client = self.authenticate(context, claimed).await?;
            match self.introspect_for(context, &client, request).await {
                Ok(response) => return Ok(response),
                Err(refusal) => self.unless_changed(&client, refusal).await?,
            }
        }
        Err(TokenError::Changed)
    }

    async fn introspect_for(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &Result<IntrospectionRequest, RequestFault>,
    ) -> Result<IntrospectionResponse, TokenError> {
        if client.must_be_confidential().is_err() {
            let error = TokenError::ClientNotAuthenticated(client.unproven());
            return Err(self.not_authenticated(context, error, client.id()));
        }
        let request = request.as_ref().map_err(|fault| TokenError::Request(fault.clone()))?;
        if let Some(live) = self.live_access_token(context, request.token.expose(), Some(client), false).await? {
            return Ok(IntrospectionResponse::Active(Box::new(self.describe_token(live.claims).await?)));
        }
        // Whoever asks must still be who it was, and no step of the token has told.
        self.confirm(context, client).await?;
        Ok(IntrospectionResponse::Inactive)
    }

    /// What an API of the same process may ask: the facts about a bearer's access token if it is good now.
    ///
    /// # Errors
    /// [`TokenError::Store`] when the store cannot say, and [`TokenError::TooManyFailures`] where tokens of another system were
    /// imported and too many strings from this source are unknown.
    pub async fn inspect(&self, context: &RequestContext, token: &str) -> Result<Option<ActiveToken>, TokenError> {
        let answer = self.inspect_token(context, token).await;
        answer.map_err(|error| self.refused(context, Endpoint::Api, None, error))
    }

    async fn inspect_token(&self, context: &RequestContext, token: &str) -> Result<Option<ActiveToken>, TokenError> {
        match self.live_access_token(context, token, None, false).await? {
            Some(live) => Ok(Some(self.describe_token(live.claims).await?)),
            None => Ok(None),
        }
    }

    async fn describe_token(&self, claims: AccessTokenClaims) -> Result<ActiveToken, TokenError> {
        let is_user = claims.sub != claims.client_id;
        let user = match Subject::parse(&claims.sub) {
            Ok(subject) if is_user => self.store.user(&subject).await?,
            Ok(_) | Err(_) => None,
        };
        Ok(ActiveToken { username: user.map(|user| user.username.to_string()), claims })
    }
}
