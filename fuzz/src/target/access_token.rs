use std::sync::LazyLock;

use regrant_engine::Secrecy;
use regrant_protocol::{ClientId, GrantType, Scope, TokenEndpointAuthMethod};
use regrant_store::{AccessTokenFormat, ClientSettings};

use crate::bytes::Bytes;
use crate::server::{POLICY, Server, form};

/// An access token is believed as it was issued, and in no other spelling.
///
/// The first byte says what follows: a text, or edits of a genuine JWT or opaque token.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let genuine = match bytes.byte() % 4 {
        0 => &ISSUED.tokens[0],
        1 => &ISSUED.tokens[1],
        _ => return believes(&String::from_utf8_lossy(bytes.rest())),
    };
    if let Ok(token) = str::from_utf8(&bytes.edit(genuine)) {
        believes(token);
    }
}

fn believes(token: &str) {
    let Issued { server, tokens } = &*ISSUED;
    let is_genuine = tokens.iter().any(|genuine| genuine == token);
    let inspected = server.runtime.block_on(server.engine.inspect(&server.context(), token));
    let active = inspected.expect("the store answers");
    assert_eq!(active.is_some(), is_genuine, "{token}");
    if let Some(active) = active {
        assert_eq!(active.claims.client_id, CLIENT_IDS[usize::from(token.starts_with("rga_"))]);
    }
}

struct Issued {
    server: Server,
    /// A JWT and an opaque token, which two clients have for themselves.
    tokens: [String; 2],
}

const CLIENT_IDS: [&str; 2] = ["with JWT", "with opaque"];

static ISSUED: LazyLock<Issued> = LazyLock::new(|| {
    let server = Server::open();
    let jwt = issue(&server, CLIENT_IDS[0], AccessTokenFormat::JwtEdDsa);
    let opaque = issue(&server, CLIENT_IDS[1], AccessTokenFormat::Opaque);
    Issued { server, tokens: [jwt, opaque] }
});

fn issue(server: &Server, client: &str, access_token_format: AccessTokenFormat) -> String {
    let Server { engine, runtime, .. } = server;
    let id = ClientId::parse(client).expect("a client id");
    let auth_methods = vec![TokenEndpointAuthMethod::ClientSecretPost];
    let scope = Scope::parse("read").expect("a scope");
    let settings = ClientSettings {
        access_token_format,
        ..ClientSettings::new(auth_methods, vec![GrantType::ClientCredentials], scope, POLICY)
    };
    let registered = runtime.block_on(engine.register_client(id, Secrecy::Generated, settings));
    let secret = registered.expect("a new client").expect("its secret is generated");
    let params =
        form(&[("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret.expose())]);
    let response = runtime.block_on(engine.token(&server.context(), None, &params)).expect("a token");
    response.access_token.expose().to_owned()
}
