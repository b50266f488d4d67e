use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use regrant_crypto::{SeededEntropy, random};
use regrant_store_sqlite::Failpoint;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::chain::Chain;
use super::life::{Life, Proved};
use super::program::{Program, Server};
use super::request::log_in;
use crate::history::{Judge, Stopwatch, tell};
use crate::race::median;
use crate::report::{Entry, Report};

/// How long a life may take until every chain has seen what the last one left.
const PROOF_SECONDS_MAX: u64 = 30;

/// How long a life may take until it comes to its failpoint.
const FAILPOINT_SECONDS_MAX: u64 = 30;

/// How long the load goes on after every chain has seen what the last life left, at most, in milliseconds.
const LOAD_MILLISECONDS_MAX: u16 = 200;

/// One life of so many is killed at any moment, whether or not every chain has seen what the last one left.
const HASTY_LIVES: u8 = 4;

/// Before one life of so many there is one that is killed while it starts.
const STILLBORN_LIVES: u8 = 16;

/// How long such a start goes on, at most, in milliseconds.
const START_MILLISECONDS_MAX: u16 = 40;

/// How often a failpoint may be passed before the load begins.
const HITS_BEFORE_LOAD_MAX: u16 = 60;

/// How often it is passed under load, at most, before it is the end.
const HITS_UNDER_LOAD_MAX: u16 = 100;

/// Lives of one data directory.
pub(super) struct Run {
    program: Program,
    directory: TempDir,
    stopwatch: Stopwatch,
    chance: SeededEntropy,
    chains_logged_in: usize,
    chains: Vec<Chain>,
    pub(super) kills: usize,
    kills_at_start: usize,
    in_flight: Vec<usize>,
    proved: Proved,
    judge: Judge,
    pub(super) violations: Vec<String>,
}

impl Run {
    /// Makes a data directory, and logs every chain in.
    pub(super) async fn begin(program: Program, chains: usize, seed: u64) -> Result<Self> {
        let mut run = Self {
            program,
            directory: tempfile::tempdir().context("the temporary directory cannot be written")?,
            stopwatch: Stopwatch::start(),
            chance: SeededEntropy::new(seed),
            chains_logged_in: chains,
            chains: Vec::new(),
            kills: 0,
            kills_at_start: 0,
            in_flight: Vec::new(),
            proved: Proved::default(),
            judge: Judge::default(),
            violations: Vec::new(),
        };
        let mut server = run.start(&[])?.context("the program died before it listened")?;
        let life = Life::new(server.address, run.stopwatch, false);
        for _ in 0..chains {
            let tokens = log_in(&life).await?.context("a login was refused")?;
            run.chains.push(Chain::new(tokens, run.next_seed()));
        }
        server.kill()?;
        Ok(run)
    }

    /// One life, killed at a random moment.
    pub(super) async fn live_until_killed(&mut self, environment: &[(&str, String)]) -> Result<()> {
        let [stillborn, hasty, load @ .., start_low, start_high] = random::<6>(&self.chance);
        if stillborn.is_multiple_of(STILLBORN_LIVES) {
            let after = u16::from_be_bytes([start_low, start_high]) % START_MILLISECONDS_MAX;
            let after = Duration::from_millis(after.into());
            let (data, log) = (self.data(), self.log());
            Server::start_and_kill(&self.program, &data, &log, after)?;
            self.kills_at_start += 1;
        }
        let Some(mut server) = self.start(environment)? else {
            // As when a token tells that what was answered is gone: then the store is not served any more.
            let told = fs::read_to_string(self.log()).unwrap_or_default();
            let last = told.trim_end().lines().last().unwrap_or_default();
            self.violations.push(format!("the program died before it listened: {last}"));
            return Ok(());
        };
        let life = Arc::new(Life::new(server.address, self.stopwatch, false));
        self.add_mortal(&life).await?;
        let living = self.spawn(&life);
        if !hasty.is_multiple_of(HASTY_LIVES) {
            self.wait_for_proofs(&life, living.len()).await;
        }
        sleep(Duration::from_millis((u16::from_be_bytes(load) % LOAD_MILLISECONDS_MAX).into())).await;
        life.announce_end();
        self.in_flight.push(life.in_flight.count());
        server.kill()?;
        self.kills += 1;
        self.gather(&life, living).await
    }

