use regrant_crypto::{Purpose, sha256};
use regrant_grant::{AuthorityTag, CODE_PREFIX, RedeemFacts, RedeemVerdict, Redemption, TokenParts, Write, redeem};
use regrant_protocol::{CodeChallenge, CodeRequest, CodeVerifier, TokenResponse};
use regrant_store::Scene;

use crate::id_token::OPENID;
use crate::keys::Owner;
use crate::presented::epoch_of;
use crate::token::{Granted, may_refresh, row_after, still_allowed};
use crate::{AuthenticatedClient, AuthorizationServer, Happening, RequestContext, TokenError};

/// What the row keeps of a redirect URI: the first half of its SHA-256 digest.
pub(crate) fn redirect_uri_digest(uri: &str) -> [u8; 16] {
    *sha256(uri.as_bytes()).first_chunk().expect("32 bytes begin with 16")
}

impl AuthorizationServer {
    /// `grant_type=authorization_code` (RFC 6749 §4.1.3): the rule of [`redeem`] around one step of the store.
    pub(crate) async fn redeem_code(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &CodeRequest,
    ) -> Result<TokenResponse, TokenError> {
        let decided = self.decide_redemption(context, client, request).await;
        let told = match &decided {
            Ok((verdict, granted)) => Some((*verdict, Some(granted.row.id))),
            Err(TokenError::Redeem { verdict, grant, .. }) => Some((*verdict, *grant)),
            // No verdict was reached.
            Err(_) => None,
        };
        if let Some((verdict, grant)) = told {
            self.tell(context, Happening::Redemption { verdict, grant, client: client.id() });
            if verdict == RedeemVerdict::RolledBack {
                self.halt(epoch_of(CODE_PREFIX, &request.code)).await;
            }
        }
        let (_, granted) = decided?;
        let may_refresh = may_refresh(client.settings(), &granted.scope);
        let refresh_token = may_refresh.then(|| self.keys.refresh_token(&granted.row)).transpose()?;
        let mut response = self.respond(client, &granted, refresh_token).await?;
        if granted.scope.contains(OPENID) {
            let nonce = granted.row.code.as_ref().and_then(|code| code.nonce.clone());
            response.id_token = Some(self.mint_id_token(client, &granted, nonce, &response.access_token).await?);
        }
        Ok(response)
    }

    async fn decide_redemption(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &CodeRequest,
    ) -> Result<(RedeemVerdict, Granted), TokenError> {
        let has_verifier = request.code_verifier.is_some();
        let refused = |verdict, grant| TokenError::Redeem { verdict, grant, has_verifier };
        let parts = TokenParts::parse(CODE_PREFIX, request.code.expose())
            .map_err(|_| refused(RedeemVerdict::Malformed, None))?;
        self.learn_of_key(parts.head.kid).await?;
        self.keys
            .prefilter(&parts.head, &parts.prefilter_tag, Purpose::Code)
            .map_err(|unrecognised| refused(unrecognised.into(), None))?;
        self.redeem_step(context, client, request, parts).await
    }

