use std::sync::Arc;

use regrant_grant::Verdict;
use regrant_protocol::{ClientAuthentication, RefreshRequest, RequestFault, TokenEndpointAuthMethod, TokenRequest};

use crate::clients::CachedClient;
use crate::{
    AuthenticatedClient, AuthorizationServer, ClaimedClient, Endpoint, Happening, Reason, RequestContext, TokenCall,
    TokenError,
};

impl AuthorizationServer {
    /// Who a call comes from. A client that is taken from a refresh token is public: whoever has a secret has to present it, and
    /// hears that. Such a client has lost its credentials for once, and would throw a token away that it calls unknown; whoever
    /// else holds that token learns what kind of client it is of.
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
        let unknown = || self.unknown_refresh(context);
        let of_token = self.client_of_refresh_token(context, &request.refresh_token).await?;
        let of_token = of_token.or_else(|| self.client_of_unknown_token(&request.refresh_token));
        let id = of_token.ok_or_else(unknown)?;
        let is_public = |known: &Arc<CachedClient>| known.client.settings.is_public();
        let known = match self.clients.find(&*self.store, &id).await?.filter(is_public) {
            Some(known) => Some(known),
            // What a copy in memory refuses may be right by now.
            None => self.clients.reload(&*self.store, &id).await?,
        };
        let known = known.ok_or_else(unknown)?;
        if !is_public(&known) {
            return Err(TokenError::Request(RequestFault::NoClientCredentials));
        }
        Ok(ClientAuthentication { client_id: id, secret: None, method: TokenEndpointAuthMethod::None })
    }

    /// Fails for what is wrong with a refresh token that its client may not use anyway. Reuse ends the grant here too.
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
            Err(error) => {
                if let TokenError::Refresh { verdict, grant, .. } = error {
                    self.tell(context, Happening::Refresh { verdict, grant, client: client.id() });
                }
                Err(error)
            }
        }
    }

    /// Tells of a refresh that was refused before its client was known.
    fn unknown_refresh(&self, context: &RequestContext) -> TokenError {
        let error = TokenError::refresh(Verdict::UnknownGrant);
        let (endpoint, reason) = (Endpoint::Token, Reason::Token(&error));
        self.tell(context, Happening::Refused { endpoint, client: None, reason });
        error
    }
}
