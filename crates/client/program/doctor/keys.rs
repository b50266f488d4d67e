//! The keys that the server publishes (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_client::Transport;
use serde::Deserialize;
use serde_json::Value;

use super::documents;
use super::observations::{Key, Keys};

/// The keys at the place that the metadata names.
pub(crate) async fn look(jwks_uri: Option<&str>, transport: &dyn Transport) -> Keys {
    let Some(url) = jwks_uri else { return Keys::NotNamed };
    match documents::get(url, transport).await {
        Ok(answer) if answer.status() == 200 => read(answer.body()),
        Ok(answer) => Keys::Unreadable { cause: format!("status {} at {url}", answer.status().as_u16()) },
        Err(error) => Keys::Unreadable { cause: error.to_string() },
    }
}

fn read(body: &[u8]) -> Keys {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    match serde_json::from_slice::<Set>(body) {
        Ok(set) => Keys::Some { keys: set.keys.iter().take(KEYS_MAX).map(key).collect() },
        Err(_) => Keys::Unreadable { cause: "what is there is no JSON Web Key Set".to_owned() },
    }
}

fn key(members: &Value) -> Key {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let modulus = text("n").and_then(|n| URL_SAFE_NO_PAD.decode(n).ok());
    let kind = text("kty").unwrap_or_default();
    Key {
        kid: text("kid"),
        algorithm: text("alg"),
        bits: modulus.map(|modulus| bits(&modulus)),
        is_private: kind == "oct" || members.get("d").is_some(),
        kind: text("crv").unwrap_or(kind),
    }
}

fn bits(number: &[u8]) -> usize {
    let zeros: usize = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// How many keys are looked at.
const KEYS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_key() {
        let modulus = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa = |n: &str| format!(r#"{{"kty":"RSA","kid":"1","alg":"RS256","n":"{n}","e":"AQAB"}}"#);
        for (text, kind, bits, is_private) in [
            (rsa(&modulus(&[0x80; 256])), "RSA", Some(2048), false),
            (rsa(&modulus(&[&[0][..], &[0x7f; 128]].concat())), "RSA", Some(1023), false),
            (r#"{"kty":"EC","crv":"P-256","x":"","y":""}"#.to_owned(), "P-256", None, false),
            (r#"{"kty":"EC","crv":"P-256","d":"AA"}"#.to_owned(), "P-256", None, true),
            (r#"{"kty":"oct","k":"AA"}"#.to_owned(), "oct", None, true),
            ("{}".to_owned(), "", None, false),
        ] {
            let Keys::Some { keys } = read(format!(r#"{{"keys":[{text}]}}"#).as_bytes()) else { panic!("{text}") };
            assert_eq!((keys[0].kind.as_str(), keys[0].bits, keys[0].is_private), (kind, bits, is_private), "{text}");
        }
        for text in ["<html>", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(matches!(read(text.as_bytes()), Keys::Unreadable { .. }), "{text}");
        }
    }
}
