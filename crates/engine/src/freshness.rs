use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use regrant_protocol::Clock;

/// For how long a node relies on what it has read of the keys that all nodes share. After that it reads them again before it
/// decides anything, so that no node does for two seconds what the keys of an emergency forbid.
pub const KEYS_RELIED_ON_MILLISECONDS_MAX: u64 = 1_500;

/// Until when something that was read may be relied on.
pub(crate) struct Freshness {
    clock: Arc<dyn Clock>,
    begun: Instant,
    /// The end, in milliseconds since it was begun.
    ends_after: AtomicU64,
}

impl Freshness {
    /// Of what was read at `read_at`, or later.
    pub(crate) fn new(clock: Arc<dyn Clock>, read_at: Instant) -> Self {
        Self { clock, begun: read_at, ends_after: AtomicU64::new(KEYS_RELIED_ON_MILLISECONDS_MAX) }
    }

    /// The same was read again.
    pub(crate) fn renew(&self, read_at: Instant) {
        let since = read_at.saturating_duration_since(self.begun);
        let ends_after =
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX).saturating_add(KEYS_RELIED_ON_MILLISECONDS_MAX);
        self.ends_after.fetch_max(ends_after, Ordering::SeqCst);
    }

    /// Whether it may be relied on now.
    pub(crate) fn holds(&self) -> bool {
        let end = Duration::from_millis(self.ends_after.load(Ordering::SeqCst));
        self.clock.monotonic().saturating_duration_since(self.begun) < end
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn what_was_read_is_relied_on_for_so_long_and_no_older_reading_shortens_that() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(0)));
        let begun = clock.monotonic();
        let freshness = Freshness::new(Arc::clone(&clock) as _, begun);
        assert!(freshness.holds());
        clock.advance_seconds(1);
        freshness.renew(clock.monotonic());
        freshness.renew(begun);
        clock.advance_seconds(1);
        assert!(freshness.holds());
        clock.advance_seconds(1);
        assert!(!freshness.holds());
        freshness.renew(clock.monotonic());
        assert!(freshness.holds());
    }
}
