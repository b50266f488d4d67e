use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Timestamp;

/// Where the time comes from. Everything that depends on time takes a clock, or the time itself, as an argument.
pub trait Clock: Send + Sync {
    /// The time of day, as this machine or the test believes it. It may jump.
    fn now(&self) -> Timestamp;

    /// A clock that only moves forward, for measuring how long something took or may take.
    fn monotonic(&self) -> Instant;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
    fn now(&self) -> Timestamp {
        let milliseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp::from_milliseconds(milliseconds)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that stands still until it is moved, for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    milliseconds: AtomicI64,
    passed_milliseconds: AtomicI64,
    origin: Instant,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            milliseconds: AtomicI64::new(start.milliseconds()),
            passed_milliseconds: AtomicI64::new(0),
            origin: SystemClock.monotonic(),
        }
    }

    /// Lets time pass, on the time of day and on the monotonic clock alike.
    pub fn advance_milliseconds(&self, milliseconds: u32) {
        self.milliseconds.fetch_add(i64::from(milliseconds), Ordering::SeqCst);
        self.passed_milliseconds.fetch_add(i64::from(milliseconds), Ordering::SeqCst);
    }

    /// Lets `seconds` pass.
    pub fn advance_seconds(&self, seconds: u32) {
        let milliseconds = i64::from(seconds) * 1000;
        self.milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
        self.passed_milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Makes the time of day jump, forward or back; the monotonic clock does not notice.
    pub fn jump_to(&self, to: Timestamp) {
        self.milliseconds.store(to.milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.milliseconds.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Instant {
        let passed = u64::try_from(self.passed_milliseconds.load(Ordering::SeqCst)).unwrap_or(0);
        self.origin + Duration::from_millis(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_told_to() {
        let clock = ManualClock::new(Timestamp::from_seconds(100));
        let started = clock.monotonic();
        assert_eq!(clock.now(), clock.now());
        clock.advance_seconds(3);
        assert_eq!(clock.now(), Timestamp::from_seconds(103));
        assert_eq!(clock.monotonic() - started, Duration::from_secs(3));
        clock.jump_to(Timestamp::from_seconds(7));
        assert_eq!(clock.now(), Timestamp::from_seconds(7));
        assert_eq!(clock.monotonic() - started, Duration::from_secs(3));
    }
}
