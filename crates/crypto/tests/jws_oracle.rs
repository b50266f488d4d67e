//! Our JWS against the `jsonwebtoken` crate, both ways, for every algorithm.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use regrant_crypto::{Algorithm, JWS_BYTES_MAX, JwsError, SigningKey, SigningKeyError, Typ, VerifyingKey, verify};
use serde_json::{Value, json};

/// Runs `check` for a key of every algorithm, with the oracle's name for it.
fn for_every_algorithm(check: impl Fn(&SigningKey, jsonwebtoken::Algorithm)) {
    for algorithm in Algorithm::ALL {
        let theirs = algorithm.as_str().parse().expect("the oracle knows it");
        check(&SigningKey::generate(algorithm), theirs);
    }
}

fn claims() -> Value {
    json!({"sub": "me", "exp": 4_000_000_000_u64, "text": "ümläut \" \\"})
}

#[test]
fn the_oracle_accepts_what_we_sign() {
    for_every_algorithm(|key, theirs| {
        let token = key.sign(Typ::ACCESS_TOKEN, claims().to_string().as_bytes()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk =
            serde_json::from_value(serde_json::to_value(key.public_jwk()).unwrap()).unwrap();

        let decoding = DecodingKey::from_jwk(&jwk).unwrap();
        let decoded = jsonwebtoken::decode::<Value>(&token, &decoding, &Validation::new(theirs)).unwrap();

        assert_eq!(decoded.claims, claims());
        assert_eq!(decoded.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(decoded.header.alg, theirs);
        assert_eq!(decoded.header.kid.as_deref(), Some(key.key_id()));
        let thumbprint = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256);
        assert_eq!(thumbprint.unwrap(), key.key_id());
    });
}

#[test]
fn we_accept_what_the_oracle_signs() {
    for_every_algorithm(|key, theirs| {
        let pkcs8 = key.to_pkcs8();
        let encoding = match key.algorithm() {
            Algorithm::Es256 => EncodingKey::from_ec_der(&pkcs8),
            Algorithm::EdDsa => EncodingKey::from_ed_der(&pkcs8),
            // The oracle wants the RSAPrivateKey inside: after 26 bytes for a key of 2048 bits.
            Algorithm::Rs256 => EncodingKey::from_rsa_der(&pkcs8[26..]),
        };
        let mut header = Header::new(theirs);
        header.typ = Some("application/at+jwt".to_owned());
        header.kid = Some(key.key_id().to_owned());
        let token = jsonwebtoken::encode(&header, &claims(), &encoding).unwrap();

        let keys = [VerifyingKey::new(key.public_jwk()).unwrap()];
        let payload = verify(&token, &keys, Typ::ACCESS_TOKEN).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), claims());
        assert!(matches!(verify(&token, &keys, Typ::JWT), Err(JwsError::Typ { .. })));
    });
}

#[test]
fn a_key_of_the_same_kind_and_name_verifies_nothing_of_ours() {
    for_every_algorithm(|key, _| {
        let token = key.sign(Typ::JWT, b"{}").unwrap();
        let mut other = SigningKey::generate(key.algorithm()).public_jwk().clone();
        other.key_id = Some(key.key_id().to_owned());
        let keys = [VerifyingKey::new(&other).unwrap()];
        assert_eq!(verify(&token, &keys, Typ::JWT), Err(JwsError::Signature));
    });
}

#[test]
fn a_key_survives_its_pkcs8_form() {
    for_every_algorithm(|key, _| {
        let read = SigningKey::from_pkcs8(key.algorithm(), &key.to_pkcs8()).unwrap();
        assert_eq!(read.key_id(), key.key_id());
        assert_eq!(read.public_jwk(), key.public_jwk());

        let keys = [VerifyingKey::new(key.public_jwk()).unwrap()];
        let token = read.sign(Typ::JWT, b"{}").unwrap();
        assert_eq!(verify(&token, &keys, Typ::JWT).as_deref(), Ok(&b"{}"[..]));
    });
}

#[test]
fn a_key_is_read_as_its_own_algorithm_only() {
    for_every_algorithm(|key, _| {
        for algorithm in Algorithm::ALL {
            let read = SigningKey::from_pkcs8(algorithm, &key.to_pkcs8());
            assert_eq!(read.is_ok(), algorithm == key.algorithm(), "{algorithm}");
        }
        let cut = SigningKey::from_pkcs8(key.algorithm(), &key.to_pkcs8()[1..]);
        assert!(matches!(cut, Err(SigningKeyError::Pkcs8 { .. })));
    });
}

#[test]
fn what_we_sign_is_never_too_long_to_be_accepted() {
    for_every_algorithm(|key, _| {
        let keys = [VerifyingKey::new(key.public_jwk()).unwrap()];
        let longest = (1..JWS_BYTES_MAX).rev().find_map(|bytes| key.sign(Typ::JWT, &vec![b' '; bytes]).ok()).unwrap();
        assert!(longest.len() > JWS_BYTES_MAX - 4, "{}", longest.len());
        assert!(verify(&longest, &keys, Typ::JWT).is_ok());
    });
}

#[test]
fn debug_names_the_key_and_prints_none_of_it() {
    for_every_algorithm(|key, _| {
        let expected = format!("SigningKey({}, {}, redacted)", key.algorithm(), key.key_id());
        assert_eq!(format!("{key:?}"), expected);
    });
}
