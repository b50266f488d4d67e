use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;
use regrant_protocol::{BasicError, ClientAuthentication, ClientId, Secret, TokenEndpointAuthMethod};

/// What a Basic header says is said again by the header that the letter of RFC 6749 §2.3.1 makes of it; read raw, by the one
/// with both parts as they are. Where nothing is encoded, both readers read the same.
pub(crate) fn run(data: &[u8]) {
    let (read, raw) = (ClientAuthentication::parse_basic(data), ClientAuthentication::parse_raw_basic(data));
    if let Ok(read) = &read {
        is_said_again(data, read, |text| byte_serialize(text.as_bytes()).collect(), ClientAuthentication::parse_basic);
    }
    if let Ok(raw) = &raw {
        is_said_again(data, raw, str::to_owned, ClientAuthentication::parse_raw_basic);
        let secret = raw.secret.as_ref().map_or("", Secret::expose);
        if !format!("{}{secret}", raw.client_id.as_str()).contains(['%', '+']) && read.is_ok() {
            assert_eq!(read.as_ref(), Ok(raw), "nothing is encoded");
        }
    }
}

type Reader = fn(&[u8]) -> Result<ClientAuthentication, BasicError>;

fn is_said_again(data: &[u8], read: &ClientAuthentication, encoded: fn(&str) -> String, again: Reader) {
    assert!(data[..6].eq_ignore_ascii_case(b"basic "));
    assert!(ClientId::parse(read.client_id.as_str()).is_ok(), "a client id has its form");
    let secret = read.secret.as_ref().map_or("", Secret::expose);
    let method =
        if secret.is_empty() { TokenEndpointAuthMethod::None } else { TokenEndpointAuthMethod::ClientSecretBasic };
    assert_eq!((read.method, read.secret.is_some()), (method, !secret.is_empty()), "an empty secret is none");

    let credentials = format!("{}:{}", encoded(read.client_id.as_str()), encoded(secret));
    let canonical = format!("Basic {}", STANDARD.encode(credentials));
    assert_eq!(again(canonical.as_bytes()).as_ref(), Ok(read));
}
