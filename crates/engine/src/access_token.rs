use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Algorithm, JWS_BYTES_MAX, Purpose, Typ, digest};
use regrant_grant::{
    AccessPeriod, AccessTokenId, AccessVerdict, Binding, Generation, Grant, GrantId, HEAD_BYTES, Head,
    OPAQUE_ACCESS_PREFIX, Write, judge_access,
};
use regrant_protocol::{AccessTokenClaims, ClientId, Resource, Resources, Scope, Secret, Timestamp};
use regrant_store::{AccessTokenFormat, ClientHandle, Scene, StoreError, Target, decide_in};
use serde::{Deserialize, Serialize};

use crate::clients::CachedClient;
use crate::id_token::OPENID;
use crate::keys::Owner;
use crate::{AuthenticatedClient, AuthorizationServer, RequestContext, TokenError};

/// `exp` of a token that never ends: the last second of the year 9999.
const NEVER_SECONDS: i64 = 253_402_300_799;

/// Everything that an access token is made of.
struct Draft<'a> {
    head: Head,
    owner: Owner<'a>,
    subject: &'a str,
    scope: &'a Scope,
    audience: Vec<String>,
    period: AccessPeriod,
    auth_time: Option<i64>,
    /// Random bytes where equal requests must not give equal tokens.
    unique: Option<[u8; 16]>,
}

/// What lies encrypted in an opaque access token; the rest is known from its owner.
#[derive(Serialize, Deserialize)]
struct SealedClaims {
    #[serde(rename = "i")]
    issued_at: i64,
    #[serde(rename = "e")]
    expires_at: i64,
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(rename = "a")]
    audience: Vec<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    unique: Option<[u8; 16]>,
}

/// An access token whose signature or prefilter tag is ours; whether it is good only its owner's row can tell.
pub(crate) enum Recognised {
    /// A JWT, with its claims.
    Jwt(AccessTokenId, Box<AccessTokenClaims>),
    /// An opaque one, with its encrypted body.
    Opaque(AccessTokenId, Head, Vec<u8>),
}

/// An access token that is good now.
pub(crate) struct LiveAccessToken {
    pub(crate) claims: AccessTokenClaims,
}

impl AuthorizationServer {
    /// The access token of the current generation of a grant.
    pub(crate) fn mint_for_grant(
        &self,
        client: &AuthenticatedClient,
        row: &Grant,
        scope: &Scope,
        resources: &Resources,
        period: AccessPeriod,
    ) -> Result<Secret, TokenError> {
        let draft = Draft {
            head: Head { kid: row.kid, epoch: row.epoch, grant: row.id, generation: row.generation },
            owner: Owner::from(row),
            subject: row.subject.as_str(),
            scope,
            audience: self.audience_of_user_token(client, scope, resources),
            period,
            auth_time: Some(row.authenticated_at.seconds()),
            unique: None,
        };
        self.mint(client.settings().access_token_format, &draft)
    }

    /// An access token that a client has for itself: its handle, secret and cutoff stand in for those of a grant.
    pub(crate) fn mint_for_client(
        &self,
        client: &AuthenticatedClient,
        scope: &Scope,
        resources: &Resources,
        period: AccessPeriod,
        unique: [u8; 16],
    ) -> Result<Secret, TokenError> {
        let record = client.client();
        let draft = Draft {
            head: Head {
                kid: self.keys.newest_kid(),
                epoch: self.keys.present_epoch(),
                grant: GrantId(record.handle.0),
                generation: Generation(record.party.cutoff),
            },
            owner: Owner { secret: &record.secret, client: &record.id, binding: Binding::None },
            subject: record.id.as_str(),
            scope,
            audience: self.audience(client, resources),
            period,
            auth_time: None,
            unique: Some(unique),
        };
        self.mint(client.settings().access_token_format, &draft)
    }

    /// For whom a token is: the resources it was asked for, the client's audience, or whoever trusts the issuer.
    fn audience(&self, client: &AuthenticatedClient, resources: &Resources) -> Vec<String> {
        if !resources.is_empty() {
            resources.iter().map(|resource: &Resource| resource.as_str().to_owned()).collect()
        } else if !client.settings().audience.is_empty() {
            client.settings().audience.clone()
        } else {
            vec![self.issuer.as_str().to_owned()]
        }
    }

