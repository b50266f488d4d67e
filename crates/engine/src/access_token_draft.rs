use std::sync::Arc;

use regrant_crypto::{JWS_BYTES_MAX, SigningKey, Typ, digest};
use regrant_grant::{AccessPeriod, AccessTokenId, Binding, HEAD_BYTES, Head, OPAQUE_ACCESS_PREFIX, access_period};
use regrant_protocol::{AccessTokenClaims, Issuer, Resource, Resources, Scope, Timestamp};
use regrant_store::ClientSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id_token::OPENID;
use crate::keys::Owner;
use crate::token::Granted;
use crate::{AuthenticatedClient, TokenError};

/// `exp` of a token that never ends: the last second of the year 9999.
const NEVER_SECONDS: i64 = 253_402_300_799;
/// What the prefilter tag of an opaque token, and the tag of its encryption (RFC 8452 §4), add to it, in bytes.
const OPAQUE_TAGS_BYTES: usize = 8 + 16;

/// Everything that an access token is made of.
pub(crate) struct Draft<'a> {
    pub(crate) head: Head,
    pub(crate) owner: Owner<'a>,
    pub(crate) period: AccessPeriod,
    issuer: &'a str,
    subject: &'a str,
    scope: &'a Scope,
    audience: Vec<String>,
    auth_time: Option<i64>,
    added: &'a Map<String, Value>,
    /// Random bytes where equal requests must not give equal tokens.
    unique: Option<[u8; 16]>,
}

/// What a client asks for itself.
pub(crate) struct OwnRequest<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) resources: &'a Resources,
    pub(crate) added: &'a Map<String, Value>,
    pub(crate) unique: [u8; 16],
}

/// What lies encrypted in an opaque access token; the rest is known from its owner.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedClaims {
    #[serde(rename = "i")]
    pub(crate) issued_at: i64,
    #[serde(rename = "e")]
    pub(crate) expires_at: i64,
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub(crate) scope: String,
    #[serde(rename = "a")]
    pub(crate) audience: Vec<String>,
    #[serde(rename = "c", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) added: Map<String, Value>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) unique: Option<[u8; 16]>,
}

impl<'a> Draft<'a> {
    /// The access token of the current generation of a grant.
    pub(crate) fn for_grant(issuer: &'a Issuer, client: &AuthenticatedClient, granted: &'a Granted) -> Self {
        let Granted { row, now, scope, resources, added, .. } = granted;
        Self {
            head: Head { kid: row.kid, epoch: row.epoch, grant: row.id, generation: row.generation },
            owner: Owner::from(row),
            period: access_period(row, client.settings().policy.rotation, *now),
            issuer: issuer.as_str(),
            subject: row.subject.as_str(),
            scope,
            audience: audience_of_user_token(issuer, client.settings(), scope, resources),
            auth_time: Some(row.authenticated_at.seconds()),
            added,
            unique: None,
        }
    }

    /// An access token that a client has for itself: its handle, secret and cutoff stand in for those of a grant.
    pub(crate) fn for_client(
        issuer: &'a Issuer,
        client: &'a AuthenticatedClient,
        asked: &OwnRequest<'a>,
        head: Head,
        period: AccessPeriod,
    ) -> Self {
        let record = client.client();
        Self {
            head,
            owner: Owner { secret: &record.secret, client: &record.id, binding: Binding::None },
            period,
            issuer: issuer.as_str(),
            subject: record.id.as_str(),
            scope: asked.scope,
            audience: audience(issuer, client.settings(), asked.resources),
            auth_time: None,
            added: asked.added,
            unique: Some(asked.unique),
        }
    }

    /// The claims of a JWT, as JSON.
    pub(crate) fn claims(&self) -> Vec<u8> {
        let rest = json(&self.claims_under(String::new()));
        let unique = self.unique.as_ref().map_or(&[][..], |unique| unique);
        json(&self.claims_under(token_id(&self.head, digest(&[&rest, unique])).to_text()))
    }

