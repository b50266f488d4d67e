use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use regrant_crypto::digest;
use regrant_protocol::{ClientId, Secret};

/// What is remembered of tokens for a while, of so many at most: the next makes the oldest be forgotten.
pub(crate) struct TokenMemory<T> {
    lasts: Duration,
    tokens_max: usize,
    remembered: RwLock<Remembered<T>>,
}

/// A token that one client presents: a digest of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey([u8; 16]);

impl TokenKey {
    pub(crate) fn of(client: &ClientId, token: &Secret) -> Self {
        Self(digest(&[b"presented", client.as_str().as_bytes(), token.expose().as_bytes()]))
    }
}

struct Remembered<T> {
    known: HashMap<TokenKey, T>,
    /// Those in `known`, and until when; the first ends first.
    order: VecDeque<(Instant, TokenKey)>,
}

impl<T: Clone> TokenMemory<T> {
    pub(crate) fn new(lasts_seconds: u64, tokens_max: usize) -> Self {
        let remembered = RwLock::new(Remembered { known: HashMap::new(), order: VecDeque::new() });
        Self { lasts: Duration::from_secs(lasts_seconds), tokens_max, remembered }
    }

    /// Whether nothing is remembered of any token, which is cheaper to ask than what is of one.
    pub(crate) fn is_empty(&self) -> bool {
        self.remembered.read().unwrap_or_else(PoisonError::into_inner).known.is_empty()
    }

    /// What is remembered of a token.
    pub(crate) fn find(&self, key: &TokenKey, now: Instant) -> Option<T> {
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        while remembered.order.front().is_some_and(|(until, _)| *until <= now) {
            remembered.forget_oldest();
        }
        remembered.known.get(key).cloned()
    }

    /// Remembers it, counted from the first time.
    pub(crate) fn keep(&self, key: TokenKey, what: T, now: Instant) {
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.known.insert(key, what).is_some() {
            return;
        }
        remembered.order.push_back((now + self.lasts, key));
        if remembered.order.len() > self.tokens_max {
            remembered.forget_oldest();
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        remembered.known.clear();
        remembered.order.clear();
    }
}

impl<T> Remembered<T> {
    fn forget_oldest(&mut self) {
        if let Some((_, oldest)) = self.order.pop_front() {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{Clock, ManualClock, Timestamp};

    use super::*;

    #[test]
    fn a_token_is_remembered_for_a_while_and_until_too_many_followed() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let memory = TokenMemory::new(300, 100);
        let key = |number: u128| TokenKey(number.to_be_bytes());
        memory.keep(key(0), "first", clock.monotonic());
        clock.advance_seconds(299);
        memory.keep(key(0), "again", clock.monotonic());
        let found = [0, 1].map(|number| memory.find(&key(number), clock.monotonic()));
        assert_eq!(found, [Some("again"), None]);
        clock.advance_seconds(1);
        assert_eq!(memory.find(&key(0), clock.monotonic()), None, "counted from the first time");

        (0..=100).for_each(|number| memory.keep(key(number), "", clock.monotonic()));
        let known = [0, 1, 100].map(|number| memory.find(&key(number), clock.monotonic()).is_some());
        assert_eq!(known, [false, true, true]);
        assert!(!memory.is_empty());
        memory.clear();
        assert_eq!(memory.find(&key(100), clock.monotonic()), None);
        assert!(memory.is_empty());
    }
}
