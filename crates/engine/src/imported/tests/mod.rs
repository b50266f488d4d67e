use regrant_grant::{
    AccessVerdict, GrantSecret, ImportedBirth, OldAccessTokens, OnReuse, Policy, RotationMode, Verdict,
};
use regrant_protocol::{
    ActiveToken, BearerToken, ClientId, IntrospectionResponse, Lifetime, Params, Scope, Secret, Timestamp,
    TokenEndpointAuthMethod, TokenResponse,
};
use regrant_store::{ClientChange, ClientSettings, ImportedAccessToken, UserChange, UserStatus};

use super::*;
use crate::failures::{SOURCE_FAILURE_BURST, SOURCE_FAILURE_INTERVAL_SECONDS};
use crate::world::{ISSUER, Nowhere, World, settings};
use crate::{ExplainedVerdict, Secrecy, TokenKind};

mod access_tokens;
mod guesses;
mod refreshes;

const REFRESH: &str = "0d6fb2a9c1e84375a0f1c2d3e4b5968778695a4b";
const ACCESS: &str = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d12345678";
const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

fn digest(token: &str) -> ImportedToken {
    ImportedToken(sha256(token.as_bytes()))
}

/// A grant of alice to this client, which another system made an hour ago: its refresh token ends in ten days, its access token
/// in half an hour.
fn foreign(world: &World, id: &str) -> ImportedGrant {
    let at = |seconds| world.now().plus_seconds(seconds);
    let hour = i64::from(HOUR);
    ImportedGrant {
        birth: ImportedBirth {
            id: world.row_id(),
            secret: GrantSecret::new([4; 16]),
            client: client(id),
            subject: world.alice.clone(),
            scope: Scope::parse("openid read").unwrap(),
            created_at: at(-hour),
            authenticated_at: at(-hour),
            idle_expires_at: Some(at(10 * i64::from(DAY))),
            absolute_expires_at: Some(at(100 * i64::from(DAY))),
            ends_elsewhere_at: None,
            access_lifetime: Lifetime::from_seconds(HOUR),
        },
        refresh_token: Some(digest(REFRESH)),
        access_tokens: vec![ImportedAccessToken {
            token: digest(ACCESS),
            scope: Scope::parse("openid").unwrap(),
            issued_at: at(-hour / 2),
            expires_at: at(hour / 2),
        }],
    }
}

/// A world with the grant of [`foreign`], changed, and the confidential client `web`, whose secret is told.
async fn world(id: &str, change: impl FnOnce(&mut ImportedGrant)) -> (World, String) {
    let world = World::new().await;
    let own = ClientSettings { auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost], ..settings() };
    let secret = world.server.register_client(client("web"), Secrecy::Generated, own).await.unwrap();
    let mut grant = foreign(&world, id);
    change(&mut grant);
    let imported = world.server.import(vec![grant]).await.unwrap();
    assert_eq!((imported.refresh_tokens, imported.access_tokens), (1, 1));
    (world, format!("web&client_secret={}", secret.unwrap().expose()))
}

async fn refresh(world: &World, asker: &str, token: &str, rest: &str) -> Result<TokenResponse, TokenError> {
    world.token(&format!("grant_type=refresh_token&client_id={asker}&refresh_token={token}{rest}")).await
}

fn verdict(answer: Result<TokenResponse, TokenError>) -> Verdict {
    match answer {
        Err(TokenError::Refresh { verdict, .. }) => verdict,
        other => panic!("it was not the rule that refused: {other:?}"),
    }
}

fn refresh_token(given: &TokenResponse) -> &str {
    given.refresh_token.as_ref().unwrap().expose()
}

async fn revoke(world: &World, asker: &str, token: &str) {
    let form = format!("client_id={asker}&token={token}&token_type_hint=access_token");
    world.server.revoke(&world.context(), None, &Params::parse(form.as_bytes()).unwrap()).await.unwrap();
}

async fn introspect(world: &World, asker: &str, token: &str) -> Option<ActiveToken> {
    let form = Params::parse(format!("client_id={asker}&token={token}").as_bytes()).unwrap();
    match world.server.introspect(&world.context(), None, &form).await.unwrap() {
        IntrospectionResponse::Active(token) => Some(*token),
        IntrospectionResponse::Inactive => None,
    }
}
