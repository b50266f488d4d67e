//! Removing what ended long ago, slice by slice, beside the refreshes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use regrant_grant::latest_credible;
use regrant_protocol::{Clock, Timestamp};
use regrant_store::{Removed, Store, StoreError, Sweep, SweepError, SweepPosition, Swept};
use tokio::sync::Mutex;
use tracing::{error, info, warn};

use crate::AuthorizationServer;

#[cfg(test)]
mod history;

/// How many rows a slice looks at: reading them takes less than a millisecond.
pub const SWEEP_ROWS_MAX: u32 = 200;
/// How long after a slice the next one comes.
pub const SWEEP_SLICE_PAUSE_MILLISECONDS: u64 = 100;
/// How long after everything was looked at it is looked at again.
pub const SWEEP_PASS_PAUSE_SECONDS: u64 = 60 * 60;
/// How long after a failure of the store a slice is tried again.
pub const SWEEP_FAILURE_PAUSE_SECONDS: u64 = 60;

/// Sweeps a store: whoever runs the server calls [`Sweeper::sweep_slice`] again and again, after the pause that its outcome
/// names.
pub struct Sweeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    progress: Mutex<Progress>,
}

/// How far a sweep has come, and what it knows of the clock.
struct Progress {
    position: SweepPosition,
    /// What was removed since everything was looked at last.
    removed: Removed,
    clock_seen: Timestamp,
    clock_seen_at: Instant,
    has_clock_jumped: bool,
}

/// What became of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum SweepOutcome {
    /// It is done, and others follow. What it removed.
    Slice(Removed),
    /// It was the last: everything was looked at. What was removed since everything was looked at before.
    Pass(Removed),
    /// The store failed; the next call tries the same slice again.
    Failed(StoreError),
    /// The clock jumped: nothing is swept until the process is started again.
    ClockJumped,
}

impl SweepOutcome {
    /// How long to wait before the next call; `None` when none is of use.
    #[must_use]
    pub const fn pause(&self) -> Option<Duration> {
        match self {
            Self::Slice(_) => Some(Duration::from_millis(SWEEP_SLICE_PAUSE_MILLISECONDS)),
            Self::Pass(_) => Some(Duration::from_secs(SWEEP_PASS_PAUSE_SECONDS)),
            Self::Failed(_) => Some(Duration::from_secs(SWEEP_FAILURE_PAUSE_SECONDS)),
            Self::ClockJumped => None,
        }
    }
}

impl AuthorizationServer {
    /// What removes from the store what ended long ago. There is to be one for a store.
    #[must_use]
    pub fn sweeper(&self) -> Sweeper {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let progress = Progress {
            position: SweepPosition::default(),
            removed: Removed::default(),
            clock_seen: clock.now(),
            clock_seen_at: clock.monotonic(),
            has_clock_jumped: false,
        };
        Sweeper { store, clock, progress: Mutex::new(progress) }
    }
}

impl Sweeper {
    /// Sweeps the next slice. What it did is logged, and an alarm is raised when the clock jumped.
    pub async fn sweep_slice(&self) -> SweepOutcome {
        let mut progress = self.progress.lock().await;
        if progress.has_clock_jumped {
            return SweepOutcome::ClockJumped;
        }
        let monotonic = self.clock.monotonic();
        let passed = monotonic.saturating_duration_since(progress.clock_seen_at);
        let clock_at_most = latest_credible(progress.clock_seen, passed);
        let slice = Sweep { from: progress.position.clone(), rows_max: SWEEP_ROWS_MAX, clock_at_most };
        match self.store.sweep(slice).await {
            Ok(swept) => {
                // A clock that was put back may be put forward again.
                progress.clock_seen = swept.now.max(progress.clock_seen);
                progress.clock_seen_at = monotonic;
                progress.go_on(swept)
            }
            Err(alarm @ SweepError::ClockAhead { .. }) => {
                error!(%alarm, "the sweep has stopped: the clock jumped, or the machine slept");
                progress.has_clock_jumped = true;
                SweepOutcome::ClockJumped
            }
            Err(SweepError::Store(failure)) => {
                warn!(%failure, "a slice was not swept");
                SweepOutcome::Failed(failure)
            }
        }
    }
}

