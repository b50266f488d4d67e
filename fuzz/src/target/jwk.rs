use regrant_crypto::{Jwk, PublicKey, RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN, VerifyingKey};
use serde_json::Value;

/// A JWK that is read is written so that it reads the same, never has a private member, and names its own algorithm.
pub(crate) fn run(data: &[u8]) {
    let Ok(jwk) = serde_json::from_slice::<Jwk>(data) else { return };
    // What stands in members that nobody reads need not be text.
    let json: Value = serde_json::from_slice(data).unwrap_or_default();
    assert!(json.get("d").is_none(), "a private key is refused");
    assert!(json.get("use").is_none_or(|usage| usage.is_null() || usage == "sig"), "for signatures only");

    let written = serde_json::to_value(&jwk).expect("a key can be written");
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(written.get(private).is_none(), "{private} is never written");
    }
    let read: Jwk = serde_json::from_value(written).expect("what was written is read back");
    assert_eq!(read, jwk);
    assert_eq!((jwk.thumbprint().len(), jwk.thumbprint()), (43, read.thumbprint()));
    if let PublicKey::Rsa(key) = &jwk.key {
        let bytes = key.modulus().len();
        assert!((RSA_MODULUS_BITS_MIN / 8..=RSA_MODULUS_BITS_MAX / 8).contains(&bytes), "{bytes} bytes of modulus");
    }

    let Ok(key) = VerifyingKey::new(&jwk) else { return };
    assert_eq!(key.algorithm(), jwk.key.algorithm());
    assert_eq!(key.key_id(), jwk.key_id.as_deref().unwrap_or(&jwk.thumbprint()));
}
