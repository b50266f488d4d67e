use std::borrow::Cow;
use std::sync::Arc;

use regrant_crypto::{JWS_BYTES_MAX, SigningKey, Typ, digest};
use regrant_grant::{AccessPeriod, AccessTokenId, Binding, HEAD_BYTES, Head, OPAQUE_ACCESS_PREFIX, access_period};
use regrant_protocol::{Issuer, Resource, Resources, Scope, Timestamp};
use regrant_store::ClientSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id_token::OPENID;
use crate::keys::Owner;
use crate::token::Granted;
use crate::{AuthenticatedClient, TokenError};

/// `exp` of a token that never ends: the last second of the year 9999.
const NEVER_SECONDS: i64 = 253_402_300_799;
const JTI_OPENING: &str = ",\"jti\":\"";
const JTI_CLOSING: &str = "\"}";
/// The most bytes that one byte of a text has in JSON.
const JSON_ESCAPE_BYTES_MAX: usize = "\\u0000".len();
/// The quotes and the comma of a name in a list.
const AUDIENCE_SYNTAX_BYTES: usize = 3;
/// The most bytes of all else in a token's claims: names of claims, times, the identifier or the random bytes.
const OTHER_CLAIMS_BYTES_MAX: usize = 400;
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
    audience: Vec<Cow<'a, str>>,
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

/// The claims of a JWT that are known before its identifier is: what [`regrant_protocol::AccessTokenClaims`] reads, but for `jti`.
#[derive(Serialize)]
struct ClaimsWithoutId<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a [Cow<'a, str>],
    client_id: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(flatten)]
    added: &'a Map<String, Value>,
}

/// What lies encrypted in an opaque access token; the rest is known from its owner.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedClaims<'a> {
    #[serde(rename = "i")]
    pub(crate) issued_at: i64,
    #[serde(rename = "e")]
    pub(crate) expires_at: i64,
    #[serde(rename = "s", default, skip_serializing_if = "str::is_empty")]
    pub(crate) scope: Cow<'a, str>,
    #[serde(rename = "a")]
    pub(crate) audience: Cow<'a, [Cow<'a, str>]>,
    #[serde(rename = "c", default, skip_serializing_if = "is_empty")]
    pub(crate) added: Cow<'a, Map<String, Value>>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) unique: Option<[u8; 16]>,
}

impl<'a> Draft<'a> {
    /// The access token of the current generation of a grant.
    pub(crate) fn for_grant(issuer: &'a Issuer, client: &'a AuthenticatedClient, granted: &'a Granted) -> Self {
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

    /// The claims of a JWT, as JSON. The identifier is a digest of the others, and comes last.
    pub(crate) fn claims(&self) -> Vec<u8> {
        let mut claims = json(&self.claims_without_id());
        let id = token_id(&self.head, self.digest(&claims)).to_text();
        let closing = claims.pop();
        debug_assert_eq!(closing, Some(b'}'), "the claims are an object");
        for part in [JTI_OPENING, &id, JTI_CLOSING] {
            claims.extend_from_slice(part.as_bytes());
        }
        claims
    }

    /// A digest of all claims but the identifier. Where no row tells which restores a token came before, it begins with the epoch.
    fn digest(&self, claims: &[u8]) -> [u8; 10] {
        let Some(unique) = &self.unique else { return digest(&[claims, &[]]) };
        let mut digest = digest(&[claims, unique]);
        digest[0] = self.head.epoch.0;
        digest
    }

    /// How many bytes they have.
    fn claims_bytes(&self) -> usize {
        // Every identifier has the same length.
        let id = token_id(&self.head, [0; 10]).to_text();
        json(&self.claims_without_id()).len() - 1 + JTI_OPENING.len() + id.len() + JTI_CLOSING.len()
    }

    fn claims_without_id(&self) -> ClaimsWithoutId<'_> {
        let (iat, exp) = seconds(self.period);
        ClaimsWithoutId {
            iss: self.issuer,
            sub: self.subject,
            aud: &self.audience,
            client_id: self.owner.client.as_str(),
            iat,
            exp,
            scope: self.scope.as_str(),
            auth_time: self.auth_time,
            added: self.added,
        }
    }

    /// What is encrypted in an opaque token.
    pub(crate) fn sealed_claims(&self) -> Vec<u8> {
        let (issued_at, expires_at) = seconds(self.period);
        json(&SealedClaims {
            issued_at,
            expires_at,
            scope: self.scope.as_str().into(),
            audience: (&self.audience).into(),
            added: Cow::Borrowed(self.added),
            unique: self.unique,
        })
    }

