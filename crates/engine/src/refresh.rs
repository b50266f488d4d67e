use std::array;

use regrant_crypto::{Entropy, random, sha256};
use regrant_grant::{
    AuthorityTag, Binding, Decision, Generation, Grant, GrantId, GrantSecret, REFRESH_PREFIX, RefreshFacts,
    RotationMode, Verdict, Write, decide,
};
use regrant_protocol::{ClientId, Kid, RefreshRequest, RetryChallenge, RetryVerifier, Scope, Secret, TokenResponse};
use regrant_store::{ClientSettings, Scene, Target, decide_in};
use zeroize::Zeroizing;

use crate::id_token::OPENID;
use crate::issue_step::Decided;
use crate::keys::KeyState;
use crate::presented::{Presented, epoch_of};
use crate::token::{Granted, row_after, still_allowed};
use crate::token_memory::TokenKey;
use crate::{AuthenticatedClient, AuthorizationServer, Happening, RequestContext, ScopeLimit, TokenError};

/// A token that no client is asked for by name, but which some clients ask for at every refresh.
const OFFLINE_ACCESS: &str = "offline_access";

impl AuthorizationServer {
    /// `grant_type=refresh_token` (RFC 6749 §6): the rule of [`decide`] around one step of the store.
    pub(crate) async fn refresh(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
    ) -> Result<TokenResponse, TokenError> {
        let decided = self.decide_refresh(context, client, request).await;
        let told = match &decided {
            Ok((verdict, granted)) => Some((*verdict, Some(granted.row.id))),
            Err(TokenError::Refresh { verdict, grant, .. }) => Some((*verdict, *grant)),
            // No verdict was reached.
            Err(_) => None,
        };
        if let Some((verdict, grant)) = told {
            self.tell(context, Happening::Refresh { verdict, grant, client: client.id() });
            if verdict == Verdict::RolledBack {
                self.halt(epoch_of(REFRESH_PREFIX, &request.refresh_token)).await;
            }
        }
        let (_, granted) = decided?;
        let refresh_token = match client.settings().policy.rotation {
            RotationMode::Consume => None,
            // It stays what it was, and nobody but its sender knows its string.
            RotationMode::Reuse if granted.row.has_imported_token() => Some(request.refresh_token.clone()),
            RotationMode::Rotate | RotationMode::Reuse | RotationMode::Fork => {
                Some(self.keys.refresh_token(&granted.row)?)
            }
        };
        let mut response = self.respond(client, &granted, refresh_token).await?;
        if wants_id_token(client.settings(), request.scope.as_ref(), &granted.scope) {
            response.id_token = Some(self.mint_id_token(client, &granted, None, &response.access_token).await?);
        }
        Ok(response)
    }

