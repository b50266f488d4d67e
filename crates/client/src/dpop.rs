use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Method, Uri};
use regrant_crypto::{Algorithm, Entropy, KeyReference, SigningKey, TokenTooLong, Typ, random, sha256};
use regrant_protocol::{Secret, Timestamp};
use serde_json::json;

use crate::AccessToken;

/// Whether the tokens of a login are bound to a key, so that a thief of a token alone has nothing (RFC 9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dpop {
    /// They are not.
    #[default]
    Off,
    /// They are where the server's metadata says that it knows of it; elsewhere they are bearer tokens.
    WhereOffered,
    /// They are. A server that answers with a bearer token is refused (RFC 9449 §5).
    Required,
}

/// The private key that the tokens of one login are bound to. It is made at the login, and kept beside them.
///
/// Clones share it. It prints its thumbprint only.
#[derive(Clone)]
pub struct DpopKey(Arc<Inner>);

struct Inner {
    key: SigningKey,
    /// PKCS#8 in base64url.
    pkcs8: Secret,
}

/// What a proof is about, but for the key.
pub(crate) struct Proven<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    /// By the clock of the server that checks it.
    pub(crate) now: Timestamp,
    /// The access token that goes with it, at an API.
    pub(crate) access_token: Option<&'a AccessToken>,
    /// The last that this server gave.
    pub(crate) nonce: Option<&'a str>,
}

impl DpopKey {
    /// A new key for the first algorithm of `offered` that we know; ES256 where none is said.
    #[must_use]
    pub fn generate(offered: &[String]) -> Self {
        let is_offered = |algorithm: &Algorithm| offered.iter().any(|name| name == algorithm.as_str());
        let algorithm = Algorithm::ALL.into_iter().find(is_offered).unwrap_or(Algorithm::Es256);
        Self::new(SigningKey::generate(algorithm))
    }

    fn new(key: SigningKey) -> Self {
        let pkcs8 = Secret::new(URL_SAFE_NO_PAD.encode(&*key.to_pkcs8()));
        Self(Arc::new(Inner { key, pkcs8 }))
    }

    /// Reads what [`DpopKey::algorithm`] and [`DpopKey::pkcs8`] gave.
    pub(crate) fn read(algorithm: &str, pkcs8: &str) -> Option<Self> {
        let der = zeroize::Zeroizing::new(URL_SAFE_NO_PAD.decode(pkcs8).ok()?);
        SigningKey::from_pkcs8(algorithm.parse().ok()?, &der).ok().map(Self::new)
    }

    /// The algorithm of its signatures, such as `ES256`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.0.key.algorithm().as_str()
    }

    pub(crate) fn pkcs8(&self) -> &str {
        self.0.pkcs8.expose()
    }

    /// The RFC 7638 thumbprint of its public part: `dpop_jkt` of an authorization request, `cnf.jkt` of a bound token.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        self.0.key.key_id()
    }

    /// The `DPoP` header of one request (RFC 9449 §4.2). Every request needs one of its own.
    ///
    /// # Errors
    /// When the URI is longer than a server would read; never for one of [`URI_BYTES_MAX`] or less.
    pub(crate) fn proof(&self, proven: &Proven<'_>, entropy: &dyn Entropy) -> Result<HeaderValue, TokenTooLong> {
        let mut claims = json!({
            "jti": URL_SAFE_NO_PAD.encode(random::<16>(entropy)),
            "htm": proven.method.as_str(),
            "htu": target_uri(proven.uri),
            "iat": proven.now.seconds(),
        });
        if let Some(token) = proven.access_token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(sha256(token.expose().as_bytes())).into();
        }
        if let Some(nonce) = proven.nonce {
            claims["nonce"] = nonce.into();
        }
        let proof =
            self.0.key.sign_referring(Typ::DPOP_PROOF, KeyReference::Embedded, claims.to_string().as_bytes())?;
        Ok(HeaderValue::from_str(&proof).expect("a compact JWS may stand in a header"))
    }
}

/// `htu`: the URI without query and fragment (RFC 9449 §4.2), as RFC 3986 §6.2 spells it: host in small letters, no default port.
fn target_uri(uri: &Uri) -> String {
    format!("{}{}", origin(uri), if uri.path().is_empty() { "/" } else { uri.path() })
}

