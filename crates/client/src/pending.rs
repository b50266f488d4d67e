use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Entropy, random, sha256};
use regrant_protocol::{RetryVerifier, Timestamp};

use crate::Target;

/// The write-ahead marker of a refresh: it is on disk before the first try is sent, and goes with the answer.
///
/// Whoever finds one knows that the refresh token may be spent, and how to ask for the same answer again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What proves that a later try comes from the sender of the first.
    pub verifier: RetryVerifier,
    /// When the first try was sent, by our clock.
    pub first_sent_at: Timestamp,
    /// When the last try was sent that may have no answer yet, by our clock; `None` when the server answered all.
    pub unanswered_sent_at: Option<Timestamp>,
    /// How many tries were sent.
    pub tries: u32,
    /// What the access token was asked for. Every try asks for the same, or a server that repeats its answer would give a token
    /// for one target to somebody who asked for another.
    pub target: Target,
}

impl Pending {
    /// The marker of a first try for `target` that is sent `now`, with a new verifier.
    #[must_use]
    pub fn first(entropy: &dyn Entropy, now: Timestamp, target: Target) -> Self {
        let verifier = URL_SAFE_NO_PAD.encode(random::<32>(entropy));
        let verifier = RetryVerifier::parse(&verifier).expect("32 bytes are 43 characters of base64url");
        Self { verifier, first_sent_at: now, unanswered_sent_at: Some(now), tries: 1, target }
    }

    /// The marker of one more try that is sent `now`.
    #[must_use]
    pub fn again(&self, now: Timestamp) -> Self {
        Self { unanswered_sent_at: Some(now), tries: self.tries.saturating_add(1), ..self.clone() }
    }

    /// The `retry_challenge` of every try.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(self.verifier.expose().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::RetryChallenge;

    #[test]
    fn every_try_has_the_challenge_of_its_verifier() {
        let first = Pending::first(&SeededEntropy::new(1), Timestamp::from_seconds(5), Target::default());
        let second = first.again(Timestamp::from_seconds(9));
        let digest = sha256(second.verifier.expose().as_bytes());
        assert_eq!(RetryChallenge::parse(&first.challenge()).unwrap(), RetryChallenge::of_digest(&digest));
        assert_eq!((second.tries, second.first_sent_at), (2, Timestamp::from_seconds(5)));
        assert_eq!(second.unanswered_sent_at, Some(Timestamp::from_seconds(9)));
    }
}
