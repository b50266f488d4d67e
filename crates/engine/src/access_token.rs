use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Algorithm, JWS_BYTES_MAX, Purpose, Typ, digest};
use regrant_grant::{
    AccessTokenId, AccessVerdict, Binding, Grant, HEAD_BYTES, Head, OPAQUE_ACCESS_PREFIX, Write, judge_access,
};
use regrant_protocol::{AccessTokenClaims, ClientId, EpochNumber, Secret, Timestamp};
use regrant_store::{AccessTokenFormat, ClientHandle, Scene, StoreError, Target, decide_in};

use crate::access_token_draft::{Draft, Gauge, SealedClaims, token_id};
use crate::clients::CachedClient;
use crate::keys::Owner;
use crate::replaced::Replaced;
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

/// An access token whose signature or prefilter tag is ours; whether it is good only its owner's row can tell.
pub(crate) enum Recognised {
    /// A JWT, with its claims.
    Jwt(AccessTokenId, Box<AccessTokenClaims>),
    /// An opaque one, with its encrypted body.
    Opaque(AccessTokenId, Head, Vec<u8>),
}

fn unknown_key() -> StoreError {
    StoreError::Unavailable("the grant's master key is not loaded".to_owned())
}

/// An access token that is good now.
pub(crate) struct LiveAccessToken {
    pub(crate) claims: AccessTokenClaims,
}

impl AuthorizationServer {
    /// The access token of a draft, as this client has its access tokens.
    pub(crate) async fn mint(&self, client: &AuthenticatedClient, draft: &Draft<'_>) -> Result<Secret, TokenError> {
        match algorithm(client.settings().access_token_format) {
            Some(algorithm) => self.mint_jwt(algorithm, draft).await,
            None => self.mint_opaque(draft),
        }
    }

    /// RFC 9068.
    async fn mint_jwt(&self, algorithm: Algorithm, draft: &Draft<'_>) -> Result<Secret, TokenError> {
        let not_ready = TokenError::SigningKeyNotReady(algorithm.as_str());
        let key = self.signing_key(algorithm).ok_or(not_ready)?;
        let signed = self.slow_signatures.sign(key, Typ::ACCESS_TOKEN, draft.claims()).await;
        // An emergency puts its signing keys in force after its master key: what one of them signed has not slipped by.
        if !self.keys.state_of(draft.head.kid).is_usable() {
            return Err(unknown_key().into());
        }
        signed.map(Secret::new).map_err(|_| TokenError::AccessTokenTooLarge)
    }

    /// `rga_` and base64url of head ‖ prefilter tag ‖ encrypted claims.
    fn mint_opaque(&self, draft: &Draft<'_>) -> Result<Secret, TokenError> {
        let prefilter_tag = self.keys.prefilter_tag(&draft.head, Purpose::Access).ok_or_else(unknown_key)?;
        let body =
            self.keys.encrypt_access(&draft.head, draft.owner, &draft.sealed_claims()).ok_or_else(unknown_key)?;
        let parts = [&draft.head.to_bytes()[..], &prefilter_tag, &body].concat();
        let mut token = String::with_capacity(OPAQUE_ACCESS_PREFIX.len() + parts.len().div_ceil(3) * 4);
        token.push_str(OPAQUE_ACCESS_PREFIX);
        URL_SAFE_NO_PAD.encode_string(parts, &mut token);
        if token.len() > JWS_BYTES_MAX {
            return Err(TokenError::AccessTokenTooLarge);
        }
        Ok(Secret::new(token))
    }

    /// What tells inside a step whether the access token that comes of it can be made for this client.
    ///
    /// # Errors
    /// While the key that signs this client's access tokens is still being made.
    pub(crate) fn gauge(&self, client: &AuthenticatedClient) -> Result<Gauge, TokenError> {
        let key = match algorithm(client.settings().access_token_format) {
            Some(algorithm) => {
                let not_ready = TokenError::SigningKeyNotReady(algorithm.as_str());
                Some(self.signing_key(algorithm).ok_or(not_ready)?)
            }
            None => None,
        };
        Ok(Gauge::new(self.issuer.clone(), client.clone(), key))
    }