    /// One life that comes to its end at `failpoint`.
    pub(super) async fn live_until(&mut self, failpoint: Failpoint) -> Result<()> {
        let [low, high] = random(&self.chance);
        let later = HITS_BEFORE_LOAD_MAX + u16::from_be_bytes([low, high]) % HITS_UNDER_LOAD_MAX;
        let is_at_start = matches!(failpoint, Failpoint::Migrated | Failpoint::CheckpointedAtStart);
        let is_rare = matches!(failpoint, Failpoint::BeforeCheckpoint | Failpoint::AfterCheckpoint);
        let count = if is_at_start || is_rare { 1 } else { later };
        let environment = [("REGRANT_FAILPOINT", format!("{}:{count}", failpoint.name()))];
        self.kills += 1;
        let started = self.start(&environment)?;
        if started.is_some() == is_at_start {
            self.violations.push(format!("{} came at another time than it should", failpoint.name()));
        }
        let Some(mut server) = started else {
            self.kills_at_start += 1;
            return Ok(());
        };
        let life = Arc::new(Life::new(server.address, self.stopwatch, true));
        self.add_mortal(&life).await?;
        let living = self.spawn(&life);
        let begun = self.stopwatch.seconds();
        let mut in_flight = 0;
        while !server.is_dead()? {
            in_flight = life.in_flight.count();
            if self.stopwatch.seconds() - begun > FAILPOINT_SECONDS_MAX as f64 {
                self.violations.push(format!("{} was not reached", failpoint.name()));
                server.kill()?;
            }
            sleep(Duration::from_millis(1)).await;
        }
        self.in_flight.push(in_flight);
        self.gather(&life, living).await
    }

    /// A grant that is revoked in this life or a later one. It also lets the server meet the client's secret for the
    /// first time, which costs more than all the others.
    async fn add_mortal(&mut self, life: &Life) -> Result<()> {
        if let Some(tokens) = log_in(life).await? {
            let seed = self.next_seed();
            self.chains.push(Chain::mortal(tokens, seed));
        }
        Ok(())
    }

    fn spawn(&mut self, life: &Arc<Life>) -> JoinSet<Chain> {
        self.chains.drain(..).map(|chain| chain.live(Arc::clone(life))).collect()
    }

    async fn wait_for_proofs(&mut self, life: &Life, chains: usize) {
        let begun = self.stopwatch.seconds();
        while life.chains_seen() < chains {
            if self.stopwatch.seconds() - begun > PROOF_SECONDS_MAX as f64 {
                self.violations.push(format!("within {PROOF_SECONDS_MAX} s not every chain was answered"));
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Takes the chains back from a life that is over.
    async fn gather(&mut self, life: &Life, mut living: JoinSet<Chain>) -> Result<()> {
        let death = life.now();
        while let Some(chain) = living.join_next().await {
            let mut chain = chain?;
            chain.bury(death);
            self.violations.extend(chain.take_violations());
            self.judge.hear(&chain.take_history(), &self.chance);
            if chain.goes_on() {
                self.chains.push(chain);
            }
        }
        let Proved { acknowledged, retries, revoked, unavailable } = life.proved();
        self.proved.acknowledged += acknowledged;
        self.proved.retries += retries;
        self.proved.revoked += revoked;
        self.proved.unavailable += unavailable;
        Ok(())
    }

    /// A last life, in which every chain sees what the one before left.
    pub(super) async fn end(mut self) -> Result<Self> {
        let mut server = self.start(&[])?.context("the program died before it listened")?;
        let life = Arc::new(Life::new(server.address, self.stopwatch, false));
        self.add_mortal(&life).await?;
        let living = self.spawn(&life);
        self.wait_for_proofs(&life, living.len()).await;
        life.announce_end();
        server.kill()?;
        self.gather(&life, living).await?;
        Ok(self)
    }

    /// Prints what was found. Fewer requests in flight than `in_flight_min`, in the middle, are a violation.
    pub(super) fn close(mut self, mut entry: Entry, in_flight_min: usize, report: &mut Report) {
        let in_flight = self.describe(&mut entry);
        if in_flight < in_flight_min {
            let told = format!("in the middle, {in_flight} requests were in flight, and {in_flight_min} are needed");
            self.violations.push(told);
        }
        self.violations.extend(self.judge.violations());
        tell(&mut entry, &self.violations);
        report.close(entry, self.kills, self.violations.len());
    }

    /// Prints what was found of a planted fault: nothing is a violation.
    pub(super) fn close_planted(self, mut entry: Entry, report: &mut Report) {
        self.describe(&mut entry);
        tell(&mut entry, &self.violations);
        entry.add("planted_fault", "answer_before_commit");
        entry.add("times_caught", self.violations.len());
        report.close(entry, self.kills, usize::from(self.violations.is_empty()));
    }

    /// Adds what makes the count mean something, and returns how many requests were in flight in the middle.
    fn describe(&self, entry: &mut Entry) -> usize {
        let in_flight = median(self.in_flight.clone());
        entry.add("chains", self.chains_logged_in);
        entry.add("in_flight_at_kill", in_flight);
        entry.add("kills_at_start", self.kills_at_start);
        entry.add("acks_verified", self.proved.acknowledged + self.proved.retries);
        entry.add("retries_verified", self.proved.retries);
        entry.add("revocations_verified", self.proved.revoked);
        entry.add("answers_503", self.proved.unavailable);
        self.judge.describe(entry);
        in_flight
    }

    fn start(&self, environment: &[(&str, String)]) -> Result<Option<Server>> {
        Server::start(&self.program, &self.data(), &self.log(), environment)
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn next_seed(&self) -> u64 {
        u64::from_be_bytes(random(&self.chance))
    }
}
