//! Removing what ended long ago, slice by slice, beside the refreshes.
//!
//! By a clock that is ahead everything has ended. A refusal heals when the clock is set right, and what was removed does not
//! come back: so the clock is compared with the time that has passed since the slice before, and at the start of a process
//! with the last sweep that the store remembers.

mod clock_watch;
#[cfg(test)]
mod history;
mod run;

use std::sync::Arc;
use std::time::Duration;

use regrant_protocol::Clock;
use regrant_store::{Removed, Store, StoreError, Sweep, SweepError, SweepPosition, Swept};
use tokio::sync::Mutex;
use tracing::{info, warn};

use self::clock_watch::ClockWatch;
use crate::AuthorizationServer;
use crate::store_time::store_time;
use crate::take_over::TakeOvers;

/// How many rows a slice looks at: reading them takes less than a millisecond.
pub const SWEEP_ROWS_MAX: u32 = 200;
/// How long after a slice the next one comes.
pub const SWEEP_SLICE_PAUSE_MILLISECONDS: u64 = 100;
/// How long after everything was looked at it is looked at again.
pub const SWEEP_PASS_PAUSE_SECONDS: u64 = 60 * 60;
/// How long after a failure of the store a slice is tried again.
pub const SWEEP_FAILURE_PAUSE_SECONDS: u64 = 60;
/// How long after a doubt about the clock it is asked again whether somebody says that it is right.
pub const SWEEP_DOUBT_PAUSE_SECONDS: u64 = 60;
/// How long after its start a process sweeps a store that was never swept: by then the clock has been set.
pub const FIRST_SWEEP_AFTER_SECONDS: u64 = 60 * 60;

/// Sweeps a store: whoever runs the server lets [`Sweeper::run`] go on beside it.
pub struct Sweeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    take_overs: Arc<TakeOvers>,
    progress: Mutex<Progress>,
}

/// How far a sweep has come.
struct Progress {
    position: SweepPosition,
    /// What was removed since everything was looked at last.
    removed: Removed,
    watch: ClockWatch,
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
    /// The store was never swept, and the process has just begun: its clock may not have been set yet; or the store was restored,
    /// and recovers. How long that lasts, or how long to wait before looking again.
    NotYet(Duration),
    /// The clock is so far ahead of the last sweep that nothing is swept until it is set right, or somebody says that it is
    /// right: [`AuthorizationServer::trust_clock`].
    ClockDoubted,
    /// The clock jumped: nothing is swept until somebody says that it is right, or the process is started again.
    ClockJumped,
}

impl SweepOutcome {
    /// How long to wait before the next slice.
    #[must_use]
    pub const fn pause(&self) -> Duration {
        match self {
            Self::Slice(_) => Duration::from_millis(SWEEP_SLICE_PAUSE_MILLISECONDS),
            Self::Pass(_) => Duration::from_secs(SWEEP_PASS_PAUSE_SECONDS),
            Self::Failed(_) => Duration::from_secs(SWEEP_FAILURE_PAUSE_SECONDS),
            Self::NotYet(wait) => *wait,
            Self::ClockDoubted | Self::ClockJumped => Duration::from_secs(SWEEP_DOUBT_PAUSE_SECONDS),
        }
    }
}

impl AuthorizationServer {
    /// What removes from the store what ended long ago. There is to be one for a store.
    #[must_use]
    pub fn sweeper(&self) -> Sweeper {
        let (store, clock, take_overs) =
            (Arc::clone(&self.store), Arc::clone(&self.clock), Arc::clone(&self.take_overs));
        let watch = ClockWatch::starting(&*clock);
        let progress = Progress { position: SweepPosition::default(), removed: Removed::default(), watch };
        Sweeper { store, clock, take_overs, progress: Mutex::new(progress) }
    }

    /// Says that the clock is right, for somebody who compared it with another one. The store remembers it: a sweeper that
    /// has stopped because it does not believe the clock, in this process or the next, goes on within
    /// [`SWEEP_DOUBT_PAUSE_SECONDS`].
    ///
    /// # Errors
    /// When the store failed: then the doubt stays.
    pub async fn trust_clock(&self) -> Result<(), StoreError> {
        self.store.trust_clock().await?;
        info!("the clock is taken for right");
        Ok(())
    }
}