    /// Tells an access token of ours from everything else, without the store.
    pub(crate) fn recognise(&self, token: &str) -> Option<Recognised> {
        if token.len() > JWS_BYTES_MAX {
            return None;
        }
        let Some(encoded) = token.strip_prefix(OPAQUE_ACCESS_PREFIX) else {
            let claims = self.signing.verify(token, Typ::ACCESS_TOKEN).ok()?;
            let claims: AccessTokenClaims = serde_json::from_slice(&claims).ok()?;
            return Some(Recognised::Jwt(AccessTokenId::parse(&claims.jti)?, Box::new(claims)));
        };
        let OpaqueParts { head, prefilter_tag, body } = OpaqueParts::parse(encoded)?;
        self.keys.prefilter(&head, &prefilter_tag, Purpose::Access).ok()?;
        Some(Recognised::Opaque(token_id(&head, digest(&[&body])), head, body))
    }

    /// Finds out whether a recognised token is good now. With `list`, a good token is revoked alone in the same step.
    /// `asker` is the only client that may ask, as it was when it authenticated; `None` lets whoever holds the token ask.
    /// When nothing is found, [`AuthorizationServer::confirm`] tells whether the asker has changed.
    pub(crate) async fn judge(
        &self,
        context: &RequestContext,
        token: Recognised,
        asker: Option<&AuthenticatedClient>,
        list: bool,
    ) -> Result<Option<LiveAccessToken>, StoreError> {
        let id = token.id();
        let asker = asker.map(|asker| (asker.id().clone(), asker.client().party.version));
        let begin_before = Some(context.begin_before());
        if let Some(cached) = self.client_of_token(&token).await? {
            if asker.as_ref().is_some_and(|(client, _)| *client != cached.client.id) {
                return Ok(None);
            }
            let keys = self.keys.clone();
            let issuer = self.issuer.clone();
            let record = cached.client.clone();
            let target = Target::ClientAccessToken(record.id.clone(), id);
            let rule = move |scene: &Scene<'_>| {
                let owner = Owner { secret: &record.secret, client: &record.id, binding: Binding::None };
                let subject = record.id.as_str();
                let Some(claims) = token.claims(&keys, owner, issuer.as_str(), subject, None) else {
                    return (None, Write::Nothing);
                };
                let verdict = judge_own_token(&token, claims.exp, scene);
                let is_good = verdict == AccessVerdict::Active
                    && !scene.access_token_is_listed
                    && is_as_it_was(asker.as_ref(), scene);
                answer(is_good.then_some(claims), list, id)
            };
            return decide_in(&*self.store, target, begin_before, rule).await;
        }
        let keys = self.keys.clone();
        let issuer = self.issuer.clone();
        let rule = move |scene: &Scene<'_>| {
            let is_for = |row: &&Grant| asker.as_ref().is_none_or(|(client, _)| *client == row.client);
            let nothing = ((None, None), Write::Nothing);
            let Some(row) = scene.grant.filter(is_for) else { return nothing };
            let auth_time = Some(row.authenticated_at.seconds());
            let Some(claims) = token.claims(&keys, Owner::from(row), issuer.as_str(), row.subject.as_str(), auth_time)
            else {
                return nothing;
            };
            let end = Some(Timestamp::from_seconds(claims.exp));
            let verdict = judge_access(row, id.generation, end, &scene.surroundings, scene.now);
            let is_good = verdict == AccessVerdict::Active
                && !scene.access_token_is_listed
                && is_as_it_was(asker.as_ref(), scene);
            let replaced = Replaced::find(row, id.generation, claims.iat, scene);
            let (live, write) = answer(is_good.then_some(claims), list, id);
            ((live, replaced), write)
        };
        let (live, replaced) = decide_in(&*self.store, Target::AccessToken(id), begin_before, rule).await?;
        let has_ended = live.is_some() && self.has_ended_with_refresh(replaced).await?;
        Ok(live.filter(|_| !has_ended))
    }

    /// The client whose own token this is; `None` when it belongs to a grant.
    pub(crate) async fn client_of_token(&self, token: &Recognised) -> Result<Option<Arc<CachedClient>>, StoreError> {
        let handle = ClientHandle(token.id().grant.0);
        let id = match token {
            Recognised::Jwt(_, claims) if claims.sub == claims.client_id => ClientId::parse(&claims.client_id).ok(),
            Recognised::Jwt(..) => None,
            Recognised::Opaque(..) => self.store.client_with_handle(handle).await?.map(|client| client.id),
        };
        let Some(id) = id else { return Ok(None) };
        let found = self.clients.find(&*self.store, &id).await?.filter(|found| found.client.handle == handle);
        Ok(found)
    }
}

