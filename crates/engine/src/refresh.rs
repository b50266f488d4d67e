use regrant_crypto::{Purpose, random, sha256};
use regrant_grant::{
    AuthorityTag, Binding, Decision, Grant, GrantId, GrantSecret, REFRESH_PREFIX, RefreshFacts, RotationMode,
    TokenParts, Verdict, Write, access_period, decide,
};
use regrant_protocol::{RefreshRequest, RetryChallenge, RetryVerifier, Timestamp, TokenResponse};
use regrant_store::{Scene, Target, decide_in};
use tracing::debug;

use crate::keys::Owner;
use crate::token::Narrowed;
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

/// A token that no client is asked for by name, but which some clients ask for at every refresh.
const OFFLINE_ACCESS: &str = "offline_access";

/// What a refresh step found out.
enum Outcome {
    /// The rule decided; the row as it is now, and the store's time.
    Decided(Verdict, Option<Box<Grant>>, Timestamp),
    /// The client changed since it was authenticated.
    Changed,
}

impl AuthorizationServer {
    /// `grant_type=refresh_token` (RFC 6749 §6): the rule of [`decide`] around one step of the store.
    pub(crate) async fn refresh(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
    ) -> Result<TokenResponse, TokenError> {
        let refused = |verdict, grant| TokenError::Refresh { verdict, grant };
        let parts = TokenParts::parse(REFRESH_PREFIX, request.refresh_token.expose())
            .map_err(|_| refused(Verdict::Malformed, None))?;
        let grant = parts.head.grant;
        self.keys
            .prefilter(&parts.head, &parts.prefilter_tag, Purpose::Refresh)
            .map_err(|verdict| refused(verdict, Some(grant)))?;

        let facts = self.refresh_facts(client, request, &parts);
        let outcome = self.refresh_step(context, client, parts, facts).await?;
        let (verdict, row, now) = match outcome {
            Outcome::Decided(verdict, row, now) => (verdict, row, now),
            Outcome::Changed => return Err(TokenError::Changed),
        };
        match row.filter(|_| verdict.is_success()) {
            Some(row) => self.answer_refresh(client, request, verdict, &row, now),
            None => Err(refused(verdict, Some(grant))),
        }
    }

    fn refresh_facts(
        &self,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
        parts: &TokenParts,
    ) -> RefreshFacts {
        let of_verifier = |verifier: &RetryVerifier| RetryChallenge::of_digest(&sha256(verifier.expose().as_bytes()));
        RefreshFacts {
            client: client.id().clone(),
            client_kind: client.kind(),
            proven_key: Binding::None,
            generation: parts.head.generation,
            kid: parts.head.kid,
            epoch: parts.head.epoch,
            // Known once the row is read.
            authority_tag: AuthorityTag::Invalid,
            retry_challenge: request.retry_challenge,
            retry_verifier: request.retry_verifier.as_ref().map(of_verifier),
            scope: request.scope.clone(),
            resources: request.resources.clone(),
            newest_kid: self.keys.newest_kid(),
            sibling: (GrantId(random(&*self.entropy)), GrantSecret::new(random(&*self.entropy))),
        }
    }

    async fn refresh_step(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        parts: TokenParts,
        mut facts: RefreshFacts,
    ) -> Result<Outcome, TokenError> {
        let keys = self.keys.clone();
        let policy = client.settings().policy;
        let version = client.client().party.version;
        let rule = move |scene: &Scene<'_>| {
            let decided = |verdict, row| Outcome::Decided(verdict, row, scene.now);
            let Some(row) = scene.grant else {
                return (decided(Verdict::UnknownGrant, None), Write::Nothing);
            };
            let is_stranger = row.client != facts.client;
            if !is_stranger && scene.surroundings.client.is_some_and(|client| client.version != version) {
                return (Outcome::Changed, Write::Nothing);
            }
            facts.authority_tag = keys.check_authority(&parts, Owner::from(row), Purpose::Refresh);
            // SEP-2207, and clients that copy it: a refresh that names offline_access without having it is not refused.
            if !row.scope.contains(OFFLINE_ACCESS)
                && let Some(scope) = facts.scope.take()
            {
                facts.scope = Some(scope.without(OFFLINE_ACCESS));
            }
            let Decision { verdict, write } = decide(row, &facts, &scene.surroundings, &policy, scene.now);
            let after = match &write {
                Write::Update(row) | Write::Insert(row) => row,
                Write::Nothing | Write::ListAccessToken { .. } => row,
            };
            if verdict.is_success() && !keys.knows(after.kid) {
                return (decided(Verdict::Unavailable, None), Write::Nothing);
            }
            (decided(verdict, Some(Box::new(after.clone()))), write)
        };
        let target = Target::Grant(parts.head.grant);
        Ok(decide_in(&*self.store, target, Some(context.begin_before()), rule).await?)
    }

    fn answer_refresh(
        &self,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
        verdict: Verdict,
        row: &Grant,
        now: Timestamp,
    ) -> Result<TokenResponse, TokenError> {
        let rotation = client.settings().policy.rotation;
        let refresh_token = match rotation {
            RotationMode::Consume => None,
            RotationMode::Rotate | RotationMode::Reuse | RotationMode::Fork => self.keys.refresh_token(row),
        };
        let period = access_period(row, rotation, now);
        let asked = request.scope.as_ref().map(|scope| {
            if row.scope.contains(OFFLINE_ACCESS) { scope.clone() } else { scope.without(OFFLINE_ACCESS) }
        });
        let narrowed = Narrowed { scope: asked.as_ref(), resources: &request.resources };
        let response = self.respond(client, row, narrowed, refresh_token, period, now)?;
        debug!(%verdict, grant = %row.id, generation = row.generation.0, client = %client.id(), "refreshed");
        Ok(response)
    }
}
