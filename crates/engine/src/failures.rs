use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use regrant_crypto::digest;

/// How many failures in a row are answered without a delay.
pub const FAILURE_BURST: u32 = 10;
/// After the burst, one failure is allowed in this many seconds.
pub const FAILURE_INTERVAL_SECONDS: u32 = 3;
/// How many failures at one username are answered without a delay, whatever browsers they come from that nobody knows.
pub const ACCOUNT_FAILURE_BURST: u32 = 100;
/// After that burst, one failure is allowed in this many seconds.
pub const ACCOUNT_FAILURE_INTERVAL_SECONDS: u32 = 30;
/// How many failures from one source are answered without a delay, whatever usernames are tried.
pub const SOURCE_FAILURE_BURST: u32 = 300;
/// After that burst, one failure is allowed in this many seconds.
pub const SOURCE_FAILURE_INTERVAL_SECONDS: u32 = 1;
/// The most keys that are remembered.
const FAILURE_KEYS_MAX: usize = 100_000;

/// Slows down guessing (RFC 6749 §2.3.1): counts failures by source address and name that was tried, and at the login page by
/// each of the two alone.
///
/// Only failures are counted. Whoever guesses at a name from one address locks nobody out who comes from another; and where
/// many addresses guess at it, nobody who has logged in with the same browser before.
pub(crate) struct Failures {
    spent: Mutex<Spent>,
}

/// What is counted together: a digest of what the failures have in common, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FailureKey {
    budget: Budget,
    common: [u8; 16],
}

/// How many failures there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Budget {
    /// Of one who tries one name.
    Pair,
    /// Of all unknown browsers that try one name.
    Account,
    /// Of one source, whatever it tries.
    Source,
}

impl FailureKey {
    /// Of a source that claims to be this client.
    pub(crate) fn client(source: IpAddr, client_id: &str) -> Self {
        Self::new(Budget::Pair, [b"client", network(source).as_bytes(), client_id.as_bytes()])
    }

    /// Of a source that tries this username.
    pub(crate) fn user(source: IpAddr, username: &str) -> Self {
        Self::new(Budget::Pair, [b"user", network(source).as_bytes(), username.as_bytes()])
    }

    /// Of a browser with which this user has logged in before, or is logged in.
    pub(crate) fn browser(browser: &[u8; 16], username: &str) -> Self {
        Self::new(Budget::Pair, [b"browser", browser, username.as_bytes()])
    }

    /// Of everybody who tries this username.
    pub(crate) fn account(username: &str) -> Self {
        Self::new(Budget::Account, [b"account", b"", username.as_bytes()])
    }

    /// Of everything that a source tries at the login page.
    pub(crate) fn source(source: IpAddr) -> Self {
        Self::new(Budget::Source, [b"source", network(source).as_bytes(), b""])
    }

    /// Of strings from a source that may be tokens of another system, and are not, where clients refresh and revoke.
    pub(crate) fn imported_token(source: IpAddr) -> Self {
        Self::new(Budget::Source, [b"imported_token", network(source).as_bytes(), b""])
    }

    /// The same of access tokens, where APIs ask: dead ones that programs go on sending keep nobody from refreshing.
    pub(crate) fn imported_access_token(source: IpAddr) -> Self {
        Self::new(Budget::Source, [b"imported_access_token", network(source).as_bytes(), b""])
    }

    /// Of strings from a source that may be tokens of an old server, and are not.
    pub(crate) fn old_token(source: IpAddr) -> Self {
        Self::new(Budget::Source, [b"old_token", network(source).as_bytes(), b""])
    }

    /// Of a source that tries admin tokens.
    pub(crate) fn operator(source: IpAddr) -> Self {
        Self::new(Budget::Pair, [b"operator", network(source).as_bytes(), b""])
    }

    fn new(budget: Budget, common: [&[u8]; 3]) -> Self {
        Self { budget, common: digest(&common) }
    }
}

impl Budget {
    const fn burst(self) -> u32 {
        match self {
            Self::Pair => FAILURE_BURST,
            Self::Account => ACCOUNT_FAILURE_BURST,
            Self::Source => SOURCE_FAILURE_BURST,
        }
    }

    const fn interval(self) -> Duration {
        let seconds = match self {
            Self::Pair => FAILURE_INTERVAL_SECONDS,
            Self::Account => ACCOUNT_FAILURE_INTERVAL_SECONDS,
            Self::Source => SOURCE_FAILURE_INTERVAL_SECONDS,
        };
        Duration::from_secs(seconds as u64)
    }
}

