//! What the tests put into a store.

use regrant_grant::{
    AccessTokenId, Binding, Generation, Grant, GrantId, GrantSecret, OnReuse, Party, Policy, RotationMode,
};
use regrant_protocol::{
    ClientId, EpochNumber, GrantType, Kid, Lifetime, Resources, RetryChallenge, Scope, Subject, Timestamp,
    TokenEndpointAuthMethod, Username,
};

use crate::{AccessTokenFormat, Client, ClientHandle, ClientSettings, Credential, User, UserStatus};

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
            auth_methods: vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost],
            credential: Some(Credential::new("hash of a secret".to_owned())),
            grant_types: GrantType::ALL.to_vec(),
            redirect_uris: vec!["https://app.example/back?a=\"b\"".to_owned(), "http://127.0.0.1/".to_owned()],
            scope: scope("read write"),
            default_scope: scope("read"),
            resources: resources(&["https://api.example/", "urn:example:other"]),
            audience: vec!["https://api.example/".to_owned(), "é".to_owned()],
            access_token_format: AccessTokenFormat::JwtEdDsa,
            policy: Policy {
                rotation: RotationMode::Fork,
                retry_window_seconds: Some(u32::MAX),
                on_reuse: Some(OnReuse::Alert),
                access_lifetime: Lifetime::from_seconds(900),
                idle_lifetime: Lifetime::from_seconds(u32::MAX),
                absolute_lifetime: Lifetime::Never,
            },
        },
    }
}

/// A public client with as little in its settings as may be.
pub(super) fn bare_settings() -> ClientSettings {
    ClientSettings {
        auth_methods: vec![TokenEndpointAuthMethod::None],
        credential: None,
        grant_types: Vec::new(),
        redirect_uris: Vec::new(),
        scope: Scope::empty(),
        default_scope: Scope::empty(),
        resources: Resources::none(),
        audience: Vec::new(),
        access_token_format: AccessTokenFormat::Opaque,
        policy: Policy {
            rotation: RotationMode::Rotate,
            retry_window_seconds: None,
            on_reuse: None,
            access_lifetime: Lifetime::Never,
            idle_lifetime: Lifetime::Never,
            absolute_lifetime: Lifetime::Never,
        },
    }
}

/// A user who can log in.
pub(super) fn user(name: &str) -> User {
    User {
        subject: subject(name),
        username: username(&format!("{name}@exämple")),
        credential: Some(Credential::new("hash of a password".to_owned())),
        status: UserStatus::Active,
        cutoff: 5,
        version: 11,
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

/// As [`grant`], with every column as low, as far back or as empty as it can be.
pub(super) fn least_grant(id: u8) -> Grant {
    Grant {
        secret: GrantSecret::new([0; 16]),
        version: 0,
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
        ..grant(id)
    }
}

/// As [`grant`], with every column as high or as late as it can be.
pub(super) fn greatest_grant(id: u8) -> Grant {
    let last = Timestamp::from_milliseconds(i64::MAX);
    Grant {
        secret: GrantSecret::new([0xFF; 16]),
        version: u64::MAX / 2,
        binding: Binding::Certificate([0xFF; 32]),
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

/// An access token of the grant of this id.
pub(super) fn access_token(grant: GrantId, digest: u8) -> AccessTokenId {
    AccessTokenId { grant, generation: Generation(u32::MAX), digest: [digest; 10] }
}
