use std::time::{Duration, Instant};

use async_trait::async_trait;
use regrant_client::Timer;
use regrant_protocol::{Clock, SystemClock, Timestamp};

/// A clock that runs some times as fast as that of the machine, alike in every process that has the same origin.
///
/// What a client waits for, quiet times above all, then passes so much sooner. The server keeps the time of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastClock {
    origin: Timestamp,
    factor: u32,
    began: Instant,
}

impl FastClock {
    /// A clock that shows the right time at `origin`, and runs `factor` times as fast.
    pub(crate) fn new(origin: Timestamp, factor: u32) -> Self {
        Self { origin, factor, began: SystemClock.monotonic() }
    }

    /// When it showed the right time.
    pub(crate) fn origin(self) -> Timestamp {
        self.origin
    }

    /// How many times as fast it runs.
    pub(crate) fn factor(self) -> u32 {
        self.factor
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = SystemClock.now().milliseconds_since(self.origin);
        self.origin.plus_milliseconds(passed.saturating_mul(self.factor.into()))
    }

    fn monotonic(&self) -> Instant {
        self.began + SystemClock.monotonic().saturating_duration_since(self.began) * self.factor
    }
}

#[async_trait]
impl Timer for FastClock {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.factor).await;
    }
}