    async fn redeem_step(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
        request: &CodeRequest,
        parts: TokenParts,
    ) -> Result<(RedeemVerdict, Granted), TokenError> {
        let grant = parts.head.grant;
        let has_verifier = request.code_verifier.is_some();
        let refused = move |verdict| TokenError::Redeem { verdict, grant: Some(grant), has_verifier };
        let of_verifier = |verifier: &CodeVerifier| CodeChallenge::of_digest(&sha256(verifier.expose().as_bytes()));
        let mut facts = RedeemFacts {
            client: client.id().clone(),
            // Known once the row is read.
            authority_tag: AuthorityTag::Invalid,
            kid: parts.head.kid,
            epoch: parts.head.epoch,
            verifier: request.code_verifier.as_ref().map(of_verifier),
            redirect_uri: request.redirect_uri.as_deref().map(redirect_uri_digest),
            newest_kid: self.keys.newest_kid(),
        };
        let keys = self.keys.clone();
        let asker = client.clone();
        let resources = request.resources.clone();
        let id_token_key_in_the_making = self.id_token_key_in_the_making(client.settings());
        let rule = move |scene: &Scene<'_>| {
            let unchanged = |error| (Err(error), Write::Nothing);
            let Some(row) = scene.grant else { return unchanged(refused(RedeemVerdict::UnknownGrant)) };
            let version = scene.surroundings.client.map(|client| client.version);
            if row.client == facts.client && version != Some(asker.client().party.version) {
                return unchanged(TokenError::Changed);
            }
            facts.authority_tag = keys.check_authority(&parts, Owner::of_code(row), Purpose::Code);

            let policy = asker.settings().policy;
            let Redemption { verdict, write } = redeem(row, &facts, &scene.surroundings, &policy, scene.now);
            if !verdict.is_success() {
                return (Err(refused(verdict)), write);
            }
            let after = row_after(&write, row);
            if !keys.can_make(after) {
                return unchanged(refused(RedeemVerdict::Unavailable));
            }
            // RFC 8707 §2.2: a token for some of the resources that the user agreed to.
            if !resources.is_within(&row.resources) {
                return unchanged(TokenError::TargetNotGranted);
            }
            let (scope, resources) = match still_allowed(row, None, &resources, asker.settings()) {
                Ok(allowed) => allowed,
                Err(taken) => return unchanged(taken.into()),
            };
            match id_token_key_in_the_making.filter(|_| scope.contains(OPENID)) {
                Some(algorithm) => unchanged(TokenError::SigningKeyNotReady(algorithm)),
                None => (Ok((verdict, Granted::new(after.clone(), scene, scope, resources))), write),
            }
        };
        self.issue_step(context, client, grant, rule).await
    }
}

#[cfg(test)]
mod tests {
    use regrant_crypto::Typ;
    use regrant_grant::CODE_LIFETIME_SECONDS;
    use regrant_protocol::{ClientId, GrantType, Nonce, Scope};
    use regrant_store::{ClientChange, IdTokenAlgorithm};

    use super::*;
    use crate::world::{ISSUER, VERIFIER, World};
    use crate::{Refusal, ScopeLimit, TooMuchScope};

    fn verdict(answer: Result<TokenResponse, TokenError>) -> RedeemVerdict {
        let Err(TokenError::Redeem { verdict, .. }) = answer else { panic!("it was not the rule that refused") };
        verdict
    }

