use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

/// The last `DPoP-Nonce` of every server (RFC 9449 §8 and §9), by its origin. The server that was heard longest ago is
/// forgotten first, which costs one request.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<VecDeque<(String, String)>>);

impl Nonces {
    pub(crate) fn of(&self, origin: &str) -> Option<String> {
        self.known().iter().find(|(own, _)| own == origin).map(|(_, nonce)| nonce.clone())
    }

    /// Takes the nonce from an answer. Whether it had one.
    pub(crate) fn learn(&self, origin: String, headers: &HeaderMap) -> bool {
        let Some(nonce) = headers.get("dpop-nonce").and_then(|value| value.to_str().ok()).filter(|own| is_nonce(own))
        else {
            return false;
        };
        let mut known = self.known();
        known.retain(|(own, _)| *own != origin);
        if known.len() >= ORIGINS_MAX {
            known.pop_front();
        }
        known.push_back((origin, nonce.to_owned()));
        true
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RFC 9449 §8.1: `%x21 / %x23-5B / %x5D-7E`, at least one.
fn is_nonce(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    (1..=NONCE_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// How many servers are remembered.
const ORIGINS_MAX: usize = 64;
/// The longest nonce that is taken, in bytes.
const NONCE_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(nonce: &str) -> HeaderMap {
        [(http::HeaderName::from_static("dpop-nonce"), nonce.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn the_last_nonce_of_each_server_is_known_and_of_so_many_servers_only() {
        let nonces = Nonces::default();
        for (origin, nonce, expected) in [
            ("https://a", "n1", Some("n1")),
            ("https://b", "n2", Some("n2")),
            ("https://a", "n3", Some("n3")),
            ("https://a", "with space", Some("n3")),
            ("https://a", "\"quoted\"", Some("n3")),
            ("https://c", "", None),
        ] {
            nonces.learn(origin.to_owned(), &answer(nonce));
            assert_eq!(nonces.of(origin).as_deref(), expected, "{nonce:?}");
        }
        assert!(!nonces.learn("https://a".to_owned(), &answer(&"x".repeat(NONCE_BYTES_MAX + 1))));
        assert!(!nonces.learn("https://a".to_owned(), &HeaderMap::new()));
        for number in 0..ORIGINS_MAX {
            nonces.learn(format!("https://{number}"), &answer("n"));
        }
        assert_eq!((nonces.of("https://a"), nonces.of("https://0").as_deref()), (None, Some("n")));
        assert_eq!(nonces.known().len(), ORIGINS_MAX);
    }
}
