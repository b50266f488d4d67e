use regrant_crypto::{Purpose, random, sha256};
use regrant_grant::{
    AuthorityTag, Binding, Decision, Grant, GrantId, GrantSecret, REFRESH_PREFIX, RefreshFacts, RotationMode,
    TokenParts, Verdict, Write, decide,
};
use regrant_protocol::{RefreshRequest, RetryChallenge, RetryVerifier, Scope, TokenResponse};
use regrant_store::{ClientSettings, Scene};

use crate::id_token::OPENID;
use crate::keys::Owner;
use crate::token::{Granted, row_after, still_allowed};
use crate::{AuthenticatedClient, AuthorizationServer, Happening, RequestContext, TokenError};

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
            Err(TokenError::Refresh { verdict, grant }) => Some((*verdict, *grant)),
            // No verdict was reached.
            Err(_) => None,
        };
        if let Some((verdict, grant)) = told {
            self.tell(context, Happening::Refresh { verdict, grant, client: client.id() });
        }
        let (_, granted) = decided?;
        let refresh_token = match client.settings().policy.rotation {
            RotationMode::Consume => None,
            RotationMode::Rotate | RotationMode::Reuse | RotationMode::Fork => {
                Some(self.keys.refresh_token(&granted.row)?)
            }
        };
        let mut response = self.respond(client, &granted, refresh_token)?;
        if wants_id_token(client.settings(), request.scope.as_ref(), &granted.scope) {
            response.id_token = Some(self.mint_id_token(client, &granted, None, &response.access_token).await?);
        }
        Ok(response)
    }

    async fn decide_refresh(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &RefreshRequest,
    ) -> Result<(Verdict, Granted), TokenError> {
        let refused = |verdict, grant| TokenError::Refresh { verdict, grant };
        let parts = TokenParts::parse(REFRESH_PREFIX, request.refresh_token.expose())
            .map_err(|_| refused(Verdict::Malformed, None))?;
        self.keys
            .prefilter(&parts.head, &parts.prefilter_tag, Purpose::Refresh)
            .map_err(|unrecognised| refused(unrecognised.into(), None))?;
        let facts = self.refresh_facts(client, request, &parts);
        self.refresh_step(context, client, parts, facts).await
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
    ) -> Result<(Verdict, Granted), TokenError> {
        let grant = parts.head.grant;
        let refused = move |verdict| TokenError::Refresh { verdict, grant: Some(grant) };
        let keys = self.keys.clone();
        let asker = client.clone();
        let id_token_key_in_the_making = self.id_token_key_in_the_making(client.settings());
        let rule = move |scene: &Scene<'_>| {
            let unchanged = |error| (Err(error), Write::Nothing);
            let Some(row) = scene.grant else { return unchanged(refused(Verdict::UnknownGrant)) };
            let version = scene.surroundings.client.map(|client| client.version);
            if row.client == facts.client && version != Some(asker.client().party.version) {
                return unchanged(TokenError::Changed);
            }
            facts.authority_tag = keys.check_authority(&parts, Owner::from(row), Purpose::Refresh);
            facts.scope = facts.scope.take().and_then(|asked| without_unasked_offline_access(row, asked));

            let policy = asker.settings().policy;
            let Decision { verdict, write } = decide(row, &facts, &scene.surroundings, &policy, scene.now);
            if !verdict.is_success() {
                return (Err(refused(verdict)), write);
            }
            let after = row_after(&write, row);
            if !keys.can_make(after) {
                return unchanged(refused(Verdict::Unavailable));
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
        };
        self.issue_step(context, client, grant, rule).await
    }
}

/// OpenID Connect Core §12.2 leaves it open whether a refresh gives an ID token: a client gets one when it asks by name, or
/// always by its setting.
fn wants_id_token(settings: &ClientSettings, asked: Option<&Scope>, given: &Scope) -> bool {
    let asks = settings.id_token_on_refresh || asked.is_some_and(|asked| asked.contains(OPENID));
    asks && given.contains(OPENID)
}

/// SEP-2207, and clients that copy it: a refresh that names `offline_access` without having it is not refused.
fn without_unasked_offline_access(row: &Grant, asked: Scope) -> Option<Scope> {
    let asked = if row.scope.contains(OFFLINE_ACCESS) { asked } else { asked.without(OFFLINE_ACCESS) };
    (!asked.is_empty()).then_some(asked)
}
