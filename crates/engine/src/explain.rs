use std::sync::Arc;

use regrant_crypto::{Purpose, Typ, sha256, unverified_header};
use regrant_grant::{
    AccessTokenId, AccessVerdict, AuthorityTag, Binding, CODE_PREFIX, ClientKind, Generation, Grant, GrantId,
    ImportedToken, REFRESH_PREFIX, RedeemFacts, RedeemVerdict, RefreshFacts, TokenParts, Verdict, Write, decide,
    judge_access, redeem,
};
use regrant_protocol::{AccessTokenClaims, ClientId, GrantType, Resources, Secret, Timestamp};
use regrant_store::{FoundToken, ImportedAccessToken, ListedGrant, Scene, StoreError, Target, decide_in};

use crate::AuthorizationServer;
use crate::access_token::{Recognised, judge_own_token};
use crate::clients::CachedClient;
use crate::imported_access_token::judge_imported_token;
use crate::keys::{Owner, Unrecognised};
use crate::presented::Presented;
use crate::replaced::Replaced;
use crate::token::still_allowed;

mod explanation;
mod sentence;

pub use explanation::{ExplainedGrant, ExplainedVerdict, Explanation, TokenKind};
pub(crate) use sentence::{of_client, of_log_in, of_redemption, of_refresh};

impl AuthorizationServer {
    /// Explains a token to an operator: what it is, and what would become of it now, if the client that it was issued to
    /// presented it, proved itself, and asked for nothing beside. The rules are those of the endpoints; nothing is written.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn explain(&self, token: &str) -> Result<Explanation, StoreError> {
        if token.starts_with(REFRESH_PREFIX) {
            return self.explain_refresh_token(token).await;
        }
        if token.starts_with(CODE_PREFIX) {
            return self.explain_code(token).await;
        }
        self.learn_of_signer(token).await?;
        if let Some(recognised) = self.recognise(token) {
            return self.explain_access_token(recognised).await;
        }
        let id_token = self.verify_id_token_hint(&Secret::new(token.to_owned()));
        if let Some(claims) = id_token {
            return Ok(Explanation {
                client: ClientId::parse(&claims.aud).ok(),
                ..Explanation::of(TokenKind::IdToken, (ExplainedVerdict::None, sentence::ID_TOKEN))
            });
        }
        match self.store.imported_token(&ImportedToken(sha256(token.as_bytes()))).await? {
            Some(FoundToken::Refresh(grant)) => return self.explain_presented(Presented::Imported(grant)).await,
            Some(FoundToken::Access(grant, token)) => return self.explain_imported_access_token(grant, *token).await,
            None => {}
        }
        let unknown = || Explanation::of(TokenKind::Unknown, (ExplainedVerdict::None, sentence::UNKNOWN));
        Ok(self.explain_by_withdrawn_key(token).await?.unwrap_or_else(unknown))
    }
}

impl AuthorizationServer {
    async fn explain_refresh_token(&self, token: &str) -> Result<Explanation, StoreError> {
        let explain = |verdict: Verdict| {
            Explanation::of(
                TokenKind::RefreshToken,
                (ExplainedVerdict::Refresh(verdict), sentence::of_refresh(verdict)),
            )
        };
        let Ok(parts) = TokenParts::parse(REFRESH_PREFIX, token) else {
            return Ok(explain(Verdict::Malformed));
        };
        self.learn_of_key(parts.head.kid).await?;
        match self.keys.prefilter(&parts.head, &parts.prefilter_tag, Purpose::Refresh) {
            Ok(()) => self.explain_presented(Presented::Ours(parts)).await,
            Err(unrecognised) => Ok(explain(unrecognised.into()).about(parts.head.grant, parts.head.generation, None)),
        }
    }

