//! The parts of a refresh that need no store: parse, prefilter, decide, sign, render.

use std::hint::black_box;

use axum::http::StatusCode;
use criterion::{Criterion, criterion_group, criterion_main};
use regrant_crypto::{
    AccessKey, Algorithm, AuthorityContext, KeyRing, MESSAGE_BYTES, PrefilterKeys, Purpose, SigningKey, SystemEntropy,
    Typ, authority_key,
};
use regrant_grant::{
    AuthorityTag, Binding, Birth, ClientKind, Generation, Grant, GrantId, GrantSecret, HEAD_BYTES, Head, Party,
    REFRESH_PREFIX, RefreshFacts, Surroundings, TokenParts, decide,
};
use regrant_protocol::{
    AccessTokenClaims, ClientId, EpochNumber, Params, Resources, Scope, Secret, Subject, Timestamp, TokenRequest,
    TokenResponse,
};
use regrant_store::ClientDefaults;

const REALM: [u8; 16] = [1; 16];
const EPOCH: [u8; 16] = [2; 16];
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn head(ring: &KeyRing) -> Head {
    Head { kid: ring.newest().0, epoch: EpochNumber(1), grant: GrantId([3; 16]), generation: Generation(7) }
}

fn token(ring: &KeyRing) -> Secret {
    let head = head(ring);
    let prefilters = PrefilterKeys::new(ring);
    let key = prefilters.get(head.kid, Purpose::Refresh).expect("the ring has its newest key");
    let parts = TokenParts { head, prefilter_tag: key.tag(&head.to_bytes(), &REALM), authority_tag: [5; 20] };
    parts.encode(REFRESH_PREFIX)
}

fn parse(bench: &mut Criterion) {
    let ring = KeyRing::generate(&SystemEntropy);
    let form = format!(
        "grant_type=refresh_token&client_id=bench&client_secret={}&refresh_token={}",
        "s".repeat(43),
        token(&ring).expose()
    );
    bench.bench_function("parse: the form of a refresh", |bencher| {
        bencher.iter(|| {
            let params = Params::parse(black_box(form.as_bytes())).expect("it is well-formed");
            black_box(TokenRequest::parse(&params)).is_ok()
        });
    });
}

fn prefilter(bench: &mut Criterion) {
    let ring = KeyRing::generate(&SystemEntropy);
    let prefilters = PrefilterKeys::new(&ring);
    let own = token(&ring);
    let forged = token(&KeyRing::generate(&SystemEntropy));
    for (name, token, expected) in [("an own token", &own, true), ("a forged token", &forged, false)] {
        bench.bench_function(&format!("prefilter: {name}, text to verdict"), |bencher| {
            bencher.iter(|| {
                let parts = TokenParts::parse(REFRESH_PREFIX, black_box(token.expose())).expect("it has the form");
                let key = prefilters.get(parts.head.kid, Purpose::Refresh).expect("both rings begin with one kid");
                let is_ours = key.verify(&parts.head.to_bytes(), &REALM, &parts.prefilter_tag);
                assert_eq!(is_ours, expected);
            });
        });
    }
    let context = AuthorityContext::new(&REALM, &EPOCH, "bench", &[]).expect("a short name");
    let (_, master) = ring.newest();
    bench.bench_function("prefilter: the authority tag, its key derived", |bencher| {
        bencher
            .iter(|| authority_key(master, black_box(&[4; 16]), Purpose::Refresh).tag(&context, &[0; MESSAGE_BYTES]));
    });
}

fn row() -> Grant {
    let ring = KeyRing::generate(&SystemEntropy);
    let birth = Birth {
        id: GrantId([3; 16]),
        secret: GrantSecret::new([4; 16]),
        client: ClientId::parse("bench").expect("it is an identifier"),
        subject: Subject::parse("user-00000001").expect("it is a subject"),
        scope: Scope::parse("read write").expect("it is a scope"),
        resources: Resources::none(),
        binding: Binding::None,
        session: None,
        approved_from: None,
        code: None,
        authenticated_at: NOW,
        kid: ring.newest().0,
        generation: Generation::FIRST,
    };
    Grant::new(birth, &surroundings(), &ClientDefaults::BUILT_IN.policy, NOW)
}

fn surroundings() -> Surroundings<'static> {
    let party = Some(Party { enabled: true, cutoff: 0, version: 1 });
    Surroundings { epoch: EpochNumber(1), client: party, user: party, root: None, session_ends_at: None }
}

fn rule(bench: &mut Criterion) {
    let row = row();
    let facts = RefreshFacts {
        client: row.client.clone(),
        client_kind: ClientKind::Confidential,
        proven_key: Binding::None,
        generation: row.generation,
        kid: row.kid,
        epoch: row.epoch,
        authority_tag: AuthorityTag::Valid,
        retry_challenge: None,
        retry_verifier: None,
        scope: None,
        resources: Resources::none(),
        newest_kid: row.kid,
        sibling: (GrantId([8; 16]), GrantSecret::new([9; 16])),
        recovery: None,
    };
    let policy = ClientDefaults::BUILT_IN.policy;
    bench.bench_function("decide: a rotation", |bencher| {
        bencher.iter(|| {
            let decision = decide(black_box(&row), &facts, &surroundings(), &policy, NOW.plus_seconds(60));
            assert!(decision.verdict.is_success());
            decision
        });
    });
}

fn claims() -> Vec<u8> {
    let claims = AccessTokenClaims {
        iss: "https://bench.example".to_owned(),
        sub: "user-00000001".to_owned(),
        aud: vec!["https://bench.example".to_owned()],
        client_id: "bench".to_owned(),
        iat: NOW.seconds(),
        exp: NOW.seconds() + 3600,
        jti: "j".repeat(40),
        scope: "read write".to_owned(),
        auth_time: Some(NOW.seconds()),
        added: serde_json::Map::new(),
    };
    serde_json::to_vec(&claims).expect("strings always serialize")
}

fn sign(bench: &mut Criterion) {
    let claims = claims();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let key = SigningKey::generate(algorithm);
        bench.bench_function(&format!("sign: {}", algorithm.as_str()), |bencher| {
            bencher.iter(|| key.sign(Typ::ACCESS_TOKEN, black_box(&claims)));
        });
    }
    let ring = KeyRing::generate(&SystemEntropy);
    let (_, master) = ring.newest();
    let context = AuthorityContext::new(&REALM, &EPOCH, "bench", &[]).expect("a short name");
    let aad = context.with_head(&head(&ring).to_bytes()[..HEAD_BYTES].try_into().expect("a head has this length"));
    let sealed = &claims[..60];
    bench.bench_function("sign: opaque, its key derived", |bencher| {
        bencher.iter(|| AccessKey::new(master, black_box(&[4; 16])).encrypt(sealed, &aad));
    });
}

fn render(bench: &mut Criterion) {
    let ring = KeyRing::generate(&SystemEntropy);
    let response = TokenResponse {
        access_token: Secret::new(format!("rga_{}", "a".repeat(180))),
        expires_in: Some(3600),
        scope: Scope::parse("read write").expect("it is a scope"),
        refresh_token: Some(token(&ring)),
        refresh_token_expires_in: Some(1_209_600),
        id_token: None,
    };
    bench.bench_function("render: the answer with its headers", |bencher| {
        bencher.iter(|| regrant_http::json(StatusCode::OK, black_box(&response).to_json()));
    });
}

criterion_group!(parts, parse, prefilter, rule, sign, render);
criterion_main!(parts);
