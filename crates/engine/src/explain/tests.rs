use regrant_crypto::Algorithm;
use regrant_grant::{AccessVerdict, Generation, GrantId, RotationMode};
use regrant_protocol::{Scope, TokenEndpointAuthMethod, TokenResponse};
use regrant_store::{AccessTokenFormat, ClientChange, ClientSettings, UserChange, UserStatus};

use super::*;
use crate::Secrecy;
use crate::world::{World, settings};

fn refresh_token(given: &TokenResponse) -> String {
    given.refresh_token.as_ref().unwrap().expose().to_owned()
}

fn app() -> ClientId {
    ClientId::parse("app").unwrap()
}

async fn change_client(world: &World, change: ClientChange) {
    world.server.store.change_client(&app(), change).await.unwrap();
}

async fn lock(world: &World) {
    world.server.store.change_user(&world.alice, UserChange::Status(UserStatus::Locked)).await.unwrap();
}

/// Explains a token, and checks that nothing of it is told.
async fn explain(world: &World, token: &str) -> Explanation {
    let explanation = world.server.explain(token).await.unwrap();
    assert!(!format!("{explanation:?}").contains(token.get(4..).unwrap_or("\0")), "{explanation:?}");
    explanation
}

async fn verdict_on(world: &World, token: &str) -> Verdict {
    match explain(world, token).await.verdict {
        ExplainedVerdict::Refresh(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refresh_token_is_explained_by_where_it_stands() {
    let world = World::new().await;
    let first = world.redeem(&world.code().await, "").await.unwrap();
    assert_eq!(verdict_on(&world, &refresh_token(&first)).await, Verdict::Rotated);
    world.clock.advance_seconds(5);
    let second = world.refresh(&first, "").await.unwrap();
    assert_eq!(verdict_on(&world, &refresh_token(&first)).await, Verdict::Retried);
    world.clock.advance_seconds(60);

    let late = explain(&world, &refresh_token(&first)).await;
    assert_eq!(late.kind, TokenKind::RefreshToken);
    assert_eq!(late.verdict, ExplainedVerdict::Refresh(Verdict::ReuseDetected));
    assert_eq!((late.verdict.as_str(), late.verdict.is_success()), ("reuse_detected", false));
    let told = "This refresh token is generation 1; the grant is at generation 2 since 2027-01-15T08:00:05Z. It is refused, \
                because it was used before and replaced: a use of it counts as reuse,";
    assert!(late.text.starts_with(told), "{}", late.text);
    let grant = late.grant.unwrap();
    assert_eq!((grant.client, grant.subject, grant.generation), (app(), world.alice.clone(), Generation(2)));
    assert_eq!((late.grant_id, late.generation), (Some(GrantId([3; 16])), Some(Generation(1))));
    assert_eq!(grant.state, AccessVerdict::Active);

    assert!(world.refresh(&second, "").await.is_ok(), "to ask about reuse is none");
}

#[tokio::test]
async fn a_used_refresh_token_is_explained_for_the_sender_that_can_prove_itself() {
    let world = World::new().await;
    let first = world.redeem(&world.code().await, "").await.unwrap();
    let challenge = "&retry_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    world.refresh(&first, challenge).await.unwrap();
    world.clock.advance_seconds(1800);
    assert_eq!(verdict_on(&world, &refresh_token(&first)).await, Verdict::Retried);
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_used_is_explained_by_what_ended_it() {
    for verdict in [
        Verdict::Revoked,
        Verdict::ExpiredIdle,
        Verdict::ExpiredAbsolute,
        Verdict::UserDisabled,
        Verdict::ClientDisabled,
        Verdict::ScopeExceeded,
        Verdict::TargetRefused,
        Verdict::Consumed,
        Verdict::UnknownGrant,
        Verdict::RolledBack,
        Verdict::Forged,
        Verdict::Malformed,
    ] {
        let world = World::new().await;
        let given = world.redeem(&world.code().await, "").await.unwrap();
        let mut token = refresh_token(&given);
        let row = world.server.grant(GrantId([3; 16])).await.unwrap().unwrap().grant;
        let make = |row: &Grant| world.server.keys.refresh_token(row).unwrap().expose().to_owned();
        match verdict {
            Verdict::Revoked => drop(world.server.end_grant_by_operator(row.id).await.unwrap()),
            Verdict::ExpiredIdle => world.clock.advance_seconds(3600),
            Verdict::ExpiredAbsolute => world.clock.advance_seconds(7200),
            Verdict::UserDisabled => lock(&world).await,
            Verdict::ClientDisabled => change_client(&world, ClientChange::Enabled(false)).await,
            Verdict::ScopeExceeded => {
                world
                    .change(|settings| (settings.scope, settings.default_scope) = (Scope::empty(), Scope::empty()))
                    .await;
            }
            Verdict::TargetRefused => world.change(|settings| settings.resources = Resources::default()).await,
            Verdict::Consumed => world.change(|settings| settings.policy.rotation = RotationMode::Consume).await,
            Verdict::UnknownGrant => token = make(&Grant { id: GrantId([7; 16]), ..row }),
            Verdict::RolledBack => token = make(&Grant { generation: Generation(9), ..row }),
            Verdict::Forged => token.replace_range(token.len() - 1.., if token.ends_with('A') { "B" } else { "A" }),
            Verdict::Malformed => token.truncate(40),
            other => panic!("{other}"),
        }
        assert_eq!(verdict_on(&world, &token).await, verdict);
    }
}

#[tokio::test]
async fn a_client_that_lost_its_grant_type_is_told_apart() {
    let world = World::new().await;
    let code = world.code().await;
    let given = world.redeem(&code, "").await.unwrap();
    world.change(|settings| settings.grant_types = vec![GrantType::AuthorizationCode]).await;
    let explained = explain(&world, &refresh_token(&given)).await;
    assert_eq!(explained.verdict, ExplainedVerdict::GrantTypeNotAllowed);
    world.change(|settings| settings.grant_types = vec![GrantType::RefreshToken]).await;
    assert_eq!(explain(&world, &code).await.verdict, ExplainedVerdict::GrantTypeNotAllowed);
}

#[tokio::test]
async fn a_code_is_explained_without_being_used() {
    for verdict in [
        RedeemVerdict::Redeemed,
        RedeemVerdict::Replayed,
        RedeemVerdict::Expired,
        RedeemVerdict::Revoked,
        RedeemVerdict::UserDisabled,
        RedeemVerdict::ClientDisabled,
        RedeemVerdict::Forged,
        RedeemVerdict::Malformed,
    ] {
        let world = World::new().await;
        let mut code = world.code().await;
        match verdict {
            RedeemVerdict::Redeemed => {}
            RedeemVerdict::Replayed => drop(world.redeem(&code, "").await.unwrap()),
            RedeemVerdict::Expired => world.clock.advance_seconds(60),
            RedeemVerdict::Revoked => drop(world.server.end_grant_by_operator(GrantId([3; 16])).await.unwrap()),
            RedeemVerdict::UserDisabled => lock(&world).await,
            RedeemVerdict::ClientDisabled => change_client(&world, ClientChange::Enabled(false)).await,
            RedeemVerdict::Forged => code.replace_range(code.len() - 1.., if code.ends_with('A') { "B" } else { "A" }),
            RedeemVerdict::Malformed => code.truncate(40),
            other => panic!("{other}"),
        }
        let explained = explain(&world, &code).await;
        assert_eq!((explained.kind, explained.verdict), (TokenKind::Code, ExplainedVerdict::Redemption(verdict)));
        if verdict == RedeemVerdict::Redeemed {
            assert!(world.redeem(&code, "").await.is_ok(), "to ask about a code does not redeem it");
        }
    }
}

#[tokio::test]
async fn an_access_token_is_explained_in_either_format() {
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
        for verdict in [
            AccessVerdict::Active,
            AccessVerdict::Expired,
            AccessVerdict::Revoked,
            AccessVerdict::UserDisabled,
            AccessVerdict::ClientDisabled,
        ] {
            let world = World::new().await;
            world.change(|settings| settings.access_token_format = format).await;
            let given = world.redeem(&world.code().await, "").await.unwrap();
            match verdict {
                AccessVerdict::Active => {}
                AccessVerdict::Expired => world.clock.advance_seconds(300),
                AccessVerdict::Revoked => drop(world.server.end_grant_by_operator(GrantId([3; 16])).await.unwrap()),
                AccessVerdict::UserDisabled => lock(&world).await,
                AccessVerdict::ClientDisabled => change_client(&world, ClientChange::Enabled(false)).await,
                other => panic!("{other:?}"),
            }
            let explained = explain(&world, given.access_token.expose()).await;
            let is_opaque = explained.kind == TokenKind::OpaqueAccessToken;
            assert_eq!(is_opaque, format == AccessTokenFormat::Opaque, "{explained:?}");
            assert_eq!(explained.verdict, ExplainedVerdict::Access(verdict), "{explained:?}");
            assert_eq!(explained.grant.map(|grant| grant.client), Some(app()));
        }
    }
}

#[tokio::test]
async fn what_has_no_grant_is_explained_too() {
    let world = World::new().await;
    let scope = Scope::parse("read").unwrap();
    let own = ClientSettings {
        grant_types: vec![GrantType::ClientCredentials],
        auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost],
        redirect_uris: Vec::new(),
        scope: scope.clone(),
        default_scope: scope,
        ..settings()
    };
    let machine = ClientId::parse("machine").unwrap();
    let secret = world.server.register_client(machine.clone(), Secrecy::Generated, own).await.unwrap().unwrap();
    let form = format!("client_id=machine&client_secret={}", secret.expose());
    let token = world.token(&format!("grant_type=client_credentials&{form}")).await.unwrap().access_token;
    let explained = explain(&world, token.expose()).await;
    assert_eq!((explained.client, explained.grant), (Some(machine), None));
    assert_eq!(explained.verdict, ExplainedVerdict::Access(AccessVerdict::Active));
    let params = regrant_protocol::Params::parse(format!("token={}&{form}", token.expose()).as_bytes()).unwrap();
    world.server.revoke(&world.context(), None, &params).await.unwrap();
    assert_eq!(explain(&world, token.expose()).await.verdict, ExplainedVerdict::AccessTokenRevoked);

    let id_token = world.redeem(&world.code().await, "").await.unwrap().id_token.unwrap();
    let explained = explain(&world, id_token.expose()).await;
    assert_eq!((explained.kind, explained.client), (TokenKind::IdToken, Some(app())));
    for nothing in ["", "hello", "rgx_abc", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(world.server.explain(nothing).await.unwrap().kind, TokenKind::Unknown, "{nothing:?}");
    }
}

#[tokio::test]
async fn a_jwt_whose_signing_key_was_withdrawn_is_explained_by_that_key() {
    let world = World::new().await;
    world.change(|settings| settings.access_token_format = AccessTokenFormat::JwtEs256).await;
    let given = world.redeem(&world.code().await, "").await.unwrap();
    let tokens = [
        (given.access_token.expose(), TokenKind::JwtAccessToken),
        (given.id_token.as_ref().unwrap().expose(), TokenKind::IdToken),
    ];
    for algorithm in Algorithm::ALL {
        world.server.rotate_signing_key(algorithm, false).await.unwrap();
    }
    for (token, kind) in tokens {
        let explained = explain(&world, token).await;
        assert_eq!(explained.kind, kind, "an older key is none that was withdrawn");
        assert_ne!(explained.verdict, ExplainedVerdict::KeyWithdrawn);
        let forged = format!("{}.c2ln", token.rsplit_once('.').unwrap().0);
        assert_eq!(explain(&world, &forged).await.kind, TokenKind::Unknown, "its key can tell that it is forged");
    }
    for algorithm in Algorithm::ALL {
        world.server.rotate_signing_key(algorithm, true).await.unwrap();
    }
    for (token, kind) in tokens {
        let explained = explain(&world, token).await;
        assert_eq!((explained.kind, explained.verdict), (kind, ExplainedVerdict::KeyWithdrawn));
        assert_eq!((explained.verdict.as_str(), explained.verdict.is_success()), ("key_withdrawn", false));
        assert!(explained.text.contains("was withdrawn at 2027-01-15T08:00:00Z"), "{}", explained.text);
        let kid = unverified_header(token).unwrap().kid;
        assert!(explained.text.contains(&format!("signing key {kid}, ")), "{}", explained.text);
    }
}