    /// How many bytes they have.
    fn claims_bytes(&self) -> usize {
        // Every identifier has the same length.
        json(&self.claims_under(token_id(&self.head, [0; 10]).to_text())).len()
    }

    fn claims_under(&self, jti: String) -> AccessTokenClaims {
        let (iat, exp) = seconds(self.period);
        AccessTokenClaims {
            iss: self.issuer.to_owned(),
            sub: self.subject.to_owned(),
            aud: self.audience.clone(),
            client_id: self.owner.client.as_str().to_owned(),
            iat,
            exp,
            jti,
            scope: self.scope.as_str().to_owned(),
            auth_time: self.auth_time,
            added: self.added.clone(),
        }
    }

    /// What is encrypted in an opaque token.
    pub(crate) fn sealed_claims(&self) -> Vec<u8> {
        let (issued_at, expires_at) = seconds(self.period);
        json(&SealedClaims {
            issued_at,
            expires_at,
            scope: self.scope.as_str().to_owned(),
            audience: self.audience.clone(),
            added: self.added.clone(),
            unique: self.unique,
        })
    }
}

/// Tells, before anything is written, whether an access token would be larger than anybody accepts.
#[derive(Clone)]
pub(crate) struct Gauge {
    issuer: Issuer,
    client: AuthenticatedClient,
    /// What signs it; `None` when it is opaque.
    key: Option<Arc<SigningKey>>,
}

impl Gauge {
    pub(crate) const fn new(issuer: Issuer, client: AuthenticatedClient, key: Option<Arc<SigningKey>>) -> Self {
        Self { issuer, client, key }
    }

    /// Fails when the access token of `granted` would be too large.
    pub(crate) fn check(&self, granted: &Granted) -> Result<(), TokenError> {
        let draft = Draft::for_grant(&self.issuer, &self.client, granted);
        let fits = match &self.key {
            Some(key) => key.token_bytes(Typ::ACCESS_TOKEN, draft.claims_bytes()).is_ok(),
            None => opaque_bytes(draft.sealed_claims().len()) <= JWS_BYTES_MAX,
        };
        if fits { Ok(()) } else { Err(TokenError::AccessTokenTooLarge) }
    }
}

/// How long an opaque token is whose sealed claims have so many bytes.
fn opaque_bytes(claims_bytes: usize) -> usize {
    OPAQUE_ACCESS_PREFIX.len() + ((HEAD_BYTES + OPAQUE_TAGS_BYTES + claims_bytes) * 4).div_ceil(3)
}

/// For whom a token is: the resources it was asked for, the client's audience, or whoever trusts the issuer.
fn audience(issuer: &Issuer, settings: &ClientSettings, resources: &Resources) -> Vec<String> {
    if !resources.is_empty() {
        resources.iter().map(|resource: &Resource| resource.as_str().to_owned()).collect()
    } else if !settings.audience.is_empty() {
        settings.audience.clone()
    } else {
        vec![issuer.as_str().to_owned()]
    }
}

/// With `openid` the token is for userinfo too, unless it was asked for other servers by name.
pub(crate) fn audience_of_user_token(
    issuer: &Issuer,
    settings: &ClientSettings,
    scope: &Scope,
    resources: &Resources,
) -> Vec<String> {
    let mut audience = audience(issuer, settings, resources);
    let issuer = issuer.as_str();
    if scope.contains(OPENID) && resources.is_empty() && !audience.iter().any(|name| name == issuer) {
        audience.push(issuer.to_owned());
    }
    audience
}

pub(crate) fn token_id(head: &Head, digest: [u8; 10]) -> AccessTokenId {
    AccessTokenId { grant: head.grant, generation: head.generation, digest }
}

fn seconds(period: AccessPeriod) -> (i64, i64) {
    (period.issued_at.seconds(), period.expires_at.map_or(NEVER_SECONDS, Timestamp::seconds))
}

fn json(claims: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(claims).expect("JSON with names that are text always serializes")
}
