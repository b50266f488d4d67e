use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::sha256;
use regrant_protocol::{CodeChallenge, CodeVerifier};

/// A challenge has one spelling and one method, a verifier the grammar of RFC 7636 §4.1, and a verifier fits its own
/// challenge only.
///
/// The first line is a challenge or verifier, the second the method of the challenge.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (text, method) = text.split_once('\n').map_or((text, None), |(text, method)| (text, Some(method)));
    if let Ok(challenge) = CodeChallenge::parse(text, method) {
        assert_eq!(method, Some("S256"), "nothing is taken for S256 that was not called so");
        let digest: [u8; 32] = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|digest| digest.try_into().ok())
            .expect("a challenge is 32 bytes of base64url");
        assert_eq!(challenge, CodeChallenge::of_digest(&digest));
        assert_eq!(String::from(challenge), text, "a challenge has one spelling");
        assert_eq!(CodeChallenge::from_bytes(*challenge.as_bytes()), challenge, "it is kept as it is");
    }

    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let follows_grammar = (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved);
    let verifier = CodeVerifier::parse(text);
    assert_eq!(verifier.is_ok(), follows_grammar, "{text:?}");
    if let Ok(verifier) = verifier {
        assert_eq!(verifier.expose(), text);
        let challenge = URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()));
        let challenge = CodeChallenge::parse(&challenge, Some(CodeChallenge::METHOD)).expect("it is that of a digest");
        assert_eq!(challenge, CodeChallenge::of_digest(&sha256(text.as_bytes())));
        let other = CodeChallenge::of_digest(&sha256(&text.as_bytes()[1..]));
        assert_ne!(challenge, other, "another verifier does not fit");
    }
}