    #[tokio::test]
    async fn a_code_gives_an_access_token_a_refresh_token_and_an_id_token() {
        let world = World::new().await;
        let code = world.code().await;
        world.clock.advance_seconds(2);
        let response = world.redeem(&code, "&redirect_uri=https%3A%2F%2Fapp.example%2Fcb").await.unwrap();
        assert_eq!(response.scope.as_str(), "openid profile read");
        assert_eq!(response.refresh_token_expires_in, Some(3600));
        let claims = world.id_token(&response);
        let iat = world.now().seconds();
        assert_eq!(claims.nonce.as_ref().map(Nonce::as_str), Some("n-0S6_WzA2Mj"));
        assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (ISSUER, world.alice.as_str()));
        assert_eq!((claims.aud.as_str(), claims.auth_time, claims.iat), ("app", iat - 7, iat));
        assert!(world.refresh(&response, "").await.is_ok());
    }

    #[tokio::test]
    async fn rfc6749_section_4_1_2_a_code_counts_once_and_its_replay_ends_the_grant() {
        let world = World::new().await;
        let code = world.code().await;
        let response = world.redeem(&code, "").await.unwrap();
        let wrong_verifier = code_form(&code, "app", &"A".repeat(43));
        assert_eq!(verdict(world.token(&wrong_verifier).await), RedeemVerdict::WrongVerifier);
        let response = world.refresh(&response, "").await.unwrap();

        let replay = world.redeem(&code, "").await.unwrap_err();
        let (refusal, refresh) = (Refusal::from(&replay), world.refresh(&response, "").await);
        assert_eq!(verdict(Err(replay)), RedeemVerdict::Replayed);
        assert_eq!(refusal.status, 400);
        assert!(refresh.is_err(), "the replay ended the grant");
    }

    #[tokio::test]
    async fn what_is_refused_leaves_the_code_as_it_was() {
        let world = World::new().await;
        let code = world.code().await;
        let forged = format!("{}A", &code[..code.len() - 1]);
        for (why, form, expected) in [
            ("another client", code_form(&code, "other", VERIFIER), RedeemVerdict::WrongClient),
            ("another verifier", code_form(&code, "app", &"A".repeat(43)), RedeemVerdict::WrongVerifier),
            ("no code", code_form("rgc_", "app", VERIFIER), RedeemVerdict::Malformed),
            ("a changed code", code_form(&forged, "app", VERIFIER), RedeemVerdict::Forged),
            (
                "another redirect URI",
                code_form(&code, "app", VERIFIER) + "&redirect_uri=https%3A%2F%2Fapp.example%2Fcb2",
                RedeemVerdict::WrongRedirectUri,
            ),
        ] {
            assert_eq!(verdict(world.token(&form).await), expected, "{why}");
        }
        assert_eq!(world.redeem(&code, "&resource=https%3A%2F%2Fc.example").await, Err(TokenError::TargetNotGranted));
        world.change(|settings| settings.id_token_algorithm = IdTokenAlgorithm::Rs256).await;
        assert_eq!(world.redeem(&code, "").await, Err(TokenError::SigningKeyNotReady("RS256")));
        world.server.make_rs256_key().await.unwrap();
        world.clock.advance_seconds(CODE_LIFETIME_SECONDS - 1);
        assert!(world.redeem(&code, "").await.is_ok(), "a second before its end");
    }

    #[tokio::test]
    async fn a_code_ends_after_its_lifetime() {
        let world = World::new().await;
        let code = world.code().await;
        world.clock.advance_seconds(CODE_LIFETIME_SECONDS);
        assert_eq!(verdict(world.redeem(&code, "").await), RedeemVerdict::Expired);
    }

    #[tokio::test]
    async fn rfc8707_section_2_2_the_access_token_is_for_the_resources_that_the_redemption_names() {
        let world = World::new().await;
        let code = world.code().await;
        let response = world.redeem(&code, "&resource=https%3A%2F%2Fb.example").await.unwrap();
        let claims = world.server.signing.verify(response.access_token.expose(), Typ::ACCESS_TOKEN).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], serde_json::json!(["https://b.example"]));
    }

    #[tokio::test]
    async fn what_an_operator_took_from_the_client_is_not_redeemed() {
        let world = World::new().await;
        let code = world.code().await;
        world.change(|settings| (settings.scope, settings.default_scope) = (Scope::empty(), Scope::empty())).await;
        let taken = TooMuchScope { beyond: None, limit: ScopeLimit::Grant };
        assert_eq!(world.redeem(&code, "").await, Err(TokenError::Scope(taken)));
        let less = Scope::parse("read").unwrap();
        world.change(|settings| (settings.scope, settings.default_scope) = (less.clone(), less)).await;
        let response = world.redeem(&code, "").await.unwrap();
        assert_eq!((response.scope.as_str(), response.id_token), ("read", None));
    }

    #[tokio::test]
    async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
        let world = World::new().await;
        let code = world.code().await;
        world.change(|settings| settings.grant_types = vec![GrantType::AuthorizationCode]).await;
        assert_eq!(world.redeem(&code, "").await.unwrap().refresh_token, None);
    }

    #[tokio::test]
    async fn a_client_that_was_disabled_redeems_nothing() {
        let world = World::new().await;
        let code = world.code().await;
        let app = ClientId::parse("app").unwrap();
        world.server.store.change_client(&app, ClientChange::Enabled(false)).await.unwrap();
        let refused = world.redeem(&code, "").await.unwrap_err();
        assert_eq!(Refusal::from(&refused).status, 401);
    }

    fn code_form(code: &str, client: &str, verifier: &str) -> String {
        format!("grant_type=authorization_code&client_id={client}&code={code}&code_verifier={verifier}")
    }
}
