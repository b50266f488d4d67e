use std::mem;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use regrant_grant::{GrantId, Write};
use regrant_store::{Scene, StoreError, Target, decide_in};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::alarm::Alarm;
use super::origin;
use super::pair::{Failure, Pair};
use super::revocations::{Revocations, alive, taken};
use super::site::Site;
use crate::crowd::{Crowd, Nodes, Seat};
use crate::history::{Operation, Tokens, tell};
use crate::race::median;
use crate::report::{Entry, Report};
use crate::waiting::{becomes_so, comes_to_be};
use crate::world::{Login, NODES, World};

/// How often every client is served, at least, while the primary that was paused goes on and takes itself for the primary still.
/// What it would answer is older than what the clients have.
const ROUNDS_AFTER_RESUMPTION: usize = 20;

/// How long a node may take to say that it decides nothing: one that waits for its database does not say so.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// For how long a rotation that is made again gives the access token that the lost one gave, so that nobody could tell them apart: access
/// tokens tell seconds.
const TOKENS_ALIKE: Duration = Duration::from_secs(1);

/// How many clients log in at once.
const LOGINS_AT_ONCE: usize = 8;

/// Fail-overs of one database, under load.
pub(super) struct Run {
    clients: JoinSet<()>,
    crowd: Arc<Crowd>,
    world: Arc<World>,
    alarm: Arc<Alarm>,
    pair: Pair,
    site: Site,
    revoked: Vec<Login>,
    pub(super) fail_overs: usize,
    in_flight: Vec<usize>,
    outages: Vec<u64>,
    rotations_lost: usize,
    /// How many grants were revoked before a failure.
    revoked_before: usize,
    revocations_lost: usize,
    violations: Vec<String>,
}