impl Progress {
    fn go_on(&mut self, swept: Swept) -> SweepOutcome {
        self.removed += swept.removed;
        if let Some(next) = swept.next {
            self.position = next;
            return SweepOutcome::Slice(swept.removed);
        }
        self.position = SweepPosition::default();
        let Removed { grants, access_tokens, sessions } = self.removed;
        info!(grants, access_tokens, sessions, "swept");
        SweepOutcome::Pass(std::mem::take(&mut self.removed))
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{CLOCK_AHEAD_SECONDS_MAX, GrantId, GrantSecret, Verdict};
    use regrant_protocol::{Params, TokenResponse};

    use super::*;
    use crate::TokenError;
    use crate::world::World;

    const DAY_SECONDS: u32 = 24 * 60 * 60;

    /// One pass over everything; what it removed.
    async fn pass(sweeper: &Sweeper) -> Removed {
        loop {
            match sweeper.sweep_slice().await {
                SweepOutcome::Slice(_) => {}
                SweepOutcome::Pass(removed) => return removed,
                stopped @ (SweepOutcome::Failed(_) | SweepOutcome::ClockJumped) => panic!("{stopped:?}"),
            }
        }
    }

    fn verdict(answer: Result<TokenResponse, TokenError>) -> Verdict {
        let Err(TokenError::Refresh { verdict, .. }) = answer else { panic!("it was not the rule that refused") };
        verdict
    }

    #[tokio::test]
    async fn t07_what_was_revoked_is_known_for_revoked_until_it_is_swept() {
        let world = World::new().await;
        let sweeper = world.server.sweeper();
        let log_in = async |number| {
            let (id, secret) = (GrantId([number; 16]), GrantSecret::new([number; 16]));
            let code = world.code_of(|birth| (birth.id, birth.secret) = (id, secret)).await;
            world.redeem(&code, "").await.unwrap()
        };
        let (reused, revoked, unused) = (log_in(1).await, log_in(2).await, log_in(3).await);
        let second = world.refresh(&reused, "").await.unwrap();
        let third = world.refresh(&second, "").await.unwrap();
        assert_eq!(verdict(world.refresh(&reused, "").await), Verdict::ReuseDetected);
        let form = format!("client_id=app&token={}", revoked.refresh_token.as_ref().unwrap().expose());
        world.server.revoke(&world.context(), None, &Params::parse(form.as_bytes()).unwrap()).await.unwrap();

        // The absolute end of all three is two hours away; the third is idle after one.
        for (seconds, expected, swept) in [
            (0, [Verdict::Revoked, Verdict::Revoked, Verdict::Revoked], 0),
            (7_200, [Verdict::Revoked; 3], 0),
            (DAY_SECONDS - 7_200, [Verdict::Revoked; 3], 0),
            (3_600 + 300 + 1, [Verdict::Revoked; 3], 1),
            (3_600 - 300, [Verdict::UnknownGrant; 3], 2),
        ] {
            world.clock.advance_seconds(seconds);
            assert_eq!(pass(&sweeper).await.grants, swept, "after {seconds} s more");
            for (token, expected) in [&third, &reused, &revoked].into_iter().zip(expected) {
                assert_eq!(verdict(world.refresh(token, "").await), expected, "after {seconds} s more");
            }
        }
        assert_eq!(verdict(world.refresh(&unused, "").await), Verdict::UnknownGrant);
    }

    #[tokio::test]
    async fn a_clock_that_jumps_stops_the_sweep_for_good() {
        for (why, ahead_seconds, passed_seconds, stops) in [
            ("it goes right", 0, 10 * DAY_SECONDS, false),
            ("it is put right", i64::from(CLOCK_AHEAD_SECONDS_MAX), 60, false),
            ("it jumped", i64::from(CLOCK_AHEAD_SECONDS_MAX) + 1, 60, true),
            ("it was put back", -i64::from(DAY_SECONDS), 60, false),
        ] {
            let world = World::new().await;
            let sweeper = world.server.sweeper();
            pass(&sweeper).await;
            let started = world.now();
            world.clock.advance_seconds(passed_seconds);
            world.clock.jump_to(world.now().plus_seconds(ahead_seconds));
            let has_stopped = sweeper.sweep_slice().await == SweepOutcome::ClockJumped;
            assert_eq!(has_stopped, stops, "{why}");
            world.clock.jump_to(started.plus_seconds(i64::from(passed_seconds)));
            let has_stopped = sweeper.sweep_slice().await == SweepOutcome::ClockJumped;
            assert_eq!(has_stopped, stops, "{why}, and then it is right again");
        }
        assert_eq!(SweepOutcome::ClockJumped.pause(), None);
    }

    #[tokio::test]
    async fn the_clock_is_compared_with_the_slice_before() {
        let world = World::new().await;
        let sweeper = world.server.sweeper();
        for _ in 0..10 {
            world.clock.jump_to(world.now().plus_seconds(i64::from(CLOCK_AHEAD_SECONDS_MAX)));
            assert_ne!(sweeper.sweep_slice().await, SweepOutcome::ClockJumped);
        }
    }
}
