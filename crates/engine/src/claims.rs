use std::time::Duration;

use regrant_protocol::AccessTokenClaims;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::{AuthorizationServer, CALLS_ELSEWHERE_MAX, ClaimsRequest, ClaimsUnavailable, RequestContext};

/// How long a claims hook may take, in seconds. Half of [`BEGIN_SECONDS_MAX`](crate::BEGIN_SECONDS_MAX), so that what it
/// answers can still be used.
pub const CLAIMS_SECONDS_MAX: u64 = 5;

/// Why a claims hook left a request without tokens. Nothing was written, and the same request may come again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsProblem {
    /// It said so.
    #[error(transparent)]
    Unavailable(#[from] ClaimsUnavailable),
    /// It took longer than it may.
    #[error("the claims hook took longer than {CLAIMS_SECONDS_MAX} s, or than its request had left")]
    TooSlow,
    /// It is asked, or old servers are, for as many calls as may wait for somebody else.
    #[error("{CALLS_ELSEWHERE_MAX} calls wait for the claims hook or an old server, which is the most that may")]
    TooMany,
    /// It named a claim that is the server's own.
    #[error("the claims hook adds {0:?}, which only the server says; add it under another name")]
    Reserved(&'static str),
}

impl AuthorizationServer {
    /// What the claims hook adds to an access token; nothing where there is no hook.
    pub(crate) async fn ask_for_claims(
        &self,
        context: &RequestContext,
        of: ClaimsRequest<'_>,
    ) -> Result<Map<String, Value>, ClaimsProblem> {
        let Some(hook) = &self.hooks.claims else { return Ok(Map::new()) };
        let _place = self.admission.elsewhere().ok_or(ClaimsProblem::TooMany)?;
        let left = context.begin_before().saturating_duration_since(self.clock.monotonic());
        let patience = left.min(Duration::from_secs(CLAIMS_SECONDS_MAX));
        let mut added = timeout(patience, hook.claims(&of)).await.map_err(|_| ClaimsProblem::TooSlow)??;
        if let Some(name) = AccessTokenClaims::RESERVED_NAMES.into_iter().find(|name| added.contains_key(*name)) {
            return Err(ClaimsProblem::Reserved(name));
        }
        // The same claims make the same token, in whatever order the hook puts them.
        added.sort_keys();
        added.values_mut().for_each(Value::sort_all_objects);
        Ok(added)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use regrant_crypto::{JWS_BYTES_MAX, Typ};
    use regrant_grant::Grant;
    use regrant_protocol::{ClientId, GrantType, Secret, TokenEndpointAuthMethod, TokenResponse};
    use regrant_store::{AccessTokenFormat, ClientSettings, Scene, Target, decide_in};
    use serde_json::json;

    use super::*;
    use crate::world::{World, settings};
    use crate::{ClaimsHook, Hooks, Refusal, Secrecy, TokenError};

    /// What a hook answers: these claims, or that there are none now, or never.
    #[derive(Clone)]
    enum Says {
        Claims(Value),
        NotNow,
        Nothing,
    }

    struct Scripted {
        says: Mutex<Says>,
        asked: Mutex<Vec<String>>,
    }

    impl Scripted {
        fn say(&self, says: Says) {
            *self.says.lock().unwrap() = says;
        }

        fn add(&self, claims: Value) {
            self.say(Says::Claims(claims));
        }

        fn last_asked(&self) -> Option<String> {
            self.asked.lock().unwrap().pop()
        }
    }

    #[async_trait]
    impl ClaimsHook for Scripted {
        async fn claims(&self, of: &ClaimsRequest<'_>) -> Result<Map<String, Value>, ClaimsUnavailable> {
            let (user, grant) = (of.subject.map(ToString::to_string), of.grant.map(|grant| grant.to_string()));
            let asked = format!("{} {user:?} {grant:?} {}", of.client, of.scope.as_str());
            self.asked.lock().unwrap().push(asked);
            let says = self.says.lock().unwrap().clone();
            match says {
                Says::Claims(claims) => Ok(claims.as_object().unwrap().clone()),
                Says::NotNow => Err(ClaimsUnavailable("the directory is down".to_owned())),
                Says::Nothing => pending().await,
            }
        }
    }

    async fn world() -> (World, Arc<Scripted>) {
        let hook = Arc::new(Scripted {
            says: Mutex::new(Says::Claims(json!({ "role": "reader" }))),
            asked: Mutex::new(Vec::new()),
        });
        let hooks = Hooks { claims: Some(Arc::clone(&hook) as _), ..Hooks::default() };
        (World::with(hooks).await, hook)
    }

    fn claims(world: &World, response: &TokenResponse) -> Value {
        let claims = world.server.signing.verify(response.access_token.expose(), Typ::ACCESS_TOKEN).unwrap();
        serde_json::from_slice(&claims).unwrap()
    }

    async fn row(world: &World) -> Grant {
        let target = Target::Grant(world.row_id());
        let look = |scene: &Scene<'_>| (scene.grant.cloned(), regrant_grant::Write::Nothing);
        decide_in(&**world.server.store(), target, None, look).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_hook_that_hangs_takes_no_more_than_half_of_the_places() {
        let (world, hook) = world().await;
        let code = world.code().await;
        let first = world.redeem(&code, "").await.unwrap();
        let before = row(&world).await;
        let places: Vec<_> = (0..CALLS_ELSEWHERE_MAX).map(|_| world.server.admission.elsewhere().unwrap()).collect();
        let told = world.refresh(&first, "").await.unwrap_err();
        assert_eq!(told, TokenError::Claims(ClaimsProblem::TooMany));
        assert_eq!((row(&world).await, Refusal::from(&told).status), (before, 503));
        assert!(world.server.admit().is_ok(), "what needs no hook goes on");
        drop(places);
        hook.add(json!({ "role": "writer" }));
        assert!(world.refresh(&first, "").await.is_ok());
    }

    #[tokio::test]
    async fn what_the_hook_adds_is_in_every_access_token_and_told_at_introspection() {
        let (world, hook) = world().await;
        let (alice, grant) = (world.alice.to_string(), world.row_id().to_string());
        let code = world.code().await;
        let first = world.redeem(&code, "").await.unwrap();
        assert_eq!(claims(&world, &first)["role"], "reader");
        assert_eq!(hook.last_asked(), Some(format!("app {:?} {:?} openid profile read", Some(&alice), Some(&grant))));

        hook.add(json!({ "role": "admin", "groups": { "b": 1, "a": [null] } }));
        let second = world.refresh(&first, "&scope=read").await.unwrap();
        assert_eq!(hook.last_asked(), Some(format!("app {:?} {:?} read", Some(&alice), Some(&grant))));
        let added = claims(&world, &second);
        assert_eq!((&added["role"], &added["groups"]), (&json!("admin"), &json!({ "a": [null], "b": 1 })));
        let retried = world.refresh(&first, "&scope=read").await.unwrap();
        assert_eq!(claims(&world, &retried), added);
        hook.add(json!({}));
        let other = claims(&world, &world.refresh(&first, "&scope=read").await.unwrap());
        assert_ne!(other["jti"], added["jti"], "another token, which is revoked by itself");

        hook.add(json!({ "role": "admin" }));
        world.change(|settings| settings.access_token_format = AccessTokenFormat::Opaque).await;
        let third = world.refresh(&second, "").await.unwrap();
        for token in [&second.access_token, &third.access_token] {
            let told = world.server.inspect(&world.context(), token.expose()).await.unwrap().unwrap();
            assert_eq!(told.claims.added["role"], "admin");
        }
    }

    #[tokio::test]
    async fn a_client_that_acts_for_itself_or_has_the_password_gets_claims_too() {
        let (world, hook) = world().await;
        let method = TokenEndpointAuthMethod::ClientSecretPost;
        let grant_types = vec![GrantType::ClientCredentials, GrantType::Password];
        let settings = ClientSettings::new(vec![method], grant_types, settings().scope, settings().policy);
        let secret = Secrecy::Chosen(Secret::new("sesame".to_owned()));
        world.server.register_client(ClientId::parse("batch").unwrap(), secret, settings).await.unwrap();
        let ask =
            async |form: &str| world.token(&format!("client_id=batch&client_secret=sesame&scope=read&{form}")).await;
        let own = ask("grant_type=client_credentials").await.unwrap();
        assert_eq!(claims(&world, &own)["role"], "reader");
        assert_eq!(hook.last_asked().as_deref(), Some("batch None None read"));
        let password = "grant_type=password&username=alice&password=wonderland";
        assert_eq!(claims(&world, &ask(password).await.unwrap())["role"], "reader");
        assert!(hook.last_asked().unwrap().contains(world.alice.as_str()));
        hook.say(Says::NotNow);
        for form in ["grant_type=client_credentials", password] {
            let refused = ask(form).await.unwrap_err();
            assert!(matches!(refused, TokenError::Claims(ClaimsProblem::Unavailable(_))), "{form}: {refused:?}");
        }
        assert_eq!(world.server.store().grants_of(&world.alice).await.unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_claims_nothing_is_written_and_the_same_token_may_come_again() {
        let (world, hook) = world().await;
        let code = world.code().await;
        let large = json!({ "list": "x".repeat(JWS_BYTES_MAX) });
        let unavailable = ClaimsUnavailable("the directory is down".to_owned());
        let problems = [
            (Says::NotNow, TokenError::Claims(ClaimsProblem::Unavailable(unavailable)), 503),
            (Says::Nothing, TokenError::Claims(ClaimsProblem::TooSlow), 503),
            (Says::Claims(json!({ "a": 1, "sub": "x" })), TokenError::Claims(ClaimsProblem::Reserved("sub")), 503),
            (Says::Claims(large), TokenError::AccessTokenTooLarge, 400),
        ];
        let mut given: Option<TokenResponse> = None;
        for _ in ["the code", "the refresh token"] {
            let before = row(&world).await;
            for (says, expected, status) in &problems {
                hook.say(says.clone());
                let refused = match &given {
                    None => world.redeem(&code, "").await,
                    Some(given) => world.refresh(given, "").await,
                };
                let refused = refused.unwrap_err();
                assert_eq!((&refused, Refusal::from(&refused).status), (expected, *status));
                assert_eq!(row(&world).await, before, "{expected}");
            }
            hook.add(json!({}));
            given = Some(match given {
                None => world.redeem(&code, "").await.unwrap(),
                Some(given) => world.refresh(&given, "").await.unwrap(),
            });
            assert_eq!(row(&world).await.generation.0, before.generation.0 + 1);
        }
    }

    #[tokio::test]
    async fn a_hook_may_add_anything_but_what_the_server_says_itself() {
        let (world, hook) = world().await;
        let mut given = world.redeem(&world.code().await, "").await.unwrap();
        for name in AccessTokenClaims::RESERVED_NAMES {
            hook.add(json!({ name: "x" }));
            let refused = world.refresh(&given, "").await.unwrap_err();
            assert_eq!(refused, TokenError::Claims(ClaimsProblem::Reserved(name)));
            assert!(refused.to_string().contains(name));
        }
        hook.add(json!({ "roles": [], "Iss": 1, "https://app.example/sub": "x" }));
        given = world.refresh(&given, "").await.unwrap();
        assert_eq!(claims(&world, &given)["iss"], crate::world::ISSUER);
    }

    #[tokio::test]
    async fn a_refused_refresh_is_refused_without_asking_for_claims() {
        let (world, hook) = world().await;
        let first = world.redeem(&world.code().await, "").await.unwrap();
        let second = world.refresh(&first, "").await.unwrap();
        world.refresh(&second, "").await.unwrap();
        hook.asked.lock().unwrap().clear();
        hook.say(Says::Nothing);
        assert!(matches!(world.refresh(&first, "").await, Err(TokenError::Refresh { .. })));
        assert!(row(&world).await.revoked_at.is_some(), "reuse ends the grant");
        assert_eq!(hook.last_asked(), None);
    }

    #[tokio::test]
    async fn the_largest_access_token_is_as_large_as_it_may_be() {
        let (world, hook) = world().await;
        let mut given = world.redeem(&world.code().await, "").await.unwrap();
        for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::JwtEdDsa, AccessTokenFormat::Opaque] {
            world.change(|settings| settings.access_token_format = format).await;
            let (mut fits, mut too_large, mut longest) = (0, JWS_BYTES_MAX, 0);
            while too_large - fits > 1 {
                let middle = fits.midpoint(too_large);
                hook.add(json!({ "x": "x".repeat(middle) }));
                match world.refresh(&given, "").await {
                    Ok(response) => {
                        longest = response.access_token.expose().len();
                        (given, fits) = (response, middle);
                    }
                    Err(error) => {
                        assert_eq!(error, TokenError::AccessTokenTooLarge);
                        too_large = middle;
                    }
                }
            }
            assert!((JWS_BYTES_MAX - 2..=JWS_BYTES_MAX).contains(&longest), "{format:?}: {longest}");
        }
    }
}