impl Run {
    /// Starts primary, standby and nodes, logs every client in, and lets them refresh.
    pub(super) async fn begin(clients: usize, seed: u64) -> Result<Self> {
        let pair = Pair::start().await?;
        let alarm = Arc::<Alarm>::default();
        let site = Site::new(pair.address()?);
        let world = Arc::new(World::open(site.open().await?, None, Some(Arc::clone(&alarm) as _)).await?);
        let mut logins = Vec::new();
        let mut running = JoinSet::new();
        let mut origins = (0..clients).map(origin);
        while logins.len() < clients {
            for origin in origins.by_ref().take(LOGINS_AT_ONCE - running.len()) {
                let world = Arc::clone(&world);
                running.spawn(async move { world.begin(origin).await });
            }
            logins.push(running.join_next().await.context("a login was begun")???);
        }
        let tokens = logins.iter().map(|login| login.tokens.clone()).collect();
        let nodes: Arc<dyn Nodes> = Arc::new(NodesOfWorld { world: Arc::clone(&world), logins });
        let (crowd, clients) = Crowd::start(&nodes, tokens, seed);
        let (in_flight, outages, violations) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            clients,
            crowd,
            world,
            alarm,
            pair,
            site,
            revoked: Vec::new(),
            fail_overs: 0,
            in_flight,
            outages,
            rotations_lost: 0,
            revoked_before: 0,
            revocations_lost: 0,
            violations,
        })
    }

    /// Lets the primary fail once everything is at the standby, which takes over, and while grants are revoked: of some that was answered,
    /// and of the others not.
    ///
    /// # Errors
    /// When there are no grants to revoke, or none can be revoked.
    pub(super) async fn fail_over(&mut self, failure: Failure) -> Result<()> {
        self.pair.wait_for_standby();
        let mut revocations = Revocations::prepare(&self.world).await?.go(&self.world);
        self.revoked_before += revocations.are_under_way().await?;
        let failed_at = self.fail(failure, Duration::ZERO).await;
        let crowd = Arc::clone(&self.crowd);
        let losers = crowd.losers(|select| self.pair.promoted(select));
        self.rotations_lost += losers.len();
        self.violations.extend(losers.into_iter().map(|seat| format!("an acknowledged rotation was lost: {seat:?}")));
        if let Err(left) = crowd.recovers().await {
            self.violations.push(format!("{left} clients were not served again"));
        }
        let recovered = crowd.seats().iter().filter_map(Seat::recovered_at);
        self.outages.extend(recovered.map(|at| at.saturating_sub(failed_at) / NANOSECONDS));
        let revoked = self.end_revocations(revocations).await;
        if failure == Failure::Paused {
            self.pair.resume();
            for _ in 0..ROUNDS_AFTER_RESUMPTION {
                crowd.mark(self.world.now());
                if crowd.recovers().await.is_err() {
                    self.violations.push("a primary that was replaced keeps nodes busy".to_owned());
                }
            }
        }
        let found = taken(&self.world, &revoked).await;
        if !matches!(found, Ok(0)) {
            self.violations.push(format!("revoked tokens are taken, or not answered: {found:?}"));
        }
        self.revoked.extend(revoked);
        let alive = alive(&self.pair, &self.revoked);
        if alive > 0 {
            self.violations.push(format!("{alive} grants are alive that were revoked"));
        }
        self.pair.replace();
        Ok(())
    }

    /// Waits until each revocation is answered; those that were.
    async fn end_revocations(&mut self, revocations: Revocations) -> Vec<Login> {
        let (revoked, unanswered) = revocations.end().await;
        if unanswered > 0 {
            self.violations.push(format!("{unanswered} revocations were not answered"));
        }
        revoked
    }

    /// Lets the primary fail while its standby is behind, and looks whether every loss is noticed.
    ///
    /// # Errors
    /// When there are no grants to revoke.
    pub(super) async fn fail_over_with_loss(&mut self) -> Result<()> {
        let revocations = Revocations::prepare(&self.world).await?;
        self.pair.stop_following();
        let revoked = self.end_revocations(revocations.go(&self.world)).await;
        let before: Vec<usize> = self.crowd.seats().iter().map(Seat::answers).collect();
        let crowd = Arc::clone(&self.crowd);
        let all_went_on = || crowd.seats().iter().zip(&before).all(|(seat, before)| seat.answers() > *before);
        if !becomes_so(all_went_on).await {
            self.violations.push("the clients did not go on without a standby".to_owned());
        }
        self.fail(Failure::Killed, TOKENS_ALIKE).await;
        self.revocations_lost = alive(&self.pair, &revoked);
        let losers = crowd.losers(|select| self.pair.promoted(select));
        self.rotations_lost += losers.len();
        // The retry of a rotation that was lost is that rotation, and has the same refresh token.
        let is_noticed = |seat: &&Seat| seat.unavailable() > 0 || seat.is_rotated_again();
        if !becomes_so(|| losers.iter().all(is_noticed)).await {
            self.violations.push("a client whose rotation was lost was not answered 503".to_owned());
        }
        let is_served = |seat: &&&Seat| seat.recovered_at().is_some() && !seat.is_rotated_again();
        let served = losers.iter().filter(is_served).count();
        if served > 0 {
            self.violations.push(format!("{served} clients were served as if nothing was lost"));
        }
        // A token that was ahead a moment after the other server was met may be ahead of a row that was read at the one before: it
        // stops nobody. The next does, and every node hears of it.
        let are_stopped = async || {
            for store in self.world.stores() {
                let nothing = |_: &Scene<'_>| ((), Write::Nothing);
                let asked = decide_in(store, Target::Grant(GrantId([0; 16])), None, nothing);
                if timeout(ANSWER_MAX, asked).await != Ok(Err(StoreError::RolledBack)) {
                    return false;
                }
            }
            true
        };
        if !comes_to_be(are_stopped).await {
            self.violations.push("a node goes on after the loss".to_owned());
        }
        Ok(())
    }

    /// Lets the primary fail and the standby take over after a pause; when it failed.
    async fn fail(&mut self, failure: Failure, pause: Duration) -> u64 {
        self.in_flight.push(self.crowd.in_flight.count());
        let failed_at = self.world.now();
        self.pair.fail(failure);
        sleep(pause).await;
        self.pair.promote();
        self.crowd.mark(self.world.now());
        self.fail_overs += 1;
        failed_at
    }

    /// Prints what was found. Fewer requests in flight than `in_flight_min`, in the middle, are a violation.
    pub(super) async fn close(mut self, mut entry: Entry, in_flight_min: usize, report: &mut Report) {
        let (in_flight, contradictions) = self.end(&mut entry).await;
        self.violations.extend(contradictions);
        if in_flight < in_flight_min {
            let told = format!("in the middle, {in_flight} requests were in flight, and {in_flight_min} are needed");
            self.violations.push(told);
        }
        let alarms = self.alarm.grants().len();
        if alarms > 0 {
            self.violations.push(format!("the tokens of {alarms} grants were found to be ahead of their rows"));
        }
        let refused = self.site.refused().await;
        if !matches!(refused, Ok(0)) {
            self.violations.push(format!("nodes would be refused beside their marks and journal: {refused:?}"));
        }
        let (revoked, records) = (self.revoked.len(), self.site.record());
        // One says that there is a journal.
        if records != revoked as u64 + 1 {
            self.violations.push(format!("{revoked} grants were revoked, and the journal has {records} records"));
        }
        entry.add("grants_revoked", revoked);
        entry.add("grants_revoked_before_failure", self.revoked_before);
        tell(&mut entry, &self.violations);
        report.close(entry, self.fail_overs, self.violations.len());
    }

    /// Prints what was found where something had to be lost: that nothing was is a violation.
    pub(super) async fn close_planted(mut self, mut entry: Entry, report: &mut Report) {
        let (_, contradictions) = self.end(&mut entry).await;
        let alarms = self.alarm.grants().len();
        if self.rotations_lost == 0 || self.revocations_lost == 0 {
            let Self { rotations_lost, revocations_lost, .. } = &self;
            self.violations.push(format!("{rotations_lost} rotations and {revocations_lost} revocations were lost"));
        }
        let refused = self.site.refused().await;
        if !matches!(refused, Ok(NODES)) {
            self.violations
                .push(format!("nodes would be started after the loss, or cannot be: {refused:?} are refused"));
        }
        tell(&mut entry, &self.violations);
        entry.add("planted_fault", "asynchronous_standby");
        entry.add("grants_found_rolled_back", alarms);
        entry.add("contradictions", contradictions.len());
        entry.add("revocations_lost", self.revocations_lost);
        entry.add("times_caught", self.rotations_lost);
        report.close(entry, self.fail_overs, self.violations.len());
    }

    /// Ends the clients, adds what makes the count mean something, and returns how many requests were in flight in the middle, and
    /// what a lost rotation shows in.
    async fn end(&mut self, entry: &mut Entry) -> (usize, Vec<String>) {
        let found = self.crowd.close(mem::take(&mut self.clients), entry).await;
        self.violations.extend(found.by_clients);
        let in_flight = median(self.in_flight.clone());
        let least = self.in_flight.iter().min().copied();
        self.outages.sort_unstable();
        entry.add("nodes", NODES);
        entry.add("in_flight_at_failure", in_flight);
        entry.add("in_flight_at_failure_min", least);
        entry.add("rotations_lost", self.rotations_lost);
        entry.add("outage_milliseconds_p50", self.outages.get(self.outages.len() / 2).copied());
        entry.add("outage_milliseconds_max", self.outages.last().copied());
        (in_flight, found.in_histories)
    }
}

/// In a millisecond.
const NANOSECONDS: u64 = 1_000_000;

/// The nodes of a world, and who asks there.
struct NodesOfWorld {
    world: Arc<World>,
    logins: Vec<Login>,
}

#[async_trait]
impl Nodes for NodesOfWorld {
    async fn refresh(&self, client: usize, presented: &Tokens) -> (Operation, Option<Tokens>) {
        self.world.refresh(&self.logins[client], presented).await
    }
}
