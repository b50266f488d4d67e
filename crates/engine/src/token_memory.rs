use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use regrant_crypto::digest;
use regrant_protocol::{ClientId, Secret};

/// What is remembered of tokens for a while, of so many at most: the next makes the oldest be forgotten.
///
/// Callers may count from moments that lie some seconds apart, and come in any order: each token is known until its own end.
pub(crate) struct TokenMemory<T> {
    lasts: Duration,
    tokens_max: usize,
    remembered: RwLock<Remembered<T>>,
}

/// A token that one client presents: a digest of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey([u8; 16]);

impl TokenKey {
    /// That of a token which this client presents: what is remembered of it holds for nobody else who has the same string. The label keeps
    /// it apart from every other digest that is made of a client and a token.
    pub(crate) fn of(client: &ClientId, token: &Secret) -> Self {
        Self(digest(&[b"presented", client.as_str().as_bytes(), token.expose().as_bytes()]))
    }
}

struct Remembered<T> {
    known: HashMap<TokenKey, Known<T>>,
    /// Those in `known` as they came, which is nearly the order in which they end.
    order: VecDeque<TokenKey>,
    /// When the last of them ends, or later.
    last_until: Option<Instant>,
}

struct Known<T> {
    what: T,
    until: Instant,
}

impl<T: Clone> TokenMemory<T> {
    /// Remembers nothing yet; later each token for `lasts_seconds`, and `tokens_max` of them at most.
    pub(crate) fn new(lasts_seconds: u64, tokens_max: usize) -> Self {
        let remembered = RwLock::new(Remembered::nothing());
        Self { lasts: Duration::from_secs(lasts_seconds), tokens_max, remembered }
    }

    /// Whether nothing is remembered of any token, which is cheaper to ask than what is of one.
    pub(crate) fn is_empty(&self, now: Instant) -> bool {
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        remembered.last_until.is_none_or(|until| until <= now)
    }

    /// What is remembered of a token.
    pub(crate) fn find(&self, key: &TokenKey, now: Instant) -> Option<T> {
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        remembered.known.get(key).filter(|known| now < known.until).map(|known| known.what.clone())
    }

    /// Remembers it, counted from the first time.
    pub(crate) fn keep(&self, key: TokenKey, what: T, now: Instant) {
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        remembered.forget_ended(now);
        if let Some(known) = remembered.known.get_mut(&key).filter(|known| now < known.until) {
            known.what = what;
            return;
        }
        let until = now + self.lasts;
        if remembered.known.insert(key, Known { what, until }).is_some() {
            // It has ended behind one that has not, and begins anew.
            remembered.order.retain(|other| *other != key);
        }
        remembered.order.push_back(key);
        remembered.last_until = remembered.last_until.max(Some(until));
        if remembered.order.len() > self.tokens_max {
            remembered.forget_oldest();
        }
    }

    /// Forgets what has ended. Nobody finds it any more in any case.
    pub(crate) fn forget_ended(&self, now: Instant) {
        self.remembered.write().unwrap_or_else(PoisonError::into_inner).forget_ended(now);
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.remembered.write().unwrap_or_else(PoisonError::into_inner) = Remembered::nothing();
    }
}

impl<T> Remembered<T> {
    fn nothing() -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), last_until: None }
    }

    /// Forgets those that have ended, but for one that came after one that has not.
    fn forget_ended(&mut self, now: Instant) {
        let has_ended = |known: &Known<T>| known.until <= now;
        while self.order.front().and_then(|oldest| self.known.get(oldest)).is_some_and(has_ended) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{Clock, ManualClock, Timestamp};

    use super::*;

    fn key(number: u128) -> TokenKey {
        TokenKey(number.to_be_bytes())
    }

    #[test]
    fn a_token_is_remembered_for_a_while_and_until_too_many_followed() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let memory = TokenMemory::new(300, 100);
        memory.keep(key(0), "first", clock.monotonic());
        clock.advance_seconds(299);
        memory.keep(key(0), "again", clock.monotonic());
        let found = [0, 1].map(|number| memory.find(&key(number), clock.monotonic()));
        assert_eq!(found, [Some("again"), None]);
        assert!(!memory.is_empty(clock.monotonic()));
        clock.advance_seconds(1);
        assert_eq!(memory.find(&key(0), clock.monotonic()), None, "counted from the first time");
        assert!(memory.is_empty(clock.monotonic()));

        (0..=100).for_each(|number| memory.keep(key(number), "", clock.monotonic()));
        let known = [0, 1, 100].map(|number| memory.find(&key(number), clock.monotonic()).is_some());
        assert_eq!(known, [false, true, true]);
        assert!(!memory.is_empty(clock.monotonic()));
        memory.clear();
        assert_eq!(memory.find(&key(100), clock.monotonic()), None);
        assert!(memory.is_empty(clock.monotonic()));
    }

    #[test]
    fn each_token_ends_by_itself_in_whatever_order_they_were_kept() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let memory = TokenMemory::new(60, 100);
        let early = clock.monotonic();
        clock.advance_seconds(10);
        memory.keep(key(0), "late", clock.monotonic());
        memory.keep(key(1), "early", early);
        let found = |now| [0, 1].map(|number| memory.find(&key(number), now));
        clock.advance_seconds(49);
        assert_eq!(found(clock.monotonic()), [Some("late"), Some("early")]);
        clock.advance_seconds(1);
        assert_eq!(found(clock.monotonic()), [Some("late"), None]);
        memory.keep(key(1), "anew", clock.monotonic());
        clock.advance_seconds(10);
        assert_eq!(found(clock.monotonic()), [None, Some("anew")]);
        clock.advance_seconds(49);
        assert_eq!(found(clock.monotonic()), [None, Some("anew")]);
        clock.advance_seconds(1);
        assert_eq!(found(clock.monotonic()), [None, None]);
        assert!(memory.is_empty(clock.monotonic()));
    }

    #[test]
    fn what_has_ended_is_forgotten_with_the_next_token_or_when_that_is_asked_for() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let memory = TokenMemory::new(60, 100);
        let held = || memory.remembered.read().unwrap().known.len();
        memory.keep(key(0), (), clock.monotonic());
        clock.advance_seconds(59);
        memory.forget_ended(clock.monotonic());
        memory.keep(key(1), (), clock.monotonic());
        assert_eq!(held(), 2);
        clock.advance_seconds(1);
        memory.keep(key(2), (), clock.monotonic());
        assert_eq!(held(), 2);
        clock.advance_seconds(60);
        memory.forget_ended(clock.monotonic());
        assert_eq!(held(), 0);
    }
}
