use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use regrant_crypto::digest;

/// How many failures in a row are answered without a delay.
pub const FAILURE_BURST: u32 = 10;
/// After the burst, one failure is allowed in this many seconds.
pub const FAILURE_INTERVAL_SECONDS: u32 = 3;
/// The most pairs of source and name that are remembered.
const FAILURE_KEYS_MAX: usize = 100_000;

/// Slows down guessing (RFC 6749 §2.3.1): counts failures for each pair of source address and name that was tried.
///
/// Only failures are counted, and only for the source they came from: whoever guesses at a name from one address locks
/// nobody out who comes from another.
pub(crate) struct Failures {
    spent: Mutex<HashMap<FailureKey, Instant>>,
}

/// Who is counted: a source, and a digest of the client or user it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FailureKey {
    source: IpAddr,
    name: [u8; 16],
}

impl FailureKey {
    pub(crate) fn client(source: IpAddr, client_id: &str) -> Self {
        Self { source: network(source), name: digest(&[b"client", client_id.as_bytes()]) }
    }

    pub(crate) fn user(source: IpAddr, username: &str) -> Self {
        Self { source: network(source), name: digest(&[b"user", username.as_bytes()]) }
    }
}

/// An IPv6 user has a whole /64 to come from.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

impl Failures {
    pub(crate) fn new() -> Self {
        Self { spent: Mutex::new(HashMap::new()) }
    }

    /// Whether `key` may try; otherwise after how many seconds.
    pub(crate) fn check(&self, key: &FailureKey, now: Instant) -> Result<(), u32> {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = spent.get(key).map_or(Duration::ZERO, |&until| wait(until, now));
        if wait.is_zero() { Ok(()) } else { Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)) }
    }

    /// Counts a failure.
    pub(crate) fn count(&self, key: FailureKey, now: Instant) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= FAILURE_KEYS_MAX && !spent.contains_key(&key) {
            spent.retain(|_, until| *until > now);
            if spent.len() >= FAILURE_KEYS_MAX {
                return;
            }
        }
        let until = spent.entry(key).or_insert(now);
        *until = charge(*until, now);
    }
}

const INTERVAL: Duration = Duration::from_secs(FAILURE_INTERVAL_SECONDS as u64);

/// The generic cell rate algorithm: a failure moves the moment until which the budget is spent by one interval …
fn charge(until: Instant, now: Instant) -> Instant {
    until.max(now) + INTERVAL
}

/// … and the next try waits while that moment is more than the burst away.
fn wait(until: Instant, now: Instant) -> Duration {
    until.saturating_duration_since(now).saturating_sub(INTERVAL * (FAILURE_BURST - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_protocol::{Clock, ManualClock, Timestamp};

    fn key(source: &str, name: &str) -> FailureKey {
        FailureKey::client(source.parse().unwrap(), name)
    }

    #[test]
    fn rfc6749_section_2_3_1_guessing_is_slowed_after_the_burst_and_only_for_its_source() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let failures = Failures::new();
        let guesser = key("192.0.2.1", "a");
        for failure in 0..FAILURE_BURST {
            assert_eq!(failures.check(&guesser, clock.monotonic()), Ok(()), "failure {failure}");
            failures.count(guesser, clock.monotonic());
        }
        assert_eq!(failures.check(&guesser, clock.monotonic()), Err(FAILURE_INTERVAL_SECONDS));
        assert_eq!(failures.check(&key("192.0.2.2", "a"), clock.monotonic()), Ok(()), "the owner, elsewhere");
        assert_eq!(failures.check(&key("192.0.2.1", "b"), clock.monotonic()), Ok(()), "another name");
        clock.advance_milliseconds(2999);
        assert_eq!(failures.check(&guesser, clock.monotonic()), Err(1));
        clock.advance_milliseconds(1);
        assert_eq!(failures.check(&guesser, clock.monotonic()), Ok(()), "one more after an interval");
        failures.count(guesser, clock.monotonic());
        assert!(failures.check(&guesser, clock.monotonic()).is_err());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_source() {
        assert_eq!(key("2001:db8::1", "a"), key("2001:db8::ffff", "a"));
        assert_ne!(key("2001:db8::1", "a"), key("2001:db8:0:1::1", "a"));
    }
}
