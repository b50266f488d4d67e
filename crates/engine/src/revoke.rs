use regrant_crypto::Purpose;
use regrant_grant::{GrantId, REFRESH_PREFIX, RevokeVerdict, TokenParts, Verdict, Write};
use regrant_protocol::{ClientAuthentication, Params, RequestFault, RevocationRequest};
use regrant_store::{FoundToken, Scene, Target, decide_in};

use crate::client_authentication::ATTEMPTS_MAX;
use crate::failures::FailureKey;
use crate::keys::Unrecognised;
use crate::presented::Presented;
use crate::{
    AboutToken, AuthenticatedClient, AuthorizationServer, Endpoint, Happening, Reason, RequestContext, RevokedGrants,
    Revoker, TokenError,
};

impl AuthorizationServer {
    /// `POST /revoke` (RFC 7009): a refresh token of any generation ends its grant, an access token ends alone. What is
    /// not a token of this client changes nothing, and the answer is the same (§2.2).
    ///
    /// # Errors
    /// [`TokenError`]; when the store failed the token may or may not be revoked, and the caller is told to try again.
    pub async fn revoke(
        &self,
        context: &RequestContext,
        authorization: Option<&[u8]>,
        params: &Params,
    ) -> Result<(), TokenError> {
        let call = AboutToken::standard(authorization, params, RevocationRequest::parse);
        self.answer_revocation_call(context, &call).await
    }

    /// As [`AuthorizationServer::revoke`], for a request that was read by the customs of another server.
    ///
    /// # Errors
    /// As there.
    pub async fn answer_revocation_call(
        &self,
        context: &RequestContext,
        call: &AboutToken<RevocationRequest>,
    ) -> Result<(), TokenError> {
        let refused = |client, error| self.refused(context, Endpoint::Revocation, client, error);
        let claimed = call.claimed().map_err(|fault| refused(None, TokenError::Request(fault)))?;
        let answer = self.revoke_from(context, claimed, &call.request).await;
        answer.map_err(|error| refused(Some(&claimed.client_id), error))
    }

    async fn revoke_from(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
        request: &Result<RevocationRequest, RequestFault>,
    ) -> Result<(), TokenError> {
        for _ in 0..ATTEMPTS_MAX {
            let client = self.authenticate(context, claimed).await?;
            match self.revoke_for(context, &client, request).await {
                Ok(()) => return Ok(()),
                Err(refusal) => self.unless_changed(&client, refusal).await?,
            }
        }
        Err(TokenError::Changed)
    }

    async fn revoke_for(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &Result<RevocationRequest, RequestFault>,
    ) -> Result<(), TokenError> {
        let request = request.as_ref().map_err(|fault| TokenError::Request(fault.clone()))?;
        let token = request.token.expose();
        if let Ok(parts) = TokenParts::parse(REFRESH_PREFIX, token) {
            return self.revoke_ours(context, client, parts).await;
        }
        self.learn_of_signer(token).await?;
        let guesses = FailureKey::imported_token(context.source);
        let live = match self.recognise(token) {
            Some(ours) => self.judge(context, ours, Some(client), true).await?,
            None => match self.find_imported(guesses, Some(client), token).await? {
                Some(FoundToken::Refresh(grant)) => {
                    return self.revoke_grant(context, client, Presented::Imported(grant)).await;
                }
                Some(FoundToken::Access(grant, token)) => {
                    self.judge_imported(context, grant, *token, Some(client), true).await?
                }
                // What is revoked before it was taken over would be taken over afterwards.
                None => match self.take_over(context, client, &request.token).await? {
                    Some(grant) => return self.revoke_grant(context, client, Presented::Imported(grant)).await,
                    None => None,
                },
            },
        };
        if let Some(live) = live {
            self.tell(context, Happening::AccessTokenRevoked { client: client.id(), token: &live.claims.jti });
            return Ok(());
        }
        // Whoever revokes must still be who it was, and no step of the token has told.
        self.confirm(context, client).await.map(drop)
    }

    async fn revoke_ours(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        parts: TokenParts,
    ) -> Result<(), TokenError> {
        self.learn_of_key(parts.head.kid).await?;
        match self.keys.prefilter(&parts.head, &parts.prefilter_tag, Purpose::Refresh) {
            Ok(()) => self.revoke_grant(context, client, Presented::Ours(parts)).await,
            Err(Unrecognised::Forged | Unrecognised::KeyRetired) => self.confirm(context, client).await.map(drop),
            // The key that is on its way here may make the token ours: nothing is decided yet.
            Err(unrecognised @ Unrecognised::KeyMissing) => {
                Err(self.not_revoked(context, client, parts.head.grant, unrecognised.into()))
            }
        }
    }

    async fn revoke_grant(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        presented: Presented,
    ) -> Result<(), TokenError> {
        let (grant, epoch) = (presented.grant(), presented.epoch());
        let keys = self.keys.clone();
        let client_id = client.id().clone();
        let version = client.client().party.version;
        let rule = move |scene: &Scene<'_>| {
            let Some(row) = scene.grant else { return (None, Write::Nothing) };
            if row.client == client_id && scene.surroundings.client.map(|client| client.version) != Some(version) {
                return (None, Write::Nothing);
            }
            let tag = presented.check_authority(&keys, row);
            let (verdict, write) = regrant_grant::revoke(row, &client_id, tag, &scene.surroundings, scene.now);
            (Some(verdict), write)
        };
        let verdict = decide_in(&*self.store, Target::Grant(grant), Some(context.begin_before()), rule).await?;
        match verdict {
            Some(RevokeVerdict::Revoked) => {
                self.tell(context, Happening::Revoked { grants: RevokedGrants::One(grant), by: Revoker::Client });
                Ok(())
            }
            // RFC 7009 §2.2.1: what may come alive again must not be reported as revoked.
            Some(RevokeVerdict::RolledBack) => {
                self.halt(epoch).await;
                Err(self.not_revoked(context, client, grant, Verdict::RolledBack))
            }
            Some(RevokeVerdict::AlreadyRevoked) => Ok(()),
            Some(RevokeVerdict::WrongClient | RevokeVerdict::Forged) | None => {
                self.confirm(context, client).await.map(drop)
            }
        }
    }

    /// Tells that a token was not revoked because nothing could be decided.
    fn not_revoked(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        grant: GrantId,
        verdict: Verdict,
    ) -> TokenError {
        let error = TokenError::Refresh { verdict, grant: Some(grant), limit: None };
        let (endpoint, reason) = (Endpoint::Revocation, Reason::Token(&error));
        self.tell(context, Happening::Refused { endpoint, client: Some(client.id()), reason });
        error
    }
}