/// What an opaque access token is made of, behind its prefix.
pub(crate) struct OpaqueParts {
    pub(crate) head: Head,
    prefilter_tag: [u8; 8],
    body: Vec<u8>,
}

impl OpaqueParts {
    /// Takes one apart; `None` for what is none.
    pub(crate) fn parse(encoded: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (prefilter_tag, body) = rest.split_first_chunk::<8>()?;
        Some(Self { head: Head::from_bytes(head).ok()?, prefilter_tag: *prefilter_tag, body: body.to_vec() })
    }
}

/// How access tokens of this format are signed; `None` for opaque ones.
pub(crate) const fn algorithm(format: AccessTokenFormat) -> Option<Algorithm> {
    match format {
        AccessTokenFormat::JwtEs256 => Some(Algorithm::Es256),
        AccessTokenFormat::JwtEdDsa => Some(Algorithm::EdDsa),
        AccessTokenFormat::JwtRs256 => Some(Algorithm::Rs256),
        AccessTokenFormat::Opaque => None,
    }
}

impl Recognised {
    pub(crate) fn id(&self) -> AccessTokenId {
        match self {
            Self::Jwt(id, _) | Self::Opaque(id, ..) => *id,
        }
    }

    /// The epoch in which it was made, if it is one that a client has for itself.
    fn own_epoch(&self) -> EpochNumber {
        match self {
            Self::Jwt(id, _) => EpochNumber(id.digest[0]),
            Self::Opaque(_, head, _) => head.epoch,
        }
    }

    /// The claims, read with what the owner knows; `None` when the token is not this owner's.
    pub(crate) fn claims(
        &self,
        keys: &crate::keys::Keys,
        owner: Owner<'_>,
        issuer: &str,
        subject: &str,
        auth_time: Option<i64>,
    ) -> Option<AccessTokenClaims> {
        match self {
            Self::Jwt(_, claims) => (claims.client_id == owner.client.as_str()).then(|| (**claims).clone()),
            Self::Opaque(id, head, body) => {
                let sealed: SealedClaims<'_> = serde_json::from_slice(&keys.decrypt_access(head, owner, body)?).ok()?;
                Some(AccessTokenClaims {
                    iss: issuer.to_owned(),
                    sub: subject.to_owned(),
                    aud: sealed.audience.into_owned().into_iter().map(Cow::into_owned).collect(),
                    client_id: owner.client.as_str().to_owned(),
                    iat: sealed.issued_at,
                    exp: sealed.expires_at,
                    jti: id.to_text(),
                    scope: sealed.scope.into_owned(),
                    auth_time,
                    added: sealed.added.into_owned(),
                })
            }
        }
    }
}

/// Whether a token that a client has for itself, and that ends at `exp`, is good now. A restore ends it, also one that recovers:
/// there is no row that could come back, and its client asks for another.
pub(crate) fn judge_own_token(token: &Recognised, exp: i64, scene: &Scene<'_>) -> AccessVerdict {
    let id = token.id();
    let epoch = scene.surroundings.epoch;
    // What was signed in the first epoch by an earlier version does not tell its epoch.
    if epoch != EpochNumber::FIRST && token.own_epoch() != epoch {
        return AccessVerdict::DeadEpoch;
    }
    if Timestamp::from_seconds(exp) <= scene.now {
        return AccessVerdict::Expired;
    }
    match scene.surroundings.client.filter(|client| client.enabled) {
        None => AccessVerdict::ClientDisabled,
        Some(client) if client.cutoff != id.generation.0 => AccessVerdict::Revoked,
        Some(_) => AccessVerdict::Active,
    }
}

/// Whether the asker, who is the client of the token, is as it was when it authenticated.
pub(crate) fn is_as_it_was(asker: Option<&(ClientId, u64)>, scene: &Scene<'_>) -> bool {
    asker.is_none_or(|(_, version)| scene.surroundings.client.is_some_and(|client| client.version == *version))
}

