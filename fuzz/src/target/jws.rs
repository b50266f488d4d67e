use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Algorithm, JWS_BYTES_MAX, JwsError, SigningKey, Typ, VerifyingKey, verify};

/// Nothing that was not signed is believed.
///
/// Bytes that begin with `{` are header, claims and signature, a line each, still to be encoded; others are a whole token.
pub(crate) fn run(data: &[u8]) {
    let token = if data.starts_with(b"{") { encoded(data) } else { str::from_utf8(data).map(str::to_owned).ok() };
    let Some(token) = token else { return };
    for typ in [Typ::ACCESS_TOKEN, Typ::JWT] {
        match verify(&token, &SIGNED.keys, typ) {
            Ok(claims) => {
                let (message, _) = token.rsplit_once('.').expect("a token has three parts");
                assert_eq!(typ, Typ::ACCESS_TOKEN, "no other type was signed");
                assert!(SIGNED.messages.iter().any(|signed| signed == message), "{message} was never signed");
                assert_eq!(claims, CLAIMS);
            }
            Err(error) => assert_eq!(matches!(error, JwsError::TooLong { .. }), token.len() > JWS_BYTES_MAX, "{error}"),
        }
    }
}

/// Three lines as the three parts of a token.
fn encoded(data: &[u8]) -> Option<String> {
    let mut lines = data.splitn(3, |&byte| byte == b'\n');
    let parts: [&[u8]; 3] = [lines.next()?, lines.next()?, lines.next()?];
    Some(parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join("."))
}

const CLAIMS: &[u8] = br#"{"sub":"me"}"#;

/// A seed that everybody knows: the key signs nothing but [`CLAIMS`].
const ED25519_SEED: [u8; 32] = [7; 32];
/// RFC 8410 §7: the PKCS#8 form of an Ed25519 key, up to its seed.
const ED25519_PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

struct Signed {
    keys: [VerifyingKey; 2],
    /// Header and claims of the tokens that were signed.
    messages: [String; 2],
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let pkcs8 = [ED25519_PKCS8, &ED25519_SEED].concat();
    let ed25519 = SigningKey::from_pkcs8(Algorithm::EdDsa, &pkcs8).expect("the seed is a key");
    let token = ed25519.sign(Typ::ACCESS_TOKEN, CLAIMS).expect("the claims are short");
    let es256 = serde_json::from_str(ES256_KEY).expect("the key is a JWK");
    let signed = Signed {
        keys: [ed25519.public_jwk(), &es256].map(|jwk| VerifyingKey::new(jwk).expect("the key is one")),
        messages: [&token, ES256_TOKEN].map(|token| token.rsplit_once('.').expect("it has three parts").0.to_owned()),
    };
    for token in [&token, ES256_TOKEN] {
        assert_eq!(
            verify(token, &signed.keys, Typ::ACCESS_TOKEN).as_deref(),
            Ok(CLAIMS),
            "what was signed is believed"
        );
    }
    signed
});

/// A key whose private half was thrown away after it signed [`ES256_TOKEN`].
const ES256_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"hvR2iMYJ8M04_FiWVg45o_JMGmHZR6eN-zXtYPVuI4A","y":"btJfynTAjyNMuvicZyQQluPpVrTQ97bociR4m27GPG4","use":"sig","alg":"ES256","kid":"S3Rm5qT-9V3mAtkhEodcg97zFEpKYLnXTMLZTjzGmn0"}"#;
const ES256_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6IlMzUm01cVQtOVYzbUF0a2hFb2RjZzk3ekZFcEtZTG5YVE1MWlRqekdtbjAifQ.eyJzdWIiOiJtZSJ9.t4x2RAlRK5EQwfm3TEesPLUAHGla9vHqWXa3KYkHRtsq9XfkfRkWgtjBKmhPOMdL7pJI5FMPaw8aZH__xbocoQ";
