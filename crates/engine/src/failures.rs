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
    spent: Mutex<Spent>,
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

/// An IPv6 user has a whole /64 to come from; an IPv4 address is the same however a socket shows it.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

impl Failures {
    pub(crate) fn new() -> Self {
        Self { spent: Mutex::new(HashMap::new()) }
    }

    /// Whether `key` may try; otherwise after how many seconds.
    pub(crate) fn check(&self, key: FailureKey, now: Instant) -> Result<(), u32> {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        allowed(spent.get(&key).copied(), now)
    }

    /// Takes a try from the budget before the work is done, so that tries at once cannot outrun it; otherwise says after how
    /// many seconds the next is allowed. [`Failures::give_back`] undoes it.
    pub(crate) fn charge(&self, key: FailureKey, now: Instant) -> Result<(), u32> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        allowed(spent.get(&key).copied(), now)?;
        charge(&mut spent, key, now);
        Ok(())
    }

    /// A try that was charged was no failure.
    pub(crate) fn give_back(&self, key: FailureKey) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = spent.get_mut(&key) {
            *until = until.checked_sub(INTERVAL).unwrap_or(*until);
        }
    }

    /// Counts a failure that was not charged before.
    pub(crate) fn count(&self, key: FailureKey, now: Instant) {
        charge(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner), key, now);
    }
}

/// Who still owes, and until when.
type Spent = HashMap<FailureKey, Instant>;

fn charge(spent: &mut Spent, key: FailureKey, now: Instant) {
    if spent.len() >= FAILURE_KEYS_MAX && !spent.contains_key(&key) {
        spent.retain(|_, until| *until > now);
        if spent.len() >= FAILURE_KEYS_MAX {
            return;
        }
    }
    let until = spent.entry(key).or_insert(now);
    *until = charged(*until, now);
}

fn allowed(until: Option<Instant>, now: Instant) -> Result<(), u32> {
    let wait = until.map_or(Duration::ZERO, |until| wait(until, now));
    if wait.is_zero() { Ok(()) } else { Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)) }
}

const INTERVAL: Duration = Duration::from_secs(FAILURE_INTERVAL_SECONDS as u64);

/// The generic cell rate algorithm: a failure moves the moment until which the budget is spent by one interval, and never
/// further than the burst, so that nobody waits for longer than one interval …
fn charged(until: Instant, now: Instant) -> Instant {
    (until.max(now) + INTERVAL).min(now + INTERVAL * FAILURE_BURST)
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
        let guess = |source, name| failures.charge(key(source, name), clock.monotonic());
        for failure in 0..FAILURE_BURST {
            assert_eq!(guess("192.0.2.1", "a"), Ok(()), "failure {failure}");
        }
        for _ in 0..1000 {
            failures.count(key("192.0.2.1", "a"), clock.monotonic());
            assert_eq!(guess("192.0.2.1", "a"), Err(FAILURE_INTERVAL_SECONDS), "the debt does not grow");
        }
        assert_eq!(guess("192.0.2.2", "a"), Ok(()), "the owner, elsewhere");
        assert_eq!(guess("192.0.2.1", "b"), Ok(()), "another name");
        clock.advance_milliseconds(2999);
        assert_eq!(guess("192.0.2.1", "a"), Err(1));
        clock.advance_milliseconds(1);
        assert_eq!(guess("192.0.2.1", "a"), Ok(()), "one more after an interval");
        assert!(guess("192.0.2.1", "a").is_err());
    }

    #[test]
    fn a_try_that_was_no_failure_is_given_back() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let failures = Failures::new();
        for success in 0..3 * FAILURE_BURST {
            assert_eq!(failures.charge(key("192.0.2.1", "a"), clock.monotonic()), Ok(()), "success {success}");
            failures.give_back(key("192.0.2.1", "a"));
        }
    }

    #[test]
    fn an_ipv6_network_counts_as_one_source() {
        assert_eq!(key("2001:db8::1", "a"), key("2001:db8::ffff", "a"));
        assert_ne!(key("2001:db8::1", "a"), key("2001:db8:0:1::1", "a"));
        assert_eq!(key("::ffff:192.0.2.1", "a"), key("192.0.2.1", "a"));
        assert_ne!(key("::ffff:192.0.2.1", "a"), key("::ffff:192.0.2.2", "a"));
    }
}