impl Sweeper {
    /// Sweeps the next slice. What it did is logged, and an alarm is raised when the clock cannot be believed.
    pub async fn sweep_slice(&self) -> SweepOutcome {
        // Whatever becomes of the slice: a secret is not to wait for a store, or for somebody who never comes.
        self.take_overs.forget_ended(self.clock.monotonic());
        match self.recovery_left().await {
            Ok(None) => {}
            Ok(Some(wait)) => return SweepOutcome::NotYet(wait),
            Err(failure) => return failed(failure),
        }
        let mut progress = self.progress.lock().await;
        let monotonic = self.clock.monotonic();
        let swept_at = match progress.watch {
            ClockWatch::Starting { .. } | ClockWatch::Jumped { .. } => match self.store.swept_at().await {
                Ok(swept_at) => swept_at,
                Err(failure) => return failed(failure),
            },
            ClockWatch::Seen { .. } => None,
        };
        let clock_at_most = match progress.watch.latest_credible(swept_at, &*self.clock) {
            Ok(clock_at_most) => clock_at_most,
            Err(outcome) => return outcome,
        };
        let slice = Sweep { from: progress.position.clone(), rows_max: SWEEP_ROWS_MAX, clock_at_most };
        match self.store.sweep(slice).await {
            Ok(swept) => {
                progress.watch.saw(swept.now, swept_at, monotonic);
                progress.go_on(swept)
            }
            Err(alarm @ SweepError::ClockAhead { .. }) => match self.store.swept_at().await {
                Ok(swept_at) => progress.watch.alarm(&alarm, swept_at),
                Err(failure) => failed(failure),
            },
            Err(SweepError::Store(failure)) => failed(failure),
        }
    }
}

impl Sweeper {
    /// How long the store still recovers from a restore, up to an hour: until then the rows say less than the tokens that may
    /// move them forward, so that what seems to have ended may live. By the store's clock, as for whoever comes forward.
    async fn recovery_left(&self) -> Result<Option<Duration>, StoreError> {
        let Some(recovery) = self.store.identity().epoch().recovery else { return Ok(None) };
        let left = recovery.until.milliseconds_since(store_time(&*self.store).await?);
        let left = u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis);
        Ok(left.map(|left| left.min(Duration::from_secs(SWEEP_PASS_PAUSE_SECONDS))))
    }
}

fn failed(failure: StoreError) -> SweepOutcome {
    warn!(%failure, "a slice was not swept");
    SweepOutcome::Failed(failure)
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
    use regrant_grant::{GrantId, GrantSecret, Realm, RecoverPublic, Recovery, Verdict};
    use regrant_protocol::{EpochNumber, ManualClock, Params, TokenResponse};
    use regrant_store::{Epoch, Renewal};
    use regrant_store_sqlite::{Genesis, SqliteStore, StagedStore, back_up};

    use super::*;
    use crate::TokenError;
    use crate::world::World;

    const DAY_SECONDS: u32 = 24 * 60 * 60;

    /// A sweeper of a store that was swept already.
    pub(super) async fn sweeper(world: &World) -> Sweeper {
        world.server.store.trust_clock().await.unwrap();
        world.server.sweeper()
    }

    /// One pass over everything; what it removed.
    pub(super) async fn pass(sweeper: &Sweeper) -> Removed {
        loop {
            match sweeper.sweep_slice().await {
                SweepOutcome::Slice(_) => {}
                SweepOutcome::Pass(removed) => return removed,
                stopped @ (SweepOutcome::Failed(_)
                | SweepOutcome::NotYet(_)
                | SweepOutcome::ClockDoubted
                | SweepOutcome::ClockJumped) => panic!("{stopped:?}"),
            }
        }
    }

    fn verdict(answer: Result<TokenResponse, TokenError>) -> Verdict {
        let Err(TokenError::Refresh { verdict, .. }) = answer else { panic!("it was not the rule that refused") };
        verdict
    }

    #[tokio::test]
    async fn a_store_recovers_as_long_as_its_own_clock_says() {
        let world = World::new().await;
        let (database, copy) = (world.data.path().join("regrant.db"), world.data.path().join("copy.db"));
        back_up(&database, &copy).unwrap();
        let staged = StagedStore::open(&copy, world.now()).unwrap();
        let until = world.now().plus_seconds(60);
        let recovery = Recovery { former: EpochNumber::FIRST, until, public: RecoverPublic::LogInAgain };
        let renewal = Renewal {
            epoch: Epoch { number: EpochNumber(2), random: [9; 16], recovery: Some(recovery) },
            counter: staged.standing().high_water.counter + 1,
            master_keys: staged.standing().announced_keys.clone(),
            replay_after: 0,
        };
        staged.renew(&renewal, None).unwrap();
        let genesis = Genesis { realm: Realm([0; 16]), epoch_random: [0; 16] };
        let store = SqliteStore::open(&copy, genesis, world.clock.clone()).unwrap();
        store.trust_clock().await.unwrap();
        let ahead = Arc::new(ManualClock::new(until.plus_seconds(1)));
        let watch = ClockWatch::starting(&*ahead);
        let progress = Progress { position: SweepPosition::default(), removed: Removed::default(), watch };
        let (take_overs, progress) = (Arc::clone(&world.server.take_overs), Mutex::new(progress));
        let sweeper = Sweeper { store: Arc::new(store), clock: ahead, take_overs, progress };
        assert_eq!(sweeper.sweep_slice().await, SweepOutcome::NotYet(Duration::from_secs(60)));
        world.clock.advance_seconds(60);
        assert_eq!(sweeper.sweep_slice().await, SweepOutcome::Slice(Removed::default()));
    }

    #[tokio::test]
    async fn t07_what_was_revoked_is_known_for_revoked_until_it_is_swept() {
        let world = World::new().await;
        let sweeper = sweeper(&world).await;
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
}