    /// What a refresh would be answered. A token that is good is as good as before; one whose use is reuse ends its grant.
    ///
    /// # Errors
    /// As the refresh itself, as far as it is the rule that refuses.
    pub(crate) async fn look_at_refresh(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
    ) -> Result<(), TokenError> {
        let presented = self.present(context, Some(client), &request.refresh_token).await?;
        let grant = presented.grant();
        let mut rule = self.refresh_rule(client, request, presented);
        let look = move |scene: &Scene<'_>| match rule(scene) {
            (Ok(_), _) => (Ok(()), Write::Nothing),
            // Whatever else the request asks for, reuse ends the grant in the step that finds it.
            (Err(error), write) => (Err(error), write),
        };
        decide_in(&*self.store, Target::Grant(grant), Some(context.begin_before()), look).await?
    }

    /// The client that a presented refresh token was issued to; `None` when it is none of ours, or its grant is gone. Nothing is
    /// written, and whether the token is good is not said.
    ///
    /// # Errors
    /// When nobody can say now.
    pub(crate) async fn client_of_refresh_token(
        &self,
        context: &RequestContext,
        token: &Secret,
    ) -> Result<Option<ClientId>, TokenError> {
        let grant = match self.present(context, None, token).await {
            Ok(presented) => presented.grant(),
            Err(TokenError::Refresh { verdict, .. }) if verdict != Verdict::Unavailable => return Ok(None),
            Err(error) => return Err(error),
        };
        let look = |scene: &Scene<'_>| (scene.grant.map(|row| row.client.clone()), Write::Nothing);
        Ok(decide_in(&*self.store, Target::Grant(grant), Some(context.begin_before()), look).await?)
    }

    async fn decide_refresh(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
    ) -> Result<(Verdict, Granted), TokenError> {
        let presented = self.present_or_take_over(context, client, &request.refresh_token).await?;
        let grant = presented.grant();
        let key = || TokenKey::of(client.id(), &request.refresh_token);
        if self.revoked_tokens.has(key, grant, context.first_byte) {
            return Err(TokenError::Refresh { verdict: Verdict::Revoked, grant: Some(grant), limit: None });
        }
        let decided = self.issue_step(context, client, grant, self.refresh_rule(client, request, presented)).await;
        if let Err(TokenError::Refresh { verdict: Verdict::Revoked, .. }) = &decided {
            self.revoked_tokens.remember(key(), grant, context.first_byte);
        }
        decided
    }

    fn refresh_facts(&self, client: &AuthenticatedClient, request: &RefreshRequest) -> RefreshFacts {
        let of_verifier = |verifier: &RetryVerifier| RetryChallenge::of_digest(&sha256(verifier.expose().as_bytes()));
        RefreshFacts {
            client: client.id().clone(),
            client_kind: client.kind(),
            proven_key: Binding::None,
            // What the token says of itself is known once its row is read.
            generation: Generation::IMPORTED,
            kid: Kid::FIRST,
            epoch: self.keys.present_epoch(),
            authority_tag: AuthorityTag::Invalid,
            retry_challenge: request.retry_challenge,
            retry_verifier: request.retry_verifier.as_ref().map(of_verifier),
            scope: request.scope.clone(),
            resources: request.resources.clone(),
            newest_kid: self.keys.newest_kid(),
            sibling: new_sibling(&*self.entropy),
            recovery: self.keys.recovery(),
        }
    }

    fn refresh_rule(
        &self,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
        presented: Presented,
    ) -> impl FnMut(&Scene<'_>) -> Decided<Verdict> + Clone + Send + 'static {
        let mut facts = self.refresh_facts(client, request);
        let grant = presented.grant();
        let refused = move |verdict| TokenError::Refresh { verdict, grant: Some(grant), limit: None };
        let keys = self.keys.clone();
        let asker = client.clone();
        let id_token_key_in_the_making = self.id_token_key_in_the_making(client.settings());
        move |scene: &Scene<'_>| {
            let unchanged = |error| (Err(error), Write::Nothing);
            let Some(row) = scene.grant else { return unchanged(refused(Verdict::UnknownGrant)) };
            let version = scene.surroundings.client.map(|client| client.version);
            if row.client == facts.client && version != Some(asker.client().party.version) {
                return unchanged(TokenError::Changed);
            }
            presented.tell(&mut facts, &keys, row);
            facts.scope = facts.scope.take().and_then(|asked| without_unasked_offline_access(row, asked));

            let policy = asker.settings().policy;
            let Decision { verdict, write } = decide(row, &facts, &scene.surroundings, &policy, scene.now);
            if verdict == Verdict::ScopeExceeded {
                let limit = Some(limit_of(row, facts.scope.as_ref(), asker.settings()));
                return (Err(TokenError::Refresh { verdict, grant: Some(grant), limit }), write);
            }
            if !verdict.is_success() {
                return (Err(refused(verdict)), write);
            }
            let after = row_after(&write, row);
            if !keys.can_make(after) {
                // The successor of an imported token, which outlives its master key, may have died with that.
                let died = keys.state_of(after.kid) == KeyState::Retired;
                return unchanged(refused(if died { Verdict::DeadEpoch } else { Verdict::Unavailable }));
            }
            let asked = facts.scope.as_ref();
            let (scope, resources) = match still_allowed(row, asked, &facts.resources, asker.settings()) {
                Ok(allowed) => allowed,
                Err(taken) => return unchanged(refused(taken.into())),
            };
            match id_token_key_in_the_making.filter(|_| wants_id_token(asker.settings(), asked, &scope)) {
                Some(algorithm) => unchanged(TokenError::SigningKeyNotReady(algorithm)),
                None => (Ok((verdict, Granted::new(after.clone(), scene, scope, resources))), write),
            }
        }
    }
}

/// Name and secret of a grant, drawn at once: most of what it costs to draw is the same for any number of bytes.
fn new_sibling(entropy: &dyn Entropy) -> (GrantId, GrantSecret) {
    let drawn: Zeroizing<[u8; 32]> = Zeroizing::new(random(entropy));
    let (id, secret) = drawn.split_at(16);
    let of = |half: &[u8]| array::from_fn(|at| half[at]);
    (GrantId(of(id)), GrantSecret::new(of(secret)))
}

/// What a scope goes beyond that is not within that of the grant.
fn limit_of(row: &Grant, asked: Option<&Scope>, settings: &ClientSettings) -> ScopeLimit {
    let client_may = asked.is_some_and(|asked| asked.is_within(&settings.scope));
    if client_may || !row.scope.is_empty() { ScopeLimit::Grant } else { ScopeLimit::of_client(&settings.scope) }
}

/// OpenID Connect Core §12.2 leaves it open whether a refresh gives an ID token: a client gets one when it asks by name, or
/// always by its setting.
pub(crate) fn wants_id_token(settings: &ClientSettings, asked: Option<&Scope>, given: &Scope) -> bool {
    let asks = settings.id_token_on_refresh || asked.is_some_and(|asked| asked.contains(OPENID));
    asks && given.contains(OPENID)
}

/// SEP-2207, and clients that copy it: a refresh that names `offline_access` without having it is not refused.
fn without_unasked_offline_access(row: &Grant, asked: Scope) -> Option<Scope> {
    let asked = if row.scope.contains(OFFLINE_ACCESS) { asked } else { asked.without(OFFLINE_ACCESS) };
    (!asked.is_empty()).then_some(asked)
}
