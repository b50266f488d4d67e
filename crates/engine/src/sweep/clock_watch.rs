use std::time::{Duration, Instant};

use regrant_grant::{latest_credible, latest_credible_at_start};
use regrant_protocol::{Clock, Timestamp};
use regrant_store::SweepError;
use tracing::{error, info};

use super::{FIRST_SWEEP_AFTER_SECONDS, SweepOutcome};

/// What a sweeper knows of the clock.
#[derive(Clone, Copy)]
pub(super) enum ClockWatch {
    /// Nothing: only the store can tell what it showed before.
    Starting { since: Instant, has_told: bool },
    /// What it showed last, or at most, and when that was.
    Seen { time: Timestamp, at: Instant },
    /// It jumped, when the store was swept last at `swept_at`.
    Jumped { swept_at: Option<Timestamp> },
}

impl ClockWatch {
    /// At the start of a process.
    pub(super) fn starting(clock: &dyn Clock) -> Self {
        Self::Starting { since: clock.monotonic(), has_told: false }
    }

    /// The latest that the clock may show when the store was swept last at `swept_at`, which counts at the start and after a
    /// jump only.
    ///
    /// # Errors
    /// What becomes of the slice when it is not to be swept.
    pub(super) fn latest_credible(
        &mut self,
        swept_at: Option<Timestamp>,
        clock: &dyn Clock,
    ) -> Result<Timestamp, SweepOutcome> {
        if matches!(*self, Self::Jumped { swept_at: before } if before != swept_at) {
            // Nothing is swept meanwhile: it was said that the clock is right.
            *self = Self::starting(clock);
        }
        let passed = |since| clock.monotonic().saturating_duration_since(since);
        match (*self, swept_at) {
            (Self::Jumped { .. }, _) => Err(SweepOutcome::ClockJumped),
            (Self::Seen { time, at }, _) => Ok(latest_credible(time, passed(at))),
            (Self::Starting { .. }, Some(swept_at)) => Ok(latest_credible_at_start(swept_at)),
            (Self::Starting { since, .. }, None) => {
                let wait = Duration::from_secs(FIRST_SWEEP_AFTER_SECONDS).saturating_sub(passed(since));
                if wait.is_zero() {
                    return Ok(latest_credible(clock.now(), Duration::ZERO));
                }
                if self.is_to_tell() {
                    info!(seconds = wait.as_secs(), "the store was never swept, and is from then on");
                }
                Err(SweepOutcome::NotYet(wait))
            }
        }
    }

    /// A slice was swept, when the clock showed `now`.
    pub(super) fn saw(&mut self, now: Timestamp, swept_at: Option<Timestamp>, at: Instant) {
        *self = match *self {
            // It is behind, and will be set right: that is no jump.
            Self::Starting { .. } if swept_at.is_some_and(|swept_at| now < swept_at) => return,
            Self::Starting { .. } => Self::Seen { time: now, at },
            // A clock that was put back may be put forward again.
            Self::Seen { time, .. } => Self::Seen { time: now.max(time), at },
            Self::Jumped { .. } => return,
        };
    }

    /// A slice was not swept, as the clock showed more than it may, when the store was swept last at `swept_at`.
    pub(super) fn alarm(&mut self, alarm: &SweepError, swept_at: Option<Timestamp>) -> SweepOutcome {
        if let Self::Starting { .. } = self {
            if self.is_to_tell() {
                error!(
                    %alarm,
                    "nothing is swept: by this clock the last sweep was more than 30 days ago; set the clock right, or, \
                     when it is right, run: regrant trust-clock"
                );
            }
            return SweepOutcome::ClockDoubted;
        }
        error!(
            %alarm,
            "nothing is swept: the clock jumped, or the machine slept; set the clock right, and when it is right, run: \
             regrant trust-clock"
        );
        *self = Self::Jumped { swept_at };
        SweepOutcome::ClockJumped
    }