    /// More bytes than claims of either kind have; `None` where a program has added some, which only writing them out tells.
    fn claims_bytes_max(&self) -> Option<usize> {
        let owner = self.owner.client.as_str();
        let texts = [self.issuer, self.subject, owner, self.scope.as_str()].map(str::len).into_iter().sum::<usize>();
        let audience = self.audience.iter().map(|name| name.len() + AUDIENCE_SYNTAX_BYTES).sum::<usize>();
        let claims = (texts + audience) * JSON_ESCAPE_BYTES_MAX + OTHER_CLAIMS_BYTES_MAX;
        self.added.is_empty().then_some(claims)
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
        let fits = |claims_bytes| match &self.key {
            Some(key) => key.token_bytes(Typ::ACCESS_TOKEN, claims_bytes).is_ok(),
            None => opaque_bytes(claims_bytes) <= JWS_BYTES_MAX,
        };
        let claims_bytes = || if self.key.is_some() { draft.claims_bytes() } else { draft.sealed_claims().len() };
        if draft.claims_bytes_max().is_some_and(fits) || fits(claims_bytes()) {
            return Ok(());
        }
        Err(TokenError::AccessTokenTooLarge)
    }
}

/// How long an opaque token is whose sealed claims have so many bytes.
fn opaque_bytes(claims_bytes: usize) -> usize {
    OPAQUE_ACCESS_PREFIX.len() + ((HEAD_BYTES + OPAQUE_TAGS_BYTES + claims_bytes) * 4).div_ceil(3)
}

/// For whom a token is: the resources it was asked for, the client's audience, or whoever trusts the issuer.
fn audience<'a>(issuer: &'a Issuer, settings: &'a ClientSettings, resources: &'a Resources) -> Vec<Cow<'a, str>> {
    if !resources.is_empty() {
        resources.iter().map(|resource: &Resource| resource.as_str().into()).collect()
    } else if !settings.audience.is_empty() {
        settings.audience.iter().map(|name| name.into()).collect()
    } else {
        vec![issuer.as_str().into()]
    }
}

/// With `openid` the token is for userinfo too, unless it was asked for other servers by name.
pub(crate) fn audience_of_user_token<'a>(
    issuer: &'a Issuer,
    settings: &'a ClientSettings,
    scope: &Scope,
    resources: &'a Resources,
) -> Vec<Cow<'a, str>> {
    let mut audience = audience(issuer, settings, resources);
    let issuer = issuer.as_str();
    if scope.contains(OPENID) && resources.is_empty() && !audience.iter().any(|name| name == issuer) {
        audience.push(issuer.into());
    }
    audience
}

pub(crate) fn token_id(head: &Head, digest: [u8; 10]) -> AccessTokenId {
    AccessTokenId { grant: head.grant, generation: head.generation, digest }
}

fn seconds(period: AccessPeriod) -> (i64, i64) {
    (period.issued_at.seconds(), period.expires_at.map_or(NEVER_SECONDS, Timestamp::seconds))
}

/// [`Map::is_empty`], as serde asks.
fn is_empty(added: &Map<String, Value>) -> bool {
    added.is_empty()
}

fn json(claims: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(claims).expect("JSON with names that are text always serializes")
}

#[cfg(test)]
mod tests {
    use regrant_grant::{Generation, GrantId, GrantSecret};
    use regrant_protocol::{AccessTokenClaims, ClientId, EpochNumber, Kid};

    use super::*;

    fn with_draft<T>(text: &str, look: impl FnOnce(&Draft<'_>) -> T) -> T {
        let (secret, client) = (GrantSecret::new([1; 16]), ClientId::parse("app").unwrap());
        let (scope, added) = (Scope::parse("read write").unwrap(), Map::new());
        look(&Draft {
            head: Head {
                kid: Kid::FIRST,
                epoch: EpochNumber(1),
                grant: GrantId([7; 16]),
                generation: Generation::IMPORTED,
            },
            owner: Owner { secret: &secret, client: &client, binding: Binding::None },
            period: AccessPeriod { issued_at: Timestamp::from_seconds(i64::MAX / 1_000_000), expires_at: None },
            issuer: text,
            subject: text,
            scope: &scope,
            audience: vec![text.into(), text.into()],
            auth_time: Some(i64::MIN),
            added: &added,
            unique: Some([255; 16]),
        })
    }

    #[test]
    fn claims_are_never_longer_than_their_bound() {
        for text in ["", "https://api.example", "\u{1}", "\"\\", &"\u{0}é\u{10ffff}".repeat(300)] {
            with_draft(text, |draft| {
                let bound = draft.claims_bytes_max().unwrap();
                assert!(draft.claims_bytes() <= bound && draft.sealed_claims().len() <= bound, "{text:?}");
                assert_eq!(draft.claims_bytes(), draft.claims().len(), "{text:?}");
            });
        }
    }

    #[test]
    fn the_claims_of_a_jwt_are_read_as_they_were_written() {
        with_draft("a \"quoted\" name", |draft| {
            let claims: AccessTokenClaims = serde_json::from_slice(&draft.claims()).unwrap();
            assert_eq!((&*claims.iss, &*claims.sub, claims.aud.len()), (draft.issuer, draft.subject, 2));
            assert_eq!((&*claims.client_id, &*claims.scope, claims.auth_time), ("app", "read write", draft.auth_time));
            assert_eq!((claims.exp, claims.added.is_empty()), (NEVER_SECONDS, true));
            assert!(AccessTokenId::parse(&claims.jti).is_some_and(|id| id.grant == draft.head.grant));
        });
    }
}
