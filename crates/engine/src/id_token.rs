use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Algorithm, Typ, sha256};
use regrant_protocol::{IdTokenClaims, Nonce, Secret, Subject};
use regrant_store::{ClientSettings, IdTokenAlgorithm};

use crate::token::Granted;
use crate::{AuthenticatedClient, AuthorizationServer, TokenError};

/// The scope that asks for an ID token (OpenID Connect Core §3.1.2.1).
pub(crate) const OPENID: &str = "openid";

/// How long an ID token lives. It says who logged in, and nothing is allowed by it.
const ID_TOKEN_SECONDS: i64 = 3600;

impl AuthorizationServer {
    /// The name of the algorithm whose key is still being made, where that is the one of this client's ID tokens.
    pub(crate) fn id_token_key_in_the_making(&self, settings: &ClientSettings) -> Option<&'static str> {
        let algorithm = algorithm(settings.id_token_algorithm);
        self.signing_key(algorithm).is_none().then_some(algorithm.as_str())
    }

    /// The ID token that comes with `access_token` (OpenID Connect Core §2). `nonce` is that of the authorization request;
    /// a refresh has none (§12.2).
    pub(crate) async fn mint_id_token(
        &self,
        client: &AuthenticatedClient,
        granted: &Granted,
        nonce: Option<Nonce>,
        access_token: &Secret,
    ) -> Result<Secret, TokenError> {
        let algorithm = algorithm(client.settings().id_token_algorithm);
        let key = self.signing_key(algorithm).ok_or(TokenError::SigningKeyNotReady(algorithm.as_str()))?;
        let mut claims = claims(self.issuer.as_str(), granted, nonce, access_token);
        if self.has_password(&granted.row.subject).await {
            claims.acr = Some(IdTokenClaims::ACR_PASSWORD.to_owned());
            claims.amr = vec![IdTokenClaims::AMR_PASSWORD.to_owned()];
        }
        let claims = serde_json::to_vec(&claims).expect("strings and numbers always serialize");
        let signed = self.slow_signatures.sign(key, Typ::JWT, claims).await;
        signed.map(Secret::new).map_err(|_| TokenError::AccessTokenTooLarge)
    }

    /// Whether the user has a password here, with which they log in. Who has none was authenticated by the program around.
    /// A store that cannot say is no reason to lose an answer whose grant is written: then nothing is claimed.
    async fn has_password(&self, subject: &Subject) -> bool {
        matches!(self.store.user(subject).await, Ok(Some(user)) if user.credential.is_some())
    }

    /// The claims of an ID token that this server made, be it past its end or of an issuer name before the present one;
    /// `None` for everything else. For whom it is, and about whom, is the caller's to compare.
    pub(crate) fn verify_id_token_hint(&self, hint: &Secret) -> Option<IdTokenClaims> {
        let claims = self.signing.verify(hint.expose(), Typ::JWT).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}

fn claims(issuer: &str, granted: &Granted, nonce: Option<Nonce>, access_token: &Secret) -> IdTokenClaims {
    let row = &granted.row;
    // A clock behind the last rotation counts as that rotation.
    let issued_at = granted.now.max(row.rotated_at);
    let end = issued_at.plus_seconds(ID_TOKEN_SECONDS);
    IdTokenClaims {
        iss: issuer.to_owned(),
        sub: row.subject.as_str().to_owned(),
        aud: row.client.as_str().to_owned(),
        exp: row.absolute_expires_at.map_or(end, |absolute| end.min(absolute)).seconds(),
        iat: issued_at.seconds(),
        auth_time: row.authenticated_at.seconds(),
        nonce,
        acr: None,
        amr: Vec::new(),
        at_hash: Some(at_hash(access_token)),
    }
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that belongs to the signature, SHA-256 for RS256 and ES256.
fn at_hash(access_token: &Secret) -> String {
    let digest = sha256(access_token.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
}

pub(crate) const fn algorithm(algorithm: IdTokenAlgorithm) -> Algorithm {
    match algorithm {
        IdTokenAlgorithm::Rs256 => Algorithm::Rs256,
        IdTokenAlgorithm::Es256 => Algorithm::Es256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn oidc_core_section_3_1_3_6_at_hash_is_the_left_half_of_the_digest() {
        let access_token = Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".to_owned());
        assert_eq!(at_hash(&access_token), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[tokio::test]
    async fn oidc_core_section_12_2_a_refresh_gives_an_id_token_when_asked_and_without_nonce() {
        let world = World::new().await;
        let code = world.code().await;
        let first = world.redeem(&code, "").await.unwrap();
        let original = world.id_token(&first);
        world.clock.advance_seconds(100);

        let second = world.refresh(&first, "").await.unwrap();
        assert_eq!(second.id_token, None);
        let third = world.refresh(&second, "&scope=openid").await.unwrap();
        let again = world.id_token(&third);
        assert_eq!(again.nonce, None);
        assert_eq!(again.iat, original.iat + 100);
        let same = |claims: &IdTokenClaims| (claims.sub.clone(), claims.aud.clone(), claims.auth_time);
        assert_eq!((same(&again), &again.iss), (same(&original), &original.iss));
        assert_ne!(again.at_hash, original.at_hash);
        let fourth = world.refresh(&third, "&scope=read").await.unwrap();
        assert_eq!(fourth.id_token, None);
        world.change(|settings| settings.id_token_on_refresh = true).await;
        let fifth = world.refresh(&fourth, "").await.unwrap();
        assert!(fifth.id_token.is_some(), "always, by its setting");
        assert_eq!(world.refresh(&fifth, "&scope=read").await.unwrap().id_token, None, "but not without the scope");
    }

    #[tokio::test]
    async fn an_id_token_ends_after_its_lifetime_and_with_its_grant() {
        let world = World::new().await;
        let code = world.code().await;
        let grant_ends_at = world.now().seconds() + 7200;
        let mut response = world.redeem(&code, "").await.unwrap();
        assert_eq!(world.id_token(&response).exp, world.now().seconds() + ID_TOKEN_SECONDS);
        for _ in 0..2 {
            world.clock.advance_seconds(3000);
            response = world.refresh(&response, "&scope=openid").await.unwrap();
        }
        assert_eq!(world.id_token(&response).exp, grant_ends_at);
    }

    #[tokio::test]
    async fn an_id_token_never_passes_for_an_access_token_nor_the_other_way_round() {
        let world = World::new().await;
        let response = world.redeem(&world.code().await, "").await.unwrap();
        let id_token = response.id_token.unwrap();
        assert!(world.server.recognise(id_token.expose()).is_none());
        assert!(world.server.recognise(response.access_token.expose()).is_some());
        assert_eq!(world.server.verify_id_token_hint(&response.access_token), None);
        assert!(world.server.signing.verify(id_token.expose(), Typ::JWT).is_ok());
    }
}
