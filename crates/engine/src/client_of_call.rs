use regrant_grant::Verdict;
use regrant_protocol::{ClientAuthentication, RefreshRequest, RequestFault, TokenEndpointAuthMethod, TokenRequest};

use crate::{
    AuthenticatedClient, AuthorizationServer, ClaimedClient, Endpoint, Happening, Reason, RequestContext, TokenCall,
    TokenError,
};

impl AuthorizationServer {
    /// Who a call comes from. A client that is taken from a refresh token is public: whoever has a secret has to present it.
    pub(crate) async fn claimed_client(
        &self,
        context: &RequestContext,
        call: &TokenCall,
    ) -> Result<ClientAuthentication, TokenError> {
        match (&call.client, &call.request) {
            (ClaimedClient::Named(claimed), _) => Ok(claimed.clone()),
            (ClaimedClient::Fault(fault), _) => Err(TokenError::Request(fault.clone())),
            (ClaimedClient::OfRefreshToken, Ok(TokenRequest::RefreshToken(request))) => {
                self.client_of_refresh(context, request).await
            }
            (ClaimedClient::OfRefreshToken, _) => Err(TokenError::Request(RequestFault::NoClientCredentials)),
        }
    }

    async fn client_of_refresh(
        &self,
        context: &RequestContext,
        request: &RefreshRequest,
    ) -> Result<ClientAuthentication, TokenError> {
        let Some(client_id) = self.client_of_refresh_token(context, &request.refresh_token).await? else {
            return Err(self.refresh_refused(context, None, TokenError::refresh(Verdict::UnknownGrant)));
        };
        let known = self.clients.find(&*self.store, &client_id).await?;
        if known.is_some_and(|known| !known.client.settings.is_public()) {
            return Err(TokenError::Request(RequestFault::NoClientCredentials));
        }
        Ok(ClientAuthentication { client_id, secret: None, method: TokenEndpointAuthMethod::None })
    }

    /// Fails for what is wrong with a refresh token that its client may not use anyway. Nothing is written.
    pub(crate) async fn check_refresh_token(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
    ) -> Result<(), TokenError> {
        match self.look_at_refresh(context, client, request).await {
            // What is asked for comes after who may ask.
            Ok(()) | Err(TokenError::Refresh { verdict: Verdict::ScopeExceeded | Verdict::TargetRefused, .. }) => {
                Ok(())
            }
            Err(error @ TokenError::Refresh { .. }) => Err(self.refresh_refused(context, Some(client), error)),
            Err(error) => Err(error),
        }
    }

    /// Tells of a refresh that was refused before its grant was asked to refresh.
    fn refresh_refused(
        &self,
        context: &RequestContext,
        client: Option<&AuthenticatedClient>,
        error: TokenError,
    ) -> TokenError {
        let (endpoint, reason) = (Endpoint::Token, Reason::Token(&error));
        self.tell(context, Happening::Refused { endpoint, client: client.map(AuthenticatedClient::id), reason });
        error
    }
}