/// Scheme, host and port of an absolute URI, spelled in one way.
pub(crate) fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    match (scheme.as_str(), uri.port_u16()) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    }
}

/// The longest URI that a proof always has room for, in bytes.
pub(crate) const URI_BYTES_MAX: usize = 2048;

impl PartialEq for DpopKey {
    fn eq(&self, other: &Self) -> bool {
        self.thumbprint() == other.thumbprint()
    }
}

impl Eq for DpopKey {}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DpopKey({}, {})", self.algorithm(), self.thumbprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{claims, header};
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use regrant_crypto::SystemEntropy;
    use serde_json::Value;

    fn proof(key: &DpopKey, uri: &str, access_token: Option<&AccessToken>, nonce: Option<&str>) -> String {
        let (method, uri) = (Method::POST, uri.parse().unwrap());
        let now = Timestamp::from_seconds(1_800_000_000);
        let proven = Proven { method: &method, uri: &uri, now, access_token, nonce };
        key.proof(&proven, &SystemEntropy).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn rfc9449_section_4_2_a_proof_shows_the_public_key_and_what_is_sent_where_and_when() {
        for name in ["ES256", "EdDSA", "RS256"] {
            let key = DpopKey::generate(&["none".to_owned(), name.to_owned()]);
            assert_eq!(key.algorithm(), name);
            let token = proof(&key, "https://id.example/token", None, Some("n-1"));
            let head = header(&token);
            assert_eq!((&head["typ"], &head["alg"]), (&"dpop+jwt".into(), &name.into()));
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(head["jwk"].get(private).is_none(), "{head}");
            }
            let jwk = serde_json::from_value(head["jwk"].clone()).unwrap();
            let mut validation = Validation::new(name.parse().unwrap());
            (validation.validate_exp, validation.required_spec_claims) = (false, Default::default());
            let own = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap().claims;
            assert_eq!(own["htm"], "POST");
            assert_eq!(own["htu"], "https://id.example/token");
            assert_eq!((&own["iat"], &own["nonce"]), (&1_800_000_000.into(), &"n-1".into()));
            assert!(own.get("ath").is_none() && own.get("exp").is_none());
            assert_ne!(own["jti"], claims(&proof(&key, "https://id.example/token", None, None))["jti"]);
        }
    }

    #[test]
    fn rfc9449_section_4_2_the_uri_is_without_query_and_fragment_and_spelled_in_one_way() {
        let key = DpopKey::generate(&[]);
        for (uri, htu) in [
            ("https://api.example/a?b=c", "https://api.example/a"),
            ("https://api.example/a/?b#c", "https://api.example/a/"),
            ("https://API.Example:443/A", "https://api.example/A"),
            ("http://127.0.0.1:80", "http://127.0.0.1/"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
            ("http://[::1]:8443/%2Fx", "http://[::1]:8443/%2Fx"),
            ("https://api.example:80/", "https://api.example:80/"),
        ] {
            assert_eq!(claims(&proof(&key, uri, None, None))["htu"], htu, "{uri}");
        }
    }

    #[test]
    fn rfc9449_section_7_1_a_proof_for_an_api_names_the_access_token_by_its_digest() {
        // The access token and the digest of the section's own example.
        let token = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".to_owned());
        let own = claims(&proof(&DpopKey::generate(&[]), "https://api.example/", Some(&token), None));
        assert_eq!(own["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    #[test]
    fn every_uri_that_is_let_through_has_room_in_a_proof() {
        let key = DpopKey::generate(&["RS256".to_owned()]);
        let longest = format!("https://api.example/{}", "x".repeat(URI_BYTES_MAX - 20));
        let nonce = "n".repeat(1024);
        proof(&key, &longest, Some(&AccessToken::new("a".to_owned())), Some(&nonce));
    }

    #[test]
    fn a_key_that_was_kept_is_the_same_and_is_not_printed() {
        for name in ["ES256", "EdDSA", "RS256"] {
            let key = DpopKey::generate(&[name.to_owned()]);
            let kept = DpopKey::read(key.algorithm(), key.pkcs8()).unwrap();
            assert_eq!((&kept, kept.pkcs8()), (&key, key.pkcs8()));
            assert_eq!(format!("{kept:?}"), format!("DpopKey({name}, {})", key.thumbprint()));
        }
        assert!(DpopKey::read("ES256", "AAAA").is_none());
    }
}