/// An IPv6 user has a whole /64 to come from; an IPv4 address is the same however a socket shows it.
fn network(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string(),
    }
}

impl Failures {
    pub(crate) fn new() -> Self {
        Self { spent: Mutex::new(HashMap::new()) }
    }

    /// Whether `key` may try; otherwise after how many seconds.
    pub(crate) fn check(&self, key: FailureKey, now: Instant) -> Result<(), u32> {
        allowed(&self.spent.lock().unwrap_or_else(PoisonError::into_inner), key, now)
    }

    /// Takes a try from each budget before the work is done, so that tries at once cannot outrun it; or from none, and says
    /// after how many seconds the next is allowed. [`Failures::give_back`] undoes it.
    pub(crate) fn charge(&self, keys: &[FailureKey], now: Instant) -> Result<(), u32> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys.iter().filter_map(|&key| allowed(&spent, key, now).err());
        if let Some(longest) = waits.max() {
            return Err(longest);
        }
        for &key in keys {
            charge(&mut spent, key, now);
        }
        Ok(())
    }

    /// A try that was charged was no failure.
    pub(crate) fn give_back(&self, keys: &[FailureKey]) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if let Some(until) = spent.get_mut(key) {
                *until = until.checked_sub(key.budget.interval()).unwrap_or(*until);
            }
        }
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
    *until = charged(key.budget, *until, now);
}

fn allowed(spent: &Spent, key: FailureKey, now: Instant) -> Result<(), u32> {
    let wait = spent.get(&key).map_or(Duration::ZERO, |&until| wait(key.budget, until, now));
    if wait.is_zero() { Ok(()) } else { Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)) }
}

/// The generic cell rate algorithm: a failure moves the moment until which the budget is spent by one interval, and never
/// further than the burst, so that nobody waits for longer than one interval …
fn charged(budget: Budget, until: Instant, now: Instant) -> Instant {
    (until.max(now) + budget.interval()).min(now + budget.interval() * budget.burst())
}

/// … and the next try waits while that moment is more than the burst away.
fn wait(budget: Budget, until: Instant, now: Instant) -> Duration {
    until.saturating_duration_since(now).saturating_sub(budget.interval() * (budget.burst() - 1))
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
        let guess = |source, name| failures.charge(&[key(source, name)], clock.monotonic());
        for failure in 0..FAILURE_BURST {
            assert_eq!(guess("192.0.2.1", "a"), Ok(()), "failure {failure}");
        }
        for _ in 0..1000 {
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
            assert_eq!(failures.charge(&[key("192.0.2.1", "a")], clock.monotonic()), Ok(()), "success {success}");
            failures.give_back(&[key("192.0.2.1", "a")]);
        }
    }

    #[test]
    fn a_try_that_one_budget_refuses_is_charged_to_none() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let failures = Failures::new();
        let (account, elsewhere) = (FailureKey::account("alice"), key("192.0.2.2", "alice"));
        for failure in 0..ACCOUNT_FAILURE_BURST {
            assert_eq!(failures.charge(&[account], clock.monotonic()), Ok(()), "failure {failure}");
        }
        for _ in 0..2 * FAILURE_BURST {
            let refused = Err(ACCOUNT_FAILURE_INTERVAL_SECONDS);
            assert_eq!(failures.charge(&[elsewhere, account], clock.monotonic()), refused);
        }
        assert_eq!(failures.check(elsewhere, clock.monotonic()), Ok(()));
        let known = FailureKey::browser(&[1; 16], "alice");
        assert_eq!(failures.charge(&[known], clock.monotonic()), Ok(()), "whose browser is known is not delayed");
        clock.advance_seconds(ACCOUNT_FAILURE_INTERVAL_SECONDS);
        assert_eq!(failures.charge(&[elsewhere, account], clock.monotonic()), Ok(()));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_source() {
        assert_eq!(key("2001:db8::1", "a"), key("2001:db8::ffff", "a"));
        assert_ne!(key("2001:db8::1", "a"), key("2001:db8:0:1::1", "a"));
        assert_eq!(key("::ffff:192.0.2.1", "a"), key("192.0.2.1", "a"));
        assert_ne!(key("::ffff:192.0.2.1", "a"), key("::ffff:192.0.2.2", "a"));
    }
}
