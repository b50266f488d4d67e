use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many questions in a row may go unanswered before an old server is left alone for a while.
const UNANSWERED_IN_A_ROW_MAX: u32 = 5;
/// For how long, in seconds.
const LEFT_ALONE_SECONDS: u32 = 5;
/// How much longer it is left alone at most because it asks for that, in seconds.
pub(super) const RETRY_AFTER_SECONDS_MAX: u32 = 60;
/// After how many seconds a caller may come again for whom there was no place.
const NO_PLACE_RETRY_SECONDS: u32 = 1;

/// How often one old server is asked: so many at once, so many in a second, and not while it says that it cannot.
pub(super) struct Pace {
    places: Arc<Semaphore>,
    interval: Duration,
    burst: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when the places of this second are spent (generic cell rate algorithm).
    spent_until: Option<Instant>,
    left_alone_until: Option<Instant>,
    unanswered_in_a_row: u32,
}

impl Pace {
    pub(super) fn new(at_once_max: u32, per_second_max: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once_max as usize)),
            interval: Duration::from_secs(1) / per_second_max.max(1),
            burst: per_second_max.max(1),
            state: Mutex::default(),
        }
    }

    /// A place to ask from, held until it is dropped; or after how many seconds to come again.
    pub(super) fn begin(&self, now: Instant) -> Result<OwnedSemaphorePermit, u32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = state.left_alone_until.map(|until| until.saturating_duration_since(now))
            && !wait.is_zero()
        {
            return Err(seconds(wait));
        }
        let spent_until = state.spent_until.unwrap_or(now).max(now);
        let wait = (spent_until - now).saturating_sub(self.interval * (self.burst - 1));
        if !wait.is_zero() {
            return Err(seconds(wait));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NO_PLACE_RETRY_SECONDS)?;
        state.spent_until = Some(spent_until + self.interval);
        Ok(place)
    }

    /// It has answered, whatever it was.
    pub(super) fn answered(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).unanswered_in_a_row = 0;
    }

    /// It has not answered, or says that it cannot now; `asked_for` is its own `Retry-After`. Returns after how many seconds
    /// to come again.
    pub(super) fn unanswered(&self, asked_for: Option<u32>, now: Instant) -> u32 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unanswered_in_a_row += 1;
        let seconds = match asked_for {
            Some(seconds) => seconds.clamp(1, RETRY_AFTER_SECONDS_MAX),
            None if state.unanswered_in_a_row >= UNANSWERED_IN_A_ROW_MAX => LEFT_ALONE_SECONDS,
            None => return NO_PLACE_RETRY_SECONDS,
        };
        state.left_alone_until = state.left_alone_until.max(Some(now + Duration::from_secs(seconds.into())));
        seconds
    }
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{Clock, ManualClock, Timestamp};

    use super::*;

    #[test]
    fn so_many_are_asked_at_once_and_so_many_in_a_second() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        let pace = Pace::new(2, 4);
        let places = [pace.begin(clock.monotonic()).unwrap(), pace.begin(clock.monotonic()).unwrap()];
        assert_eq!(pace.begin(clock.monotonic()).err(), Some(1), "two at once");
        drop(places);
        for _ in 0..2 {
            drop(pace.begin(clock.monotonic()).unwrap());
        }
        assert_eq!(pace.begin(clock.monotonic()).err(), Some(1), "four in a second");
        clock.advance_milliseconds(249);
        assert_eq!(pace.begin(clock.monotonic()).err(), Some(1));
        clock.advance_milliseconds(1);
        assert!(pace.begin(clock.monotonic()).is_ok(), "one more after a quarter of a second");
        assert!(pace.begin(clock.monotonic()).is_err());
    }

    #[test]
    fn a_server_that_asks_for_it_or_is_silent_again_and_again_is_left_alone() {
        let clock = ManualClock::new(Timestamp::from_seconds(0));
        for (asked_for, left_alone) in [(Some(7), 7), (Some(0), 1), (Some(86_400), RETRY_AFTER_SECONDS_MAX)] {
            let pace = Pace::new(9, 9);
            assert_eq!(pace.unanswered(asked_for, clock.monotonic()), left_alone);
            assert_eq!(pace.begin(clock.monotonic()).err(), Some(left_alone), "{asked_for:?}");
            clock.advance_seconds(left_alone);
            assert!(pace.begin(clock.monotonic()).is_ok(), "{asked_for:?}");
        }
        let pace = Pace::new(9, 9);
        for silence in 1..UNANSWERED_IN_A_ROW_MAX {
            pace.unanswered(None, clock.monotonic());
            assert!(pace.begin(clock.monotonic()).is_ok(), "{silence}");
        }
        pace.answered();
        for _ in 1..UNANSWERED_IN_A_ROW_MAX {
            pace.unanswered(None, clock.monotonic());
        }
        assert!(pace.begin(clock.monotonic()).is_ok());
        assert_eq!(pace.unanswered(None, clock.monotonic()), LEFT_ALONE_SECONDS);
        assert_eq!(pace.begin(clock.monotonic()).err(), Some(LEFT_ALONE_SECONDS));
    }
}
