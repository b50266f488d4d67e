use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Whether `token` begins like a JWT (`{"` in base64url) and is not all there: a part is missing, or the signature is
/// shorter than its algorithm makes it.
pub(crate) fn is_cut_jwt(token: &str) -> bool {
    if !token.starts_with("eyJ") {
        return false;
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, _, signature] = parts.as_slice() else { return true };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return true };
    let algorithm =
        URL_SAFE_NO_PAD.decode(header).ok().and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    match algorithm.as_ref().and_then(|header| header.get("alg")?.as_str()) {
        Some("HS256") => signature.len() != 32,
        Some("HS384") => signature.len() != 48,
        Some("HS512" | "ES256" | "EdDSA") => signature.len() != 64,
        Some("ES384") => signature.len() != 96,
        Some("ES512") => signature.len() != 132,
        // Keys of RSA have 1024 bits or more, in steps that are whole 64 bytes in practice.
        Some(rsa) if rsa.starts_with("RS") || rsa.starts_with("PS") => {
            signature.len() < 128 || signature.len() % 64 != 0
        }
        _ => signature.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_is_whole_or_cut() {
        let jwt = |header: &str, signature_bytes: usize| {
            let parts = [header.as_bytes(), br#"{"sub":"u"}"#, &vec![7; signature_bytes]];
            parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
        };
        let rs256 = jwt(r#"{"typ":"JWT","alg":"RS256"}"#, 256);
        let hs256 = jwt(r#"{"typ":"JWT","alg":"HS256"}"#, 32);
        let cases = [
            (rs256.as_str(), false, "all of it"),
            (&hs256, false, "all of it"),
            (&rs256[..40], true, "the column of 40 characters"),
            (&rs256[..255], true, "a column of 255: its signature is too short"),
            (&hs256[..hs256.len() - 1], true, "one character short"),
            ("0123456789abcdef0123456789abcdef01234567", false, "no JWT at all"),
            ("eyJhbGciOiJub25lIn0", true, "a header alone"),
        ];
        for (token, expected, why) in cases {
            assert_eq!(is_cut_jwt(token), expected, "{why}");
        }
    }
}
