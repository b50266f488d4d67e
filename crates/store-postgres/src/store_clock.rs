use std::sync::Arc;
use std::time::Instant;

use regrant_protocol::{Clock, Timestamp};

/// Whose time of day counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeOfDay {
    /// The database's: one for all nodes, whatever their clocks show.
    #[default]
    Database,
    /// That of the clock which the store was given, as in tests.
    Given,
}

/// Where the time of steps comes from.
#[derive(Clone)]
pub(crate) struct StoreClock {
    clock: Arc<dyn Clock>,
    time_of_day: TimeOfDay,
}

impl StoreClock {
    /// The time of day of `clock`, or that of the database; deadlines are on `clock` in any case.
    pub(crate) fn new(clock: Arc<dyn Clock>, time_of_day: TimeOfDay) -> Self {
        Self { clock, time_of_day }
    }

    /// The time of day, unless the database is to be asked.
    pub(crate) fn given(&self) -> Option<Timestamp> {
        (self.time_of_day == TimeOfDay::Given).then(|| self.clock.now())
    }

    /// The clock of deadlines.
    pub(crate) fn monotonic(&self) -> Instant {
        self.clock.monotonic()
    }
}
