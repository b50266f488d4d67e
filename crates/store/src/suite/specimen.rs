//! What the tests put into a store.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regrant_grant::{
    AccessTokenId, ApprovedFrom, Binding, CODE_RETRY_SECONDS_MAX, Code, Generation, Grant, GrantId, GrantSecret,
    OldAccessTokens, OnReuse, Party, Policy, RotationMode, ScopeNarrowing, SessionId,
};
use regrant_protocol::{
    ClientId, CodeChallenge, EpochNumber, GrantType, Kid, Lifetime, NONCE_BYTES_MAX, Nonce, Profile, RedirectUri,
    Resources, RetryChallenge, Scope, Subject, Timestamp, TokenEndpointAuthMethod, Username, WebOrigin,
};

use crate::{
    AccessTokenFormat, Client, ClientDefaults, ClientHandle, ClientSettings, Consent, ConsentMode, Credential,
    IdTokenAlgorithm, OutlivesSession, Session, Target, User, UserStatus,
};

pub(super) fn client_id(name: &str) -> ClientId {
    ClientId::parse(name).expect("the name is a client identifier")
}

pub(super) fn subject(name: &str) -> Subject {
    Subject::parse(name).expect("the name is a subject")
}

pub(super) fn username(name: &str) -> Username {
    Username::parse(name).expect("the name is a login name")
}

pub(super) fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("the text is a scope")
}

fn redirect_uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).expect("the text is a redirect URI")
}

pub(super) fn resources(texts: &[&str]) -> Resources {
    Resources::parse(texts.iter().copied()).expect("the texts are resources")
}

/// A confidential client with something in every setting.
pub(super) fn client(name: &str) -> Client {
    // Handles differ as the names do.
    let mut handle = [0; 16];
    for (place, byte) in handle.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    Client {
        id: client_id(name),
        handle: ClientHandle(handle),
        secret: GrantSecret::new([0x5C; 16]),
        party: Party { enabled: true, cutoff: 3, version: 7 },
        settings: ClientSettings {
            name: Some("The \"app\"\n".to_owned()),
            client_uri: Some("https://app.example/".to_owned()),
            policy_uri: Some("https://app.example/policy".to_owned()),
            tos_uri: Some("https://app.example/tos".to_owned()),
            auth_methods: vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost],
            credential: Some(Credential::new("hash of a secret".to_owned())),
            grant_types: GrantType::ALL.to_vec(),
            refresh_token_scope: Some(scope("write")),
            redirect_uris: vec![redirect_uri("https://app.example/back?a='b'"), redirect_uri("http://127.0.0.1/")],
            post_logout_redirect_uris: vec![redirect_uri("com.example.app:/bye")],
            allowed_origins: vec![WebOrigin::parse("http://127.0.0.1").expect("the text is an origin")],
            require_pkce: false,
            consent: ConsentMode::Always,
            scope: scope("read write"),
            default_scope: scope("read"),
            resources: resources(&["https://api.example/", "urn:example:other"]),
            audience: vec!["https://api.example/".to_owned(), "é".to_owned()],
            access_token_format: AccessTokenFormat::JwtEdDsa,
            id_token_algorithm: IdTokenAlgorithm::Es256,
            id_token_on_refresh: true,
            outlives_session: OutlivesSession::WithOfflineAccess,
            policy: Policy {
                rotation: RotationMode::Fork,
                retry_window_seconds: Some(u32::MAX),
                on_reuse: Some(OnReuse::Alert),
                scope_narrowing: ScopeNarrowing::Grant,
                old_access_tokens: OldAccessTokens::End,
                code_retry_seconds: CODE_RETRY_SECONDS_MAX,
                access_lifetime: Lifetime::from_seconds(900),
                idle_lifetime: Lifetime::from_seconds(u32::MAX),
                absolute_lifetime: Lifetime::Never,
            },
            allow_unsafe_rotation: true,
        },
    }
}

/// A public client with as little in its settings as may be.
pub(super) fn bare_settings() -> ClientSettings {
    let policy = Policy {
        access_lifetime: Lifetime::Never,
        idle_lifetime: Lifetime::Never,
        absolute_lifetime: Lifetime::Never,
        ..ClientDefaults::BUILT_IN.policy
    };
    ClientSettings {
        consent: ConsentMode::Skip,
        access_token_format: AccessTokenFormat::Opaque,
        ..ClientSettings::new(vec![TokenEndpointAuthMethod::None], Vec::new(), Scope::empty(), policy)
    }
}

/// A user who can log in, with something in the profile.
pub(super) fn user(name: &str) -> User {
    User {
        subject: subject(name),
        username: username(&format!("{name}@exämple")),
        credential: Some(Credential::new("hash of a password".to_owned())),
        status: UserStatus::Active,
        profile: profile(),
        cutoff: 5,
        version: 11,
    }
}