pub(crate) fn answer(
    claims: Option<AccessTokenClaims>,
    list: bool,
    id: AccessTokenId,
) -> (Option<LiveAccessToken>, Write) {
    let write = match &claims {
        Some(claims) if list => Write::ListAccessToken { id, until: Some(Timestamp::from_seconds(claims.exp)) },
        Some(_) | None => Write::Nothing,
    };
    (claims.map(|claims| LiveAccessToken { claims }), write)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use regrant_crypto::KeyRing;
    use regrant_grant::{RecoverPublic, Recovery};
    use regrant_protocol::{GrantType, Issuer, TokenEndpointAuthMethod};
    use regrant_store::{ClientSettings, Epoch, Renewal};
    use regrant_store_sqlite::{Genesis, SqliteStore, StagedStore, back_up};

    use super::*;
    use crate::world::{ISSUER, World, settings};
    use crate::{Hooks, Parts, Secrecy};

    /// Access tokens of a grant, and of a client for itself, of this format.
    async fn tokens(world: &World, format: AccessTokenFormat) -> [Secret; 2] {
        let method = TokenEndpointAuthMethod::ClientSecretPost;
        let settings = settings();
        let mut own =
            ClientSettings::new(vec![method], vec![GrantType::ClientCredentials], settings.scope, settings.policy);
        own.access_token_format = format;
        let secret = Secrecy::Chosen(Secret::new("sesame".to_owned()));
        world.server.register_client(ClientId::parse("batch").unwrap(), secret, own).await.unwrap();
        world.change(|settings| settings.access_token_format = format).await;
        [world.redeem(&world.code().await, "").await.unwrap().access_token, own_token(world).await]
    }

    async fn own_token(world: &World) -> Secret {
        let form = "grant_type=client_credentials&client_id=batch&client_secret=sesame&scope=read";
        world.token(form).await.unwrap().access_token
    }

    async fn is_good(world: &World, token: &Secret) -> bool {
        world.server.inspect(&world.context(), token.expose()).await.unwrap().is_some()
    }

    /// The world after its database was restored from a copy of now.
    async fn restored(mut world: World, recovery: Option<Recovery>) -> World {
        let (database, copy) = (world.data.path().join("regrant.db"), world.data.path().join("copy.db"));
        back_up(&database, &copy).unwrap();
        let staged = StagedStore::open(&copy, world.now()).unwrap();
        let epoch = Epoch { number: EpochNumber(2), random: [9; 16], recovery };
        let counter = staged.standing().high_water.counter + 1;
        let master_keys = staged.standing().announced_keys.clone();
        let renewal = Renewal { epoch, counter, master_keys, replay_after: 0 };
        staged.renew(&renewal, None).unwrap();
        let server = open(&copy, &world, KeyRing::clone(&world.server.keys.ring())).await;
        world.server = server;
        world
    }

    async fn open(database: &Path, world: &World, ring: KeyRing) -> AuthorizationServer {
        let genesis = Genesis { realm: regrant_grant::Realm([0; 16]), epoch_random: [0; 16] };
        let parts = Parts {
            issuer: Issuer::parse(ISSUER).unwrap(),
            store: Arc::new(SqliteStore::open(database, genesis, world.clock.clone()).unwrap()),
            ring,
            clock: world.clock.clone(),
            entropy: world.server.entropy.clone(),
            session_seconds: crate::SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        AuthorizationServer::open(parts).await.unwrap()
    }

    #[tokio::test]
    async fn a_restore_ends_every_access_token_from_before_it_and_those_from_after_it_are_good() {
        for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
            for recovers in [false, true] {
                let world = World::new().await;
                let until = world.now().plus_seconds(3600);
                let recovery = Recovery { former: EpochNumber::FIRST, until, public: RecoverPublic::LogInAgain };
                let tokens = tokens(&world, format).await;
                for token in &tokens {
                    assert!(is_good(&world, token).await);
                }
                let world = restored(world, recovers.then_some(recovery)).await;
                for (token, whose) in tokens.iter().zip(["a grant", "a client for itself"]) {
                    assert!(!is_good(&world, token).await, "{format:?} of {whose}, recovers: {recovers}");
                }
                let token = own_token(&world).await;
                assert!(is_good(&world, &token).await, "{format:?}");
            }
        }
    }
}
