use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;
use regrant_protocol::{ClientAuthentication, ClientId, TokenEndpointAuthMethod};

/// What a Basic header says is said again by the header that the letter of RFC 6749 §2.3.1 makes of it.
pub(crate) fn run(data: &[u8]) {
    let Ok(read) = ClientAuthentication::parse_basic(data) else { return };
    assert!(data[..6].eq_ignore_ascii_case(b"basic "));
    assert!(ClientId::parse(read.client_id.as_str()).is_ok(), "a client id has its form");
    let secret = read.secret.as_ref().map_or("", |secret| secret.expose());
    let method =
        if secret.is_empty() { TokenEndpointAuthMethod::None } else { TokenEndpointAuthMethod::ClientSecretBasic };
    assert_eq!((read.method, read.secret.is_some()), (method, !secret.is_empty()), "an empty secret is none");

    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encoded(read.client_id.as_str()), encoded(secret));
    let canonical = format!("Basic {}", STANDARD.encode(credentials));
    assert_eq!(ClientAuthentication::parse_basic(canonical.as_bytes()), Ok(read));
}
