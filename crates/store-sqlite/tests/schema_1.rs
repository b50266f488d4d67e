//! A file that the version before login sessions wrote, opened by this one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_grant::{
    AccessTokenId, Binding, Generation, Grant, GrantId, GrantSecret, OnReuse, Party, Policy, Realm, RotationMode, Write,
};
use regrant_protocol::{
    ClientId, EpochNumber, GrantType, Kid, Lifetime, Profile, RedirectUri, Resources, RetryChallenge, Scope, Subject,
    SystemClock, Timestamp, TokenEndpointAuthMethod, Username,
};
use regrant_store::{
    AccessTokenFormat, ChangeError, Client, ClientDefaults, ClientHandle, ClientSettings, Credential, Store, Target,
    User, UserStatus, decide_in,
};
use regrant_store_sqlite::{Genesis, SqliteStore, check_integrity};
use rusqlite::Connection;
use tempfile::TempDir;

const SCHEMA: &str = include_str!("../migrations/0001_clients_users_grants_keys.sql");
const ROWS: &str = include_str!("schema_1.sql");

fn written(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("regrant.db");
    let connection = Connection::open(&path).expect("the directory is writable");
    connection.execute_batch(SCHEMA).expect("it is SQL");
    connection.execute_batch(ROWS).expect("they are of that schema");
    path
}

fn open(path: &Path) -> SqliteStore {
    let genesis = Genesis { realm: Realm([0xA2; 16]), epoch_random: [0xE2; 16] };
    SqliteStore::open(path, genesis, Arc::new(SystemClock)).expect("the file is a store")
}

#[tokio::test]
async fn nothing_that_the_file_held_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(&directory);
    // The second time it is a file like any other.
    for _ in 0..2 {
        let store = open(&path);
        assert_eq!(store.identity().realm, Realm([0xA1; 16]));
        assert_eq!(store.identity().epoch().random, [0xE1; 16]);
        assert_eq!(store.clients().await, Ok(vec![app(), bare()]));
        assert_eq!(store.user(&alice().subject).await, Ok(Some(alice())));
        for grant in [grant(), least_grant()] {
            let (target, expected) = (Target::Grant(grant.id), Some(grant));
            let found = decide_in(&store, target, None, |scene| (scene.grant.cloned(), Write::Nothing)).await;
            assert_eq!(found, Ok(expected));
        }
        let listed = AccessTokenId { grant: grant().id, generation: Generation(u32::MAX), digest: [1; 10] };
        let is_listed = decide_in(&store, Target::AccessToken(listed), None, |scene| {
            (scene.access_token_is_listed, Write::Nothing)
        });
        assert_eq!(is_listed.await, Ok(true));
        assert_eq!(store.announced_keys().await.map(|keys| keys.len()), Ok(1));
        let signing_keys = store.signing_keys().await.unwrap();
        let times = signing_keys.iter().map(|key| (key.created_at, key.signs_from, key.withdrawn_at));
        let since = Timestamp::from_milliseconds(1);
        assert_eq!(times.collect::<Vec<_>>(), [(since, since, None)], "the key signs as before");
        let gone = Client { id: ClientId::parse("gone").unwrap(), ..bare() };
        assert_eq!(store.add_client(gone).await, Err(ChangeError::Taken("gone".to_owned())));
    }
    assert_eq!(check_integrity(&path), Ok(Vec::new()));
}

#[tokio::test]
async fn its_grants_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&written(&directory));
    let next = Grant { version: 2, generation: Generation(3), ..grant() };
    let write = Write::Update(next.clone());
    assert_eq!(decide_in(&store, Target::Grant(next.id), None, move |_| ((), write.clone())).await, Ok(()));
    let found = decide_in(&store, Target::Grant(next.id), None, |scene| (scene.grant.cloned(), Write::Nothing)).await;
    assert_eq!(found, Ok(Some(next)));
}

#[tokio::test]
async fn settings_that_could_not_be_read_before_are_reported_as_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(&directory);
    Connection::open(&path).unwrap().execute_batch("UPDATE clients SET settings = '{' WHERE id = 'app'").unwrap();
    let store = open(&path);
    let told = store.client(&app().id).await.unwrap_err().to_string();
    assert!(told.contains("table clients, column settings, row app"), "{told}");
    assert_eq!(store.client(&bare().id).await, Ok(Some(bare())));
}