/// A profile with something of each kind.
pub(super) fn profile() -> Profile {
    Profile {
        name: Some("Zoë \"Z\" Example".to_owned()),
        updated_at: Some(i64::MIN),
        email: Some("zoe@exämple".to_owned()),
        email_verified: true,
        ..Profile::default()
    }
}

/// A login session of `user` that ends long after every trial.
pub(super) fn session(id: u8, user: &str) -> Session {
    Session {
        id: SessionId([id; 16]),
        secret_digest: [0xD1; 32],
        user: subject(user),
        created_at: Timestamp::from_milliseconds(1_790_000_000_001),
        authenticated_at: Timestamp::from_milliseconds(1_790_000_000_002),
        expires_at: Timestamp::from_milliseconds(1_890_000_000_003),
    }
}

/// A consent of `user` with something in every column.
pub(super) fn consent(user: &str, client: &str) -> Consent {
    Consent {
        user: subject(user),
        client: client_id(client),
        scope: scope("openid read"),
        resources: resources(&["https://api.example/", "urn:example:other"]),
        given_at: Timestamp::from_milliseconds(1_790_000_000_004),
    }
}

/// A grant of the client `app` by the user `alice`, with something in every column.
pub(super) fn grant(id: u8) -> Grant {
    let time = |milliseconds: i64| Timestamp::from_milliseconds(1_790_000_000_000 + milliseconds);
    Grant {
        id: GrantId([id; 16]),
        secret: GrantSecret::new([0x5E; 16]),
        version: 1,
        root: None,
        client: client_id("app"),
        subject: subject("alice"),
        scope: scope("read write"),
        resources: resources(&["https://api.example/", "urn:example:other"]),
        binding: Binding::DpopKey([0xD0; 32]),
        session: Some(SessionId([0x5A; 16])),
        approved_from: Some(ApprovedFrom::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), Some("A browser"))),
        code: Some(Code {
            challenge: Some(CodeChallenge::from_bytes([0xCC; 32])),
            redirect_uri: [0x8E; 16],
            redirect_uri_was_sent: true,
            nonce: Some(Nonce::parse("n-0S6_WzA2Mj").expect("the text is a nonce")),
            expires_at: time(4),
        }),
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

/// As [`grant`], with every column that may change as low, as far back or as empty as it can be.
pub(super) fn least_grant(id: u8) -> Grant {
    Grant {
        secret: GrantSecret::new([0; 16]),
        version: 0,
        scope: Scope::empty(),
        resources: Resources::none(),
        binding: Binding::None,
        approved_from: None,
        code: None,
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
        ..grant(id)
    }
}

/// As [`grant`], with every column that may change as high, as late or as long as it can be.
pub(super) fn greatest_grant(id: u8) -> Grant {
    let last = Timestamp::from_milliseconds(i64::MAX);
    Grant {
        secret: GrantSecret::new([0xFF; 16]),
        version: u64::MAX / 2,
        binding: Binding::Certificate([0xFF; 32]),
        approved_from: Some(ApprovedFrom::new(
            IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)),
            Some(&"é".repeat(ApprovedFrom::AGENT_BYTES_MAX / 2)),
        )),
        code: Some(Code {
            challenge: None,
            redirect_uri: [0xFF; 16],
            redirect_uri_was_sent: false,
            nonce: Some(Nonce::parse(&"\"".repeat(NONCE_BYTES_MAX)).expect("the text is a nonce")),
            expires_at: last,
        }),
        generation: Generation(u32::MAX),
        kid: Kid(u8::MAX),
        epoch: EpochNumber(u8::MAX),
        rotated_at: last,
        access_lifetime: Lifetime::from_seconds(u32::MAX),
        retry_challenge: Some(RetryChallenge::from_bytes([0xFF; 16])),
        created_at: last,
        authenticated_at: last,
        idle_expires_at: Some(last),
        absolute_expires_at: Some(last),
        revoked_at: Some(last),
        client_cutoff: u32::MAX,
        user_cutoff: u32::MAX,
        ..grant(id)
    }
}

/// The step that makes [`grant`], in its login session.
pub(super) fn new_grant(id: u8) -> Target {
    let Grant { id, client, subject, session, .. } = grant(id);
    Target::NewGrant { grant: id, client, user: subject, session }
}

/// An access token of the grant of this id.
pub(super) fn access_token(grant: GrantId, digest: u8) -> AccessTokenId {
    AccessTokenId { grant, generation: Generation(u32::MAX), digest: [digest; 10] }
}
