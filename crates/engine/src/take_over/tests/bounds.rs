use regrant_grant::{GrantId, GrantSecret, ImportedBirth};
use regrant_protocol::TokenEndpointAuthMethod;
use regrant_store::{ImportedAccessToken, ImportedGrant};

use super::*;
use crate::Secrecy;
use crate::failures::{SOURCE_FAILURE_BURST, SOURCE_FAILURE_INTERVAL_SECONDS};
use crate::world::settings;

#[tokio::test]
async fn what_cannot_be_the_old_servers_is_never_presented() {
    let (world, old) = world(|_| {}).await;
    let code = world.code().await;
    let given = world.redeem(&code, "").await.unwrap();
    let ours = successor(&given).to_owned();
    let access = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d12345678";
    world.server.import(vec![imported_access_token(&world, access)]).await.unwrap();
    for token in [
        "rgr_",
        "rgx_0d6fb2a9c1e84375",
        &format!("{ours}x"),
        &ours.replace("rgr_", "rgc_"),
        given.access_token.expose().split('.').next().unwrap().get(..7).unwrap(),
        access,
        "1234567",
        &"x".repeat(4097),
        "0d6fb2a9%0Ac1e84375",
        "j%C3%B6rg-j%C3%B6rg",
    ] {
        assert!(refresh(&world, token).await.is_err(), "{token}");
        assert_eq!(old.asked(), [""; 0], "{token}");
    }
    for token in ["12345678", &"x".repeat(4096), "RGR_0d6fb2a9c1e84375"] {
        assert!(refresh(&world, token).await.is_err(), "{token}");
        assert_eq!(old.asked(), [format!("refresh {token}")]);
    }
    let of_other = format!("grant_type=refresh_token&client_id=other&refresh_token={OLD}");
    assert_eq!(verdict(world.token(&of_other).await), Verdict::Malformed);
    assert_eq!(old.asked(), [""; 0], "another client");
}

fn imported_access_token(world: &World, token: &str) -> ImportedGrant {
    let end = world.now().plus_seconds(3_600);
    let scope = Scope::parse("read").unwrap();
    ImportedGrant {
        birth: ImportedBirth {
            id: GrantId([7; 16]),
            secret: GrantSecret::new([7; 16]),
            client: ClientId::parse("app").unwrap(),
            subject: world.alice.clone(),
            scope: scope.clone(),
            created_at: world.now(),
            authenticated_at: world.now(),
            idle_expires_at: Some(end),
            absolute_expires_at: Some(end),
            ends_elsewhere_at: None,
            access_lifetime: regrant_protocol::Lifetime::from_seconds(3_600),
        },
        refresh_token: None,
        access_tokens: vec![ImportedAccessToken {
            token: ImportedToken(sha256(token.as_bytes())),
            scope,
            issued_at: world.now(),
            expires_at: end,
        }],
    }
}

#[tokio::test]
async fn from_the_end_date_on_nothing_is_presented() {
    let (world, old) = world(|_| {}).await;
    world.clock.advance_seconds(86_399);
    let first = refresh(&world, OLD).await.unwrap();
    old.live.lock().unwrap().insert("another-token".to_owned());
    world.clock.advance_seconds(1);
    assert_eq!(verdict(refresh(&world, "another-token").await), Verdict::Malformed);
    assert_eq!(successor(&refresh(&world, OLD).await.unwrap()), successor(&first), "what was taken over goes on");
    assert_eq!(old.asked().len(), 1);
}

#[tokio::test]
async fn over_its_bounds_nothing_is_presented_and_nobody_is_refused() {
    let (world, old) = world(|settings| (settings.at_once_max, settings.per_second_max) = (2, 3)).await;
    let world = Arc::new(world);
    let answers = old.answers.forget_permits(1_000);
    let mut waiting = tokio::task::JoinSet::new();
    for token in ["first-token", "second-token"] {
        let world = Arc::clone(&world);
        waiting.spawn(async move { refresh(&world, token).await });
    }
    while old.asked.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let later = TokenError::NotTakenOver { retry_after_seconds: 1 };
    assert_eq!(refresh(&world, OLD).await.unwrap_err(), later, "two at once");
    old.answers.add_permits(answers);
    waiting.join_all().await;
    refresh(&world, OLD).await.unwrap();
    assert_eq!(refresh(&world, "fourth-token").await.unwrap_err(), later, "three in a second");
    world.clock.advance_milliseconds(334);
    assert_eq!(verdict(refresh(&world, "fourth-token").await), Verdict::Malformed);
    assert_eq!(old.asked().len(), 4);
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down_unless_it_is_a_client_that_has_proved_itself() {
    let (world, old) = world(|settings| settings.per_second_max = 10_000).await;
    old.says(Says::Answer(400, None, r#"{"error":"invalid_grant"}"#.to_owned()));
    let own = ClientSettings { auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost], ..settings() };
    let web = ClientId::parse("web").unwrap();
    let secret = world.server.register_client(web.clone(), Secrecy::Generated, own).await.unwrap().unwrap();
    let desk = world.server.take_overs.old_servers.read().unwrap().values().next().unwrap().settings.clone();
    let both = HashMap::from([(web, desk.clone()), (ClientId::parse("app").unwrap(), desk)]);
    world.server.set_old_servers(both);

    let failures = &world.server.failures;
    let source = [FailureKey::old_token(world.context().source)];
    for _ in 0..SOURCE_FAILURE_BURST {
        failures.charge(&source, world.context().first_byte).unwrap();
    }
    let told = refresh(&world, "one-too-many").await.unwrap_err();
    assert_eq!(told, TokenError::TooManyFailures { retry_after_seconds: SOURCE_FAILURE_INTERVAL_SECONDS });
    assert_eq!(old.asked(), [""; 0]);
    let form = "grant_type=refresh_token&refresh_token=one-too-many";
    let proven = format!("{form}&client_id=web&client_secret={}", secret.expose());
    assert_eq!(verdict(world.token(&proven).await), Verdict::Malformed);

    world.clock.advance_seconds(SOURCE_FAILURE_INTERVAL_SECONDS);
    old.says(Says::Tokens(json!({})));
    for number in 0..3 {
        old.live.lock().unwrap().insert(format!("good-token-{number}"));
        refresh(&world, &format!("good-token-{number}")).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_old_server_gave_is_wiped_by_a_sweep_when_nobody_comes_for_it() {
    let (world, old) = world(|_| {}).await;
    old.says(Says::Tokens(json!({ "access_token": "opaque" })));
    assert_eq!(refresh(&world, OLD).await.unwrap_err(), TokenError::NotTakenOver { retry_after_seconds: 10 });
    let key = TokenKey::of(&ClientId::parse("app").unwrap(), &Secret::new(OLD.to_owned()));
    let (sweeper, kept_at) = (world.server.sweeper(), world.context().first_byte);
    for (seconds, is_held) in [(HELD_SECONDS - 1, true), (1, false)] {
        world.clock.advance_seconds(u32::try_from(seconds).unwrap());
        // Whether the store is swept is another matter.
        let _ = sweeper.sweep_slice().await;
        assert_eq!(world.server.take_overs.held.find(&key, kept_at).is_some(), is_held, "{seconds}");
    }
}