    /// Whether it is the first time since the start.
    fn is_to_tell(&mut self) -> bool {
        match self {
            Self::Starting { has_told, .. } => !std::mem::replace(has_told, true),
            Self::Seen { .. } | Self::Jumped { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::{CLOCK_AHEAD_SECONDS_MAX, UNSWEPT_SECONDS_MAX};
    use regrant_store::Removed;

    use super::*;
    use crate::SWEEP_DOUBT_PAUSE_SECONDS;
    use crate::sweep::tests::{pass, sweeper};
    use crate::world::World;

    const DAY_SECONDS: u32 = 24 * 60 * 60;

    #[tokio::test]
    async fn a_clock_that_jumps_stops_the_sweep_until_it_is_said_to_be_right() {
        for (why, ahead_seconds, passed_seconds, stops) in [
            ("it goes right", 0, 10 * DAY_SECONDS, false),
            ("it is put right", i64::from(CLOCK_AHEAD_SECONDS_MAX), 60, false),
            ("it jumped", i64::from(CLOCK_AHEAD_SECONDS_MAX) + 1, 60, true),
            ("it was put back", -i64::from(DAY_SECONDS), 60, false),
        ] {
            let world = World::new().await;
            let sweeper = sweeper(&world).await;
            pass(&sweeper).await;
            let started = world.now();
            world.clock.advance_seconds(passed_seconds);
            world.clock.jump_to(world.now().plus_seconds(ahead_seconds));
            let has_stopped = sweeper.sweep_slice().await == SweepOutcome::ClockJumped;
            assert_eq!(has_stopped, stops, "{why}");
            world.clock.jump_to(started.plus_seconds(i64::from(passed_seconds)));
            let has_stopped = sweeper.sweep_slice().await == SweepOutcome::ClockJumped;
            assert_eq!(has_stopped, stops, "{why}, and then it is right again");
            world.server.trust_clock().await.unwrap();
            pass(&sweeper).await;
            // From then on it is watched again.
            world.clock.jump_to(world.now().plus_seconds(i64::from(DAY_SECONDS)));
            assert_eq!(sweeper.sweep_slice().await, SweepOutcome::ClockJumped, "{why}, is said to be right, and jumps");
        }
        assert_eq!(SweepOutcome::ClockJumped.pause(), Duration::from_secs(SWEEP_DOUBT_PAUSE_SECONDS));
    }

    #[tokio::test]
    async fn the_clock_is_compared_with_the_slice_before() {
        let world = World::new().await;
        let sweeper = sweeper(&world).await;
        for _ in 0..10 {
            world.clock.jump_to(world.now().plus_seconds(i64::from(CLOCK_AHEAD_SECONDS_MAX)));
            assert_ne!(sweeper.sweep_slice().await, SweepOutcome::ClockJumped);
        }
    }

    #[tokio::test]
    async fn a_process_that_starts_with_a_clock_far_ahead_sweeps_nothing_until_that_is_said_to_be_right() {
        let at_most = UNSWEPT_SECONDS_MAX;
        for (why, ahead_seconds, is_doubted) in [
            ("it is a month later", i64::from(at_most), false),
            ("it is later still, or the clock is wrong", i64::from(at_most) + 1, true),
            ("the clock is behind", -i64::from(at_most), false),
        ] {
            let world = World::new().await;
            let swept_at = world.now();
            pass(&sweeper(&world).await).await;
            let token = world.redeem(&world.code().await, "").await.unwrap();
            world.clock.jump_to(swept_at.plus_seconds(ahead_seconds));
            for start in 0..2 {
                let outcome = world.server.sweeper().sweep_slice().await;
                assert_eq!(outcome == SweepOutcome::ClockDoubted, is_doubted, "{why}, at start {start}");
            }
            if !is_doubted {
                continue;
            }
            // Set right, it goes on, and nothing was lost.
            let sweeper = world.server.sweeper();
            assert_eq!(sweeper.sweep_slice().await, SweepOutcome::ClockDoubted);
            world.clock.jump_to(swept_at);
            assert_eq!(pass(&sweeper).await, Removed::default());
            assert!(world.refresh(&token, "").await.is_ok());
            // Said to be right, whoever is told, it goes on too.
            world.clock.jump_to(swept_at.plus_seconds(ahead_seconds));
            let running = world.server.sweeper();
            assert_eq!(running.sweep_slice().await, SweepOutcome::ClockDoubted);
            assert_eq!(world.server.trust_clock().await, Ok(()));
            assert_eq!(pass(&running).await.grants, 1);
        }
        assert_eq!(SweepOutcome::ClockDoubted.pause(), Duration::from_secs(SWEEP_DOUBT_PAUSE_SECONDS));
    }

    #[tokio::test]
    async fn a_clock_that_jumped_is_doubted_by_the_next_process_too() {
        let world = World::new().await;
        let first = sweeper(&world).await;
        pass(&first).await;
        world.clock.jump_to(world.now().plus_seconds(i64::from(UNSWEPT_SECONDS_MAX) + 1));
        assert_eq!(first.sweep_slice().await, SweepOutcome::ClockJumped);
        let second = world.server.sweeper();
        assert_eq!(second.sweep_slice().await, SweepOutcome::ClockDoubted);
        world.server.trust_clock().await.unwrap();
        for sweeper in [first, second] {
            pass(&sweeper).await;
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_behind_at_the_start_may_be_set_right_at_any_time() {
        let world = World::new().await;
        pass(&sweeper(&world).await).await;
        let swept_at = world.now();
        world.clock.jump_to(swept_at.plus_seconds(-20 * i64::from(DAY_SECONDS)));
        let sweeper = world.server.sweeper();
        for _ in 0..3 {
            pass(&sweeper).await;
        }
        world.clock.jump_to(swept_at.plus_seconds(i64::from(DAY_SECONDS)));
        pass(&sweeper).await;
        // From now on it is watched.
        world.clock.jump_to(world.now().plus_seconds(i64::from(DAY_SECONDS)));
        assert_eq!(sweeper.sweep_slice().await, SweepOutcome::ClockJumped);
    }

    #[tokio::test]
    async fn a_store_that_was_never_swept_is_swept_an_hour_after_the_start() {
        let world = World::new().await;
        let sweeper = world.server.sweeper();
        let wait = |seconds| SweepOutcome::NotYet(Duration::from_secs(seconds));
        assert_eq!(sweeper.sweep_slice().await, wait(3_600));
        assert_eq!(wait(3_600).pause(), Duration::from_secs(3_600));
        // A clock that is set meanwhile is no jump, forward or back.
        world.clock.jump_to(world.now().plus_seconds(1_000 * i64::from(DAY_SECONDS)));
        world.clock.advance_seconds(3_599);
        assert_eq!(sweeper.sweep_slice().await, wait(1));
        world.clock.advance_seconds(1);
        pass(&sweeper).await;
        assert_eq!(world.server.store.swept_at().await, Ok(Some(world.now())));
        pass(&world.server.sweeper()).await;
    }
}