    /// With `openid` the token is for userinfo too, unless it was asked for other servers by name.
    fn audience_of_user_token(
        &self,
        client: &AuthenticatedClient,
        scope: &Scope,
        resources: &Resources,
    ) -> Vec<String> {
        let mut audience = self.audience(client, resources);
        let issuer = self.issuer.as_str();
        if scope.contains(OPENID) && resources.is_empty() && !audience.iter().any(|name| name == issuer) {
            audience.push(issuer.to_owned());
        }
        audience
    }

    /// Fails while the key that signs this client's access tokens is still being made.
    pub(crate) fn can_sign_for(&self, client: &AuthenticatedClient) -> Result<(), TokenError> {
        match algorithm(client.settings().access_token_format) {
            Some(algorithm) if self.signing.newest(algorithm).is_none() => {
                Err(TokenError::SigningKeyNotReady(algorithm.as_str()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn mint(&self, format: AccessTokenFormat, draft: &Draft<'_>) -> Result<Secret, TokenError> {
        match algorithm(format) {
            Some(algorithm) => self.mint_jwt(algorithm, draft),
            None => self.mint_opaque(draft),
        }
    }

    /// RFC 9068.
    fn mint_jwt(&self, algorithm: Algorithm, draft: &Draft<'_>) -> Result<Secret, TokenError> {
        let not_ready = TokenError::SigningKeyNotReady(algorithm.as_str());
        let key = self.signing.newest(algorithm).ok_or(not_ready)?;
        let (iat, exp) = seconds(draft.period);
        let mut claims = AccessTokenClaims {
            iss: self.issuer.as_str().to_owned(),
            sub: draft.subject.to_owned(),
            aud: draft.audience.clone(),
            client_id: draft.owner.client.as_str().to_owned(),
            iat,
            exp,
            jti: String::new(),
            scope: draft.scope.as_str().to_owned(),
            auth_time: draft.auth_time,
        };
        let rest = serde_json::to_vec(&claims).expect("strings and numbers always serialize");
        let unique = draft.unique.as_ref().map_or(&[][..], |unique| unique);
        claims.jti = token_id(&draft.head, digest(&[&rest, unique])).to_text();
        let claims = serde_json::to_vec(&claims).expect("strings and numbers always serialize");
        key.sign(Typ::ACCESS_TOKEN, &claims).map(Secret::new).map_err(|_| TokenError::AccessTokenTooLarge)
    }

    /// `rga_` and base64url of head ‖ prefilter tag ‖ encrypted claims.
    fn mint_opaque(&self, draft: &Draft<'_>) -> Result<Secret, TokenError> {
        let (issued_at, expires_at) = seconds(draft.period);
        let claims = SealedClaims {
            issued_at,
            expires_at,
            scope: draft.scope.as_str().to_owned(),
            audience: draft.audience.clone(),
            unique: draft.unique,
        };
        let claims = serde_json::to_vec(&claims).expect("strings and numbers always serialize");
        let unknown_key = || StoreError::Unavailable("the grant's master key is not loaded".to_owned());
        let prefilter_tag = self.keys.prefilter_tag(&draft.head, Purpose::Access).ok_or_else(unknown_key)?;
        let body = self.keys.encrypt_access(&draft.head, draft.owner, &claims).ok_or_else(unknown_key)?;
        let mut token = OPAQUE_ACCESS_PREFIX.to_owned();
        URL_SAFE_NO_PAD.encode_string([&draft.head.to_bytes()[..], &prefilter_tag, &body].concat(), &mut token);
        if token.len() > JWS_BYTES_MAX {
            return Err(TokenError::AccessTokenTooLarge);
        }
        Ok(Secret::new(token))
    }

    /// Tells an access token of ours from everything else, without the store.
    pub(crate) fn recognise(&self, token: &str) -> Option<Recognised> {
        if token.len() > JWS_BYTES_MAX {
            return None;
        }
        let Some(encoded) = token.strip_prefix(OPAQUE_ACCESS_PREFIX) else {
            let claims = self.signing.verify(token, Typ::ACCESS_TOKEN)?;
            let claims: AccessTokenClaims = serde_json::from_slice(&claims).ok()?;
            return Some(Recognised::Jwt(AccessTokenId::parse(&claims.jti)?, Box::new(claims)));
        };
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (prefilter_tag, body) = rest.split_first_chunk::<8>()?;
        let head = Head::from_bytes(head).ok()?;
        self.keys.prefilter(&head, prefilter_tag, Purpose::Access).ok()?;
        Some(Recognised::Opaque(token_id(&head, digest(&[body])), head, body.to_vec()))
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
                let is_good = !scene.access_token_is_listed
                    && scene.surroundings.epoch == keys.present_epoch()
                    && scene.now < Timestamp::from_seconds(claims.exp)
                    && scene.surroundings.client.is_some_and(|party| party.enabled && party.cutoff == id.generation.0)
                    && is_as_it_was(asker.as_ref(), scene);
                answer(is_good.then_some(claims), list, id)
            };
            return decide_in(&*self.store, target, begin_before, rule).await;
        }
        let keys = self.keys.clone();
        let issuer = self.issuer.clone();
        let rule = move |scene: &Scene<'_>| {
            let is_for = |row: &&Grant| asker.as_ref().is_none_or(|(client, _)| *client == row.client);
            let Some(row) = scene.grant.filter(is_for) else {
                return (None, Write::Nothing);
            };
            let auth_time = Some(row.authenticated_at.seconds());
            let Some(claims) = token.claims(&keys, Owner::from(row), issuer.as_str(), row.subject.as_str(), auth_time)
            else {
                return (None, Write::Nothing);
            };
            let end = Some(Timestamp::from_seconds(claims.exp));
            let verdict = judge_access(row, id.generation, end, &scene.surroundings, scene.now);
            let is_good = verdict == AccessVerdict::Active
                && !scene.access_token_is_listed
                && is_as_it_was(asker.as_ref(), scene);
            answer(is_good.then_some(claims), list, id)
        };
        decide_in(&*self.store, Target::AccessToken(id), begin_before, rule).await
    }

    /// The client whose own token this is; `None` when it belongs to a grant.
    async fn client_of_token(&self, token: &Recognised) -> Result<Option<Arc<CachedClient>>, StoreError> {
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

/// How access tokens of this format are signed; `None` for opaque ones.
const fn algorithm(format: AccessTokenFormat) -> Option<Algorithm> {
    match format {
        AccessTokenFormat::JwtEs256 => Some(Algorithm::Es256),
        AccessTokenFormat::JwtEdDsa => Some(Algorithm::EdDsa),
        AccessTokenFormat::JwtRs256 => Some(Algorithm::Rs256),
        AccessTokenFormat::Opaque => None,
    }
}

impl Recognised {
    fn id(&self) -> AccessTokenId {
        match self {
            Self::Jwt(id, _) | Self::Opaque(id, ..) => *id,
        }
    }

    /// The claims, read with what the owner knows; `None` when the token is not this owner's.
    fn claims(
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
                let sealed: SealedClaims = serde_json::from_slice(&keys.decrypt_access(head, owner, body)?).ok()?;
                Some(AccessTokenClaims {
                    iss: issuer.to_owned(),
                    sub: subject.to_owned(),
                    aud: sealed.audience,
                    client_id: owner.client.as_str().to_owned(),
                    iat: sealed.issued_at,
                    exp: sealed.expires_at,
                    jti: id.to_text(),
                    scope: sealed.scope,
                    auth_time,
                })
            }
        }
    }
}

/// Whether the asker, who is the client of the token, is as it was when it authenticated.
fn is_as_it_was(asker: Option<&(ClientId, u64)>, scene: &Scene<'_>) -> bool {
    asker.is_none_or(|(_, version)| scene.surroundings.client.is_some_and(|client| client.version == *version))
}

fn answer(claims: Option<AccessTokenClaims>, list: bool, id: AccessTokenId) -> (Option<LiveAccessToken>, Write) {
    let write = match &claims {
        Some(claims) if list => Write::ListAccessToken { id, until: Some(Timestamp::from_seconds(claims.exp)) },
        Some(_) | None => Write::Nothing,
    };
    (claims.map(|claims| LiveAccessToken { claims }), write)
}

fn token_id(head: &Head, digest: [u8; 10]) -> AccessTokenId {
    AccessTokenId { grant: head.grant, generation: head.generation, digest }
}

fn seconds(period: AccessPeriod) -> (i64, i64) {
    (period.issued_at.seconds(), period.expires_at.map_or(NEVER_SECONDS, Timestamp::seconds))
}