    async fn explain_presented(&self, presented: Presented) -> Result<Explanation, StoreError> {
        let kind = TokenKind::RefreshToken;
        let explain = |verdict| (ExplainedVerdict::Refresh(verdict), sentence::of_refresh(verdict));
        let (grant, generation) = (presented.grant(), presented.generation());
        let Some(found) = self.find_grant(grant).await? else {
            let verdict = explain(Verdict::UnknownGrant);
            return Ok(Explanation::of(kind, verdict).about(grant, generation, None));
        };
        let Some(client) = found.client.as_deref().filter(|found| found.client.party.enabled) else {
            let verdict = explain(Verdict::ClientDisabled);
            return Ok(Explanation::of(kind, verdict).about(grant, generation, Some(found.listed)));
        };
        let settings = client.client.settings.clone();
        if !settings.grant_types.contains(&GrantType::RefreshToken) {
            let verdict = (ExplainedVerdict::GrantTypeNotAllowed, sentence::GRANT_TYPE_NOT_ALLOWED);
            return Ok(Explanation::of(kind, verdict).about(grant, generation, Some(found.listed)));
        }
        let (keys, newest_kid) = (self.keys.clone(), self.keys.newest_kid());
        let rule = move |scene: &Scene<'_>| {
            let Some(row) = scene.grant else { return (Verdict::UnknownGrant, Write::Nothing) };
            let mut facts = RefreshFacts {
                client: row.client.clone(),
                client_kind: if settings.is_public() { ClientKind::Public } else { ClientKind::Confidential },
                proven_key: row.binding,
                generation,
                kid: row.kid,
                epoch: row.epoch,
                authority_tag: AuthorityTag::Invalid,
                retry_challenge: row.retry_challenge,
                retry_verifier: row.retry_challenge,
                scope: None,
                resources: Resources::default(),
                newest_kid,
                // Nothing is written.
                sibling: (row.id, row.secret.clone()),
                recovery: keys.recovery(),
            };
            presented.tell(&mut facts, &keys, row);
            let verdict = decide(row, &facts, &scene.surroundings, &settings.policy, scene.now).verdict;
            let taken = still_allowed(row, None, &facts.resources, &settings).err().filter(|_| verdict.is_success());
            (taken.map_or(verdict, Verdict::from), Write::Nothing)
        };
        let verdict = decide_in(&*self.store, Target::Grant(grant), None, rule).await?;
        Ok(Explanation::of(kind, explain(verdict)).about(grant, generation, Some(found.listed)))
    }

    async fn explain_code(&self, token: &str) -> Result<Explanation, StoreError> {
        let kind = TokenKind::Code;
        let explain = |verdict| (ExplainedVerdict::Redemption(verdict), sentence::of_redemption(verdict));
        let Ok(parts) = TokenParts::parse(CODE_PREFIX, token) else {
            return Ok(Explanation::of(kind, explain(RedeemVerdict::Malformed)));
        };
        let grant = parts.head.grant;
        let found = match self.find_owner(&parts, Purpose::Code).await? {
            Ok(found) => found,
            Err(none) => return Ok(Explanation::of(kind, explain(none.into())).about(grant, Generation::CODE, None)),
        };
        let Some(client) = found.client.as_deref().filter(|found| found.client.party.enabled) else {
            let verdict = explain(RedeemVerdict::ClientDisabled);
            return Ok(Explanation::of(kind, verdict).about(grant, Generation::CODE, Some(found.listed)));
        };
        let settings = client.client.settings.clone();
        if !settings.grant_types.contains(&GrantType::AuthorizationCode) {
            let verdict = (ExplainedVerdict::GrantTypeNotAllowed, sentence::GRANT_TYPE_NOT_ALLOWED);
            return Ok(Explanation::of(kind, verdict).about(grant, Generation::CODE, Some(found.listed)));
        }
        let (keys, newest_kid) = (self.keys.clone(), self.keys.newest_kid());
        let rule = move |scene: &Scene<'_>| {
            let Some(row) = scene.grant else { return (RedeemVerdict::UnknownGrant, Write::Nothing) };
            let code = row.code.as_ref();
            let facts = RedeemFacts {
                client: row.client.clone(),
                authority_tag: keys.check_authority(&parts, Owner::of_code(row), Purpose::Code),
                kid: parts.head.kid,
                epoch: parts.head.epoch,
                verifier: code.and_then(|code| code.challenge),
                redirect_uri: code.map(|code| code.redirect_uri),
                newest_kid,
            };
            (redeem(row, &facts, &scene.surroundings, &settings.policy, scene.now).verdict, Write::Nothing)
        };
        let verdict = decide_in(&*self.store, Target::Grant(found.listed.grant.id), None, rule).await?;
        Ok(Explanation::of(kind, explain(verdict)).about(grant, Generation::CODE, Some(found.listed)))
    }

    /// A JWT whose header names a signing key that was withdrawn. Nothing else that it says can be checked.
    async fn explain_by_withdrawn_key(&self, token: &str) -> Result<Option<Explanation>, StoreError> {
        let Some(header) = unverified_header(token) else { return Ok(None) };
        let keys = self.store.signing_keys().await?;
        let key = keys.into_iter().find(|key| key.key_id == header.kid);
        let Some((key_id, withdrawn_at)) = key.and_then(|key| Some((key.key_id, key.withdrawn_at?))) else {
            return Ok(None);
        };
        let is_access_token = Typ::ACCESS_TOKEN.is_meant_by(&header.typ);
        let kind = if is_access_token { TokenKind::JwtAccessToken } else { TokenKind::IdToken };
        let text = sentence::key_withdrawn(&key_id, withdrawn_at);
        Ok(Some(Explanation::of(kind, (ExplainedVerdict::KeyWithdrawn, &text))))
    }

    /// The grant that a token names, and its client; or why there is none.
    async fn find_owner(&self, parts: &TokenParts, purpose: Purpose) -> Result<Result<Found, NotFound>, StoreError> {
        self.learn_of_key(parts.head.kid).await?;
        if let Err(unrecognised) = self.keys.prefilter(&parts.head, &parts.prefilter_tag, purpose) {
            return Ok(Err(NotFound::Unrecognised(unrecognised)));
        }
        Ok(self.find_grant(parts.head.grant).await?.ok_or(NotFound::Grant))
    }

    async fn find_grant(&self, id: GrantId) -> Result<Option<Found>, StoreError> {
        let Some(listed) = self.grant(id).await? else { return Ok(None) };
        let client = self.clients.reload(&*self.store, &listed.grant.client).await?;
        Ok(Some(Found { listed, client }))
    }

    async fn explain_access_token(&self, token: Recognised) -> Result<Explanation, StoreError> {
        let kind = match token {
            Recognised::Jwt(..) => TokenKind::JwtAccessToken,
            Recognised::Opaque(..) => TokenKind::OpaqueAccessToken,
        };
        let id = token.id();
        let keys = self.keys.clone();
        let issuer = self.issuer.as_str().to_owned();
        if let Some(cached) = self.client_of_token(&token).await? {
            let client = cached.client.id.clone();
            let rule = move |scene: &Scene<'_>| {
                let record = &cached.client;
                let owner = Owner { secret: &record.secret, client: &record.id, binding: Binding::None };
                let claims = token.claims(&keys, owner, &issuer, record.id.as_str(), None);
                let judge = |claims: AccessTokenClaims| judge_own_token(&token, claims.exp, scene);
                ((claims.map(judge), scene.access_token_is_listed), Write::Nothing)
            };
            let target = Target::ClientAccessToken(client.clone(), id);
            let (verdict, is_listed) = decide_in(&*self.store, target, None, rule).await?;
            let explained = Explanation::of_access_token(kind, verdict, is_listed);
            return Ok(Explanation { client: Some(client), ..explained });
        }
        let listed = self.grant(id.grant).await?;
        let rule = move |scene: &Scene<'_>| {
            let judge = |row: &Grant| {
                let auth_time = Some(row.authenticated_at.seconds());
                let claims = token.claims(&keys, Owner::from(row), &issuer, row.subject.as_str(), auth_time)?;
                let end = Some(Timestamp::from_seconds(claims.exp));
                let verdict = judge_access(row, id.generation, end, &scene.surroundings, scene.now);
                Some((verdict, Replaced::find(row, id.generation, claims.iat, scene)))
            };
            ((scene.grant.and_then(judge), scene.access_token_is_listed), Write::Nothing)
        };
        let (judged, is_listed) = decide_in(&*self.store, Target::AccessToken(id), None, rule).await?;
        self.explain_judged(kind, id, judged, is_listed, listed).await
    }

    async fn explain_imported_access_token(
        &self,
        grant: GrantId,
        token: ImportedAccessToken,
    ) -> Result<Explanation, StoreError> {
        let id = AccessTokenId::of_imported(grant, &token.token);
        let listed = self.grant(grant).await?;
        let rule = move |scene: &Scene<'_>| {
            let judged = scene.grant.map(|row| judge_imported_token(row, id, &token, scene));
            ((judged, scene.access_token_is_listed), Write::Nothing)
        };
        let (judged, is_listed) = decide_in(&*self.store, Target::AccessToken(id), None, rule).await?;
        self.explain_judged(TokenKind::OpaqueAccessToken, id, judged, is_listed, listed).await
    }

    async fn explain_judged(
        &self,
        kind: TokenKind,
        id: AccessTokenId,
        judged: Option<(AccessVerdict, Option<Replaced>)>,
        is_listed: bool,
        listed: Option<ListedGrant>,
    ) -> Result<Explanation, StoreError> {
        let (verdict, replaced) = judged.unzip();
        let has_ended = self.has_ended_with_refresh(replaced.flatten()).await?;
        let mut explained = if verdict == Some(AccessVerdict::Active) && has_ended {
            Explanation::of(kind, (ExplainedVerdict::AccessTokenReplaced, sentence::ACCESS_TOKEN_REPLACED))
        } else {
            Explanation::of_access_token(kind, verdict, is_listed)
        };
        (explained.grant_id, explained.generation) = (Some(id.grant), Some(id.generation));
        Ok(explained.within("access token", listed))
    }
}

/// A grant that a token names, and its client, unless that was removed.
struct Found {
    listed: ListedGrant,
    client: Option<Arc<CachedClient>>,
}

/// Why a token has no grant.
enum NotFound {
    Unrecognised(Unrecognised),
    Grant,
}

impl From<NotFound> for RedeemVerdict {
    fn from(none: NotFound) -> Self {
        match none {
            NotFound::Unrecognised(unrecognised) => unrecognised.into(),
            NotFound::Grant => Self::UnknownGrant,
        }
    }
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each table makes the verdicts that it names, and no others")]
mod tests;