fn app() -> Client {
    let policy = Policy {
        rotation: RotationMode::Fork,
        retry_window_seconds: Some(u32::MAX),
        on_reuse: Some(OnReuse::Alert),
        access_lifetime: Lifetime::from_seconds(900),
        idle_lifetime: Lifetime::from_seconds(u32::MAX),
        absolute_lifetime: Lifetime::Never,
        ..ClientDefaults::BUILT_IN.policy
    };
    let auth_methods = vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost];
    let redirect_uri = |text| RedirectUri::parse(text).expect("the old version took it");
    let settings = ClientSettings {
        credential: Some(Credential::new("hash of a secret".to_owned())),
        // Two others may not be registered any more.
        redirect_uris: vec![redirect_uri("http://127.0.0.1/"), redirect_uri("https://app.example/back")],
        default_scope: Scope::parse("read").expect("the old version took it"),
        resources: Resources::parse(["https://api.example/", "urn:example:other"]).expect("the old version took it"),
        audience: vec!["https://api.example/".to_owned(), "é".to_owned()],
        access_token_format: AccessTokenFormat::JwtEdDsa,
        ..ClientSettings::new(
            auth_methods,
            GRANT_TYPES.to_vec(),
            Scope::parse("read write").expect("the old version took it"),
            policy,
        )
    };
    Client {
        id: ClientId::parse("app").expect("the old version took it"),
        handle: ClientHandle(*b"app\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        secret: GrantSecret::new([0x5C; 16]),
        party: Party { enabled: true, cutoff: 3, version: 7 },
        settings,
    }
}

const GRANT_TYPES: [GrantType; 4] =
    [GrantType::AuthorizationCode, GrantType::ClientCredentials, GrantType::Password, GrantType::RefreshToken];

fn bare() -> Client {
    let policy = Policy {
        access_lifetime: Lifetime::Never,
        idle_lifetime: Lifetime::Never,
        absolute_lifetime: Lifetime::Never,
        ..ClientDefaults::BUILT_IN.policy
    };
    Client {
        id: ClientId::parse("bare").expect("the old version took it"),
        handle: ClientHandle(*b"bare\0\0\0\0\0\0\0\0\0\0\0\0"),
        secret: GrantSecret::new([0x5C; 16]),
        party: Party { enabled: false, cutoff: u32::MAX, version: 0 },
        settings: ClientSettings {
            access_token_format: AccessTokenFormat::Opaque,
            ..ClientSettings::new(vec![TokenEndpointAuthMethod::None], Vec::new(), Scope::empty(), policy)
        },
    }
}

fn alice() -> User {
    User {
        subject: Subject::parse("alice").expect("the old version took it"),
        username: Username::parse("alice@exämple").expect("the old version took it"),
        credential: Some(Credential::new("hash of a password".to_owned())),
        status: UserStatus::Active,
        profile: Profile::default(),
        cutoff: 5,
        version: 11,
    }
}

fn grant() -> Grant {
    let time = |milliseconds: i64| Timestamp::from_milliseconds(1_790_000_000_000 + milliseconds);
    Grant {
        id: GrantId([1; 16]),
        secret: GrantSecret::new([0x5E; 16]),
        version: 1,
        root: None,
        client: app().id,
        subject: alice().subject,
        scope: Scope::parse("read write").expect("the old version took it"),
        resources: app().settings.resources,
        binding: Binding::DpopKey([0xD0; 32]),
        session: None,
        approved_from: None,
        code: None,
        generation: Generation(2),
        kid: Kid(3),
        epoch: EpochNumber(4),
        rotated_at: time(5),
        access_lifetime: Lifetime::from_seconds(900),
        retry_challenge: Some(RetryChallenge::from_bytes([0xC0; 16])),
        has_used_challenge: true,
        created_at: time(6),
        authenticated_at: time(7),
        idle_expires_at: Some(time(8)),
        absolute_expires_at: Some(time(9)),
        revoked_at: Some(time(10)),
        client_cutoff: 3,
        user_cutoff: 5,
    }
}

fn least_grant() -> Grant {
    Grant {
        id: GrantId([2; 16]),
        secret: GrantSecret::new([0; 16]),
        version: 2,
        scope: Scope::empty(),
        resources: Resources::none(),
        binding: Binding::None,
        generation: Generation(0),
        kid: Kid(0),
        epoch: EpochNumber(0),
        rotated_at: Timestamp::from_milliseconds(i64::MIN),
        access_lifetime: Lifetime::Never,
        retry_challenge: None,
        has_used_challenge: false,
        created_at: Timestamp::from_milliseconds(i64::MIN),
        authenticated_at: Timestamp::from_milliseconds(0),
        idle_expires_at: None,
        absolute_expires_at: None,
        revoked_at: None,
        client_cutoff: 0,
        user_cutoff: 0,
        ..grant()
    }
}
