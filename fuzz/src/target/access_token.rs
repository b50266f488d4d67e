use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use regrant_crypto::{KeyRing, SeededEntropy, random};
use regrant_engine::{AuthorizationServer, Parts, RequestContext, Secrecy};
use regrant_grant::{Policy, Realm, RotationMode};
use regrant_protocol::{
    ClientId, Clock, GrantType, Issuer, Lifetime, ManualClock, Params, Scope, Timestamp, TokenEndpointAuthMethod,
};
use regrant_store::{AccessTokenFormat, ClientSettings};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::bytes::Bytes;

/// The most edits of one genuine token.
const EDITS_MAX: usize = 16;

/// An access token is believed as it was issued, and in no other spelling.
///
/// The first byte says what follows: a text, or edits of a genuine JWT or opaque token, three bytes each (where, and the
/// byte that stands there instead).
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let genuine = match bytes.byte() % 4 {
        0 => &SERVER.tokens[0],
        1 => &SERVER.tokens[1],
        _ => return believes(&String::from_utf8_lossy(&data[1.min(data.len())..])),
    };
    let mut edited = genuine.clone().into_bytes();
    for _ in 0..EDITS_MAX {
        if bytes.is_empty() {
            break;
        }
        let at = usize::from(u16::from_be_bytes(bytes.array())) % edited.len();
        edited[at] = bytes.byte();
    }
    if let Ok(token) = str::from_utf8(&edited) {
        believes(token);
    }
}

fn believes(token: &str) {
    let is_genuine = SERVER.tokens.iter().any(|genuine| genuine == token);
    let inspected = SERVER.runtime.block_on(SERVER.engine.inspect(&context(&SERVER.engine), token));
    let active = inspected.expect("the store answers");
    assert_eq!(active.is_some(), is_genuine, "{token}");
    if let Some(active) = active {
        assert_eq!(active.claims.client_id, CLIENT_IDS[usize::from(token.starts_with("rga_"))]);
    }
}

struct Server {
    engine: AuthorizationServer,
    runtime: Runtime,
    /// A JWT and an opaque token, which two clients have for themselves.
    tokens: [String; 2],
    _data: TempDir,
}

const CLIENT_IDS: [&str; 2] = ["with JWT", "with opaque"];

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("threads can be started");
    let data = tempfile::tempdir().expect("temporary files can be made");
    let entropy = Arc::new(SeededEntropy::new(1));
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
    let genesis = Genesis { realm: Realm(random(&*entropy)), epoch_random: random(&*entropy) };
    let store =
        SqliteStore::open(&data.path().join("regrant.db"), genesis, Arc::clone(&clock)).expect("a new store opens");
    let parts = Parts {
        issuer: Issuer::parse("https://id.example").expect("an issuer"),
        store: Arc::new(store),
        ring: KeyRing::generate(&*entropy),
        clock,
        entropy,
    };
    let (engine, tokens) = runtime.block_on(async {
        let engine = AuthorizationServer::open(parts).await.expect("a new store opens");
        let jwt = issue(&engine, CLIENT_IDS[0], AccessTokenFormat::JwtEdDsa).await;
        let opaque = issue(&engine, CLIENT_IDS[1], AccessTokenFormat::Opaque).await;
        (engine, [jwt, opaque])
    });
    Server { engine, runtime, tokens, _data: data }
});

async fn issue(engine: &AuthorizationServer, client: &str, format: AccessTokenFormat) -> String {
    let id = ClientId::parse(client).expect("a client id");
    let secret = engine.register_client(id, Secrecy::Generated, settings(format)).await.expect("a new client");
    let secret = secret.expect("its secret is generated");
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret.expose())])
        .finish();
    let params = Params::parse(form.as_bytes()).expect("a form");
    let response = engine.token(&context(engine), None, &params).await.expect("a token");
    response.access_token.expose().to_owned()
}

fn settings(access_token_format: AccessTokenFormat) -> ClientSettings {
    let policy = Policy {
        rotation: RotationMode::Rotate,
        retry_window_seconds: None,
        on_reuse: None,
        code_retry_seconds: 0,
        access_lifetime: Lifetime::from_seconds(3_600),
        idle_lifetime: Lifetime::Never,
        absolute_lifetime: Lifetime::Never,
    };
    let auth_methods = vec![TokenEndpointAuthMethod::ClientSecretPost];
    let scope = Scope::parse("read").expect("a scope");
    ClientSettings {
        access_token_format,
        ..ClientSettings::new(auth_methods, vec![GrantType::ClientCredentials], scope, policy)
    }
}

fn context(engine: &AuthorizationServer) -> RequestContext {
    RequestContext { source: IpAddr::V4(Ipv4Addr::LOCALHOST), first_byte: engine.clock().monotonic() }
}
