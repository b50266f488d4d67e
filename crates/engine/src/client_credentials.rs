use regrant_crypto::random;
use regrant_grant::AccessPeriod;
use regrant_protocol::{Resources, Scope, TokenResponse};
use tracing::info;

use crate::token::{granted_resources, granted_scope, seconds_until};
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

impl AuthorizationServer {
    /// `grant_type=client_credentials` (RFC 6749 §4.4): no row, no refresh token (§4.4.3).
    pub(crate) async fn client_credentials(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        scope: Option<&Scope>,
        resources: &Resources,
    ) -> Result<TokenResponse, TokenError> {
        client.must_be_confidential()?;
        let scope = granted_scope(client.settings(), scope)?;
        let resources = granted_resources(client.settings(), resources)?;
        let now = self.confirm(context, client).await?;
        let end = client.settings().policy.access_lifetime.end(now);
        let period = AccessPeriod { issued_at: now, expires_at: end };
        // Two requests in one second are two tokens: revoking one must not end the other.
        let unique = random(&*self.entropy);
        let access_token = self.mint_for_client(client, &scope, &resources, period, unique)?;
        info!(client = %client.id(), "issued to the client itself");
        Ok(TokenResponse {
            access_token,
            expires_in: end.map(|end| seconds_until(end, now)),
            scope,
            refresh_token: None,
            refresh_token_expires_in: None,
            id_token: None,
        })
    }
}
