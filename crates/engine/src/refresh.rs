use regrant_crypto::{Purpose, random, sha256};
use regrant_grant::{
    AuthorityTag, Binding, Decision, Grant, GrantId, GrantSecret, REFRESH_PREFIX, RefreshFacts, RotationMode,
    TokenParts, Verdict, Write, decide,
};
use regrant_protocol::{RefreshRequest, Resources, RetryChallenge, RetryVerifier, Scope, TokenResponse};
use regrant_store::{ClientSettings, Scene, Target, decide_in};
use tracing::debug;

use crate::keys::Owner;
use crate::token::Granted;
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

/// A token that no client is asked for by name, but which some clients ask for at every refresh.
const OFFLINE_ACCESS: &str = "offline_access";

/// What a refresh step found out.
enum Outcome {
    /// Tokens are given.
    Granted(Verdict, Box<Granted>),
    /// None are.
    Refused(Verdict),
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
            .map_err(|verdict| refused(verdict, None))?;

        let facts = self.refresh_facts(client, request, &parts);
        match self.refresh_step(context, client, parts, facts).await? {
            Outcome::Granted(verdict, granted) => self.answer_refresh(client, verdict, *granted),
            Outcome::Refused(verdict) => Err(refused(verdict, Some(grant))),
            Outcome::Changed => Err(TokenError::Changed),
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
        let client = client.clone();
        let rule = move |scene: &Scene<'_>| {
            let refused = |verdict| (Outcome::Refused(verdict), Write::Nothing);
            let Some(row) = scene.grant else { return refused(Verdict::UnknownGrant) };
            let version = scene.surroundings.client.map(|client| client.version);
            if row.client == facts.client && version != Some(client.client().party.version) {
                return (Outcome::Changed, Write::Nothing);
            }
            facts.authority_tag = keys.check_authority(&parts, Owner::from(row), Purpose::Refresh);
            facts.scope = facts.scope.take().and_then(|asked| without_unasked_offline_access(row, asked));

            let policy = client.settings().policy;
            let Decision { verdict, write } = decide(row, &facts, &scene.surroundings, &policy, scene.now);
            if !verdict.is_success() {
                return (Outcome::Refused(verdict), write);
            }
            let after = match &write {
                Write::Update(row) | Write::Insert(row) => row,
                Write::Nothing | Write::ListAccessToken { .. } => row,
            };
            if !keys.can_make(after) {
                return refused(Verdict::Unavailable);
            }
            match still_allowed(row, &facts, client.settings()) {
                Ok((scope, resources)) => {
                    let granted = Granted { row: after.clone(), now: scene.now, scope, resources };
                    (Outcome::Granted(verdict, Box::new(granted)), write)
                }
                Err(verdict) => refused(verdict),
            }
        };
        let target = Target::Grant(parts.head.grant);
        Ok(decide_in(&*self.store, target, Some(context.begin_before()), rule).await?)
    }

    fn answer_refresh(
        &self,
        client: &AuthenticatedClient,
        verdict: Verdict,
        granted: Granted,
    ) -> Result<TokenResponse, TokenError> {
        let refresh_token = match client.settings().policy.rotation {
            RotationMode::Consume => None,
            RotationMode::Rotate | RotationMode::Reuse | RotationMode::Fork => {
                Some(self.keys.refresh_token(&granted.row)?)
            }
        };
        let (grant, generation) = (granted.row.id, granted.row.generation.0);
        let response = self.respond(client, granted, refresh_token)?;
        debug!(%verdict, %grant, generation, client = %client.id(), "refreshed");
        Ok(response)
    }
}

/// SEP-2207, and clients that copy it: a refresh that names `offline_access` without having it is not refused.
fn without_unasked_offline_access(row: &Grant, asked: Scope) -> Option<Scope> {
    let asked = if row.scope.contains(OFFLINE_ACCESS) { asked } else { asked.without(OFFLINE_ACCESS) };
    (!asked.is_empty()).then_some(asked)
}

/// What is asked for, or all that was granted, as far as the client may still have it: what an operator takes from a client is
/// gone from its next access token.
fn still_allowed(row: &Grant, facts: &RefreshFacts, settings: &ClientSettings) -> Result<(Scope, Resources), Verdict> {
    let scope = facts.scope.as_ref().unwrap_or(&row.scope).within(&settings.scope);
    let asked_more = facts.scope.as_ref().is_some_and(|asked| *asked != scope);
    if asked_more || (scope.is_empty() && !row.scope.is_empty()) {
        return Err(Verdict::ScopeExceeded);
    }
    let asked = if facts.resources.is_empty() { &row.resources } else { &facts.resources };
    let resources = asked.within(&settings.resources);
    let asked_more = !facts.resources.is_empty() && facts.resources != resources;
    if asked_more || (resources.is_empty() && !row.resources.is_empty()) {
        return Err(Verdict::TargetRefused);
    }
    Ok((scope, resources))
}
