use regrant_crypto::random;
use regrant_grant::{AccessPeriod, Generation, GrantId, Head};
use regrant_protocol::{GrantType, Resources, Scope, TokenResponse};

use crate::access_token_draft::{Draft, OwnRequest};
use crate::token::{granted_resources, granted_scope, seconds_until};
use crate::{AuthenticatedClient, AuthorizationServer, ClaimsRequest, Happening, RequestContext, TokenError};

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
        let asked = ClaimsRequest { client: client.id(), subject: None, grant: None, scope: &scope };
        let added = self.ask_for_claims(context, asked).await?;
        let now = self.confirm(context, client).await?;
        let end = client.settings().policy.access_lifetime.end(now);
        let period = AccessPeriod { issued_at: now, expires_at: end };
        // Two requests in one second are two tokens: revoking one must not end the other.
        let unique = random(&*self.entropy);
        let own = OwnRequest { scope: &scope, resources: &resources, added: &added, unique };
        let access_token = self.mint(client, &self.draft_for_client(client, &own, period)).await?;
        let (grant_type, client) = (GrantType::ClientCredentials, client.id());
        self.tell(context, Happening::Issued { grant_type, grant: None, client, subject: None });
        Ok(TokenResponse {
            access_token,
            expires_in: end.map(|end| seconds_until(end, now)),
            scope,
            refresh_token: None,
            refresh_token_expires_in: None,
            id_token: None,
        })
    }

    fn draft_for_client<'a>(
        &'a self,
        client: &'a AuthenticatedClient,
        own: &OwnRequest<'a>,
        period: AccessPeriod,
    ) -> Draft<'a> {
        let record = client.client();
        let head = Head {
            kid: self.keys.newest_kid(),
            epoch: self.keys.present_epoch(),
            grant: GrantId(record.handle.0),
            generation: Generation(record.party.cutoff),
        };
        Draft::for_client(&self.issuer, client, own, head, period)
    }
}
