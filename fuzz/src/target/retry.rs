use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::sha256;
use regrant_protocol::{RetryChallenge, RetryVerifier};

/// A challenge has one spelling, a verifier the grammar of RFC 7636 §4.1, and a verifier fits its own challenge only.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(challenge) = RetryChallenge::parse(text) {
        let digest: [u8; 32] = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|digest| digest.try_into().ok())
            .expect("a challenge is 32 bytes of base64url");
        assert_eq!(URL_SAFE_NO_PAD.encode(digest), text, "a challenge has one spelling");
        assert_eq!(challenge, RetryChallenge::of_digest(&digest));
        assert_eq!(challenge.as_bytes(), &digest[..RetryChallenge::BYTES]);
    }

    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let follows_grammar = (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved);
    let verifier = RetryVerifier::parse(text);
    assert_eq!(verifier.is_ok(), follows_grammar, "{text:?}");
    if let Ok(verifier) = verifier {
        assert_eq!(verifier.expose(), text);
        let digest = sha256(text.as_bytes());
        let challenge = RetryChallenge::parse(&URL_SAFE_NO_PAD.encode(digest)).expect("it is the spelling of a digest");
        assert_eq!(challenge, RetryChallenge::of_digest(&digest));
        let other = sha256(&text.as_bytes()[1..]);
        assert_ne!(challenge, RetryChallenge::of_digest(&other), "another verifier does not fit");
    }
}
