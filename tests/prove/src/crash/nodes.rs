use std::mem;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use regrant_crypto::{SeededEntropy, random};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::doors::Doors;
use super::fleet::Fleet;
use super::mortals::Mortals;
use super::program::Program;
use super::taken_back::{Lost, TakenBack};
use crate::crowd::{Crowd, Nodes};
use crate::history::{Tokens, tell};
use crate::race::median;
use crate::report::{Entry, Report};
use crate::rows::{alive, unrecorded};
use crate::scale::Scale;
use crate::waiting::becomes_so;
use crate::world::NODES;

/// Once in so many rounds all nodes are killed at once.
const ROUNDS_UNTIL_ALL: usize = 4;

/// How long the load goes on after everybody was served, at most, in milliseconds.
const LOAD_MILLISECONDS_MAX: u16 = 300;

/// How long a node stays dead, at most, in milliseconds.
const DEATH_MILLISECONDS_MAX: u16 = 100;

/// One restart of so many is killed before the node may have come to listen.
const STILLBORN_LIVES: u8 = 4;

/// How long such a start goes on, at most, in milliseconds.
const START_MILLISECONDS_MAX: u16 = 100;

/// How many grants are revoked in a round.
const REVOKED_IN_ROUND: usize = 4;

/// How often such a grant is refreshed before, at most.
const REFRESHES_BEFORE_REVOCATION_MAX: u8 = 16;

/// How many kills a planted fault has to be found in.
const PLANTED_KILLS: usize = 4;

/// T-01 with several nodes: each is killed again and again under load, and what one has answered holds at the others and in its
/// next life. Then what was answered is taken out of the database, which has to be found.
pub(super) async fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let (kills, clients) = match scale {
        Scale::Ci => (40, 64),
        Scale::Night => (400, 128),
        Scale::Gate => (2_000, 192),
    };
    if RANDOM.contains(only) {
        let entry = begin(RANDOM);
        let mut run = Run::begin(clients, seed).await?;
        while run.kills < kills && run.violations.is_empty() {
            run.kill(None).await?;
        }
        // With fewer requests in flight, in the middle, kills at random moments mean little.
        run.close(entry, clients / 2, report).await;
    }
    for (name, fault) in [
        (LOST_ROTATION, TakenBack::Rotation),
        (LOST_REVOCATION, TakenBack::Revocation),
        (LOST_RECORD, TakenBack::Record),
    ] {
        if name.contains(only) {
            let entry = begin(name);
            let mut run = Run::begin(clients, seed).await?;
            while run.kills < PLANTED_KILLS && run.times_caught == 0 {
                run.kill(Some(fault)).await?;
            }
            run.close_planted(entry, fault, report).await;
        }
    }
    Ok(())
}

const RANDOM: &str = "kill_nodes_at_random";
const LOST_ROTATION: &str = "lost_rotation_must_be_caught";
const LOST_REVOCATION: &str = "lost_revocation_must_be_caught";
const LOST_RECORD: &str = "lost_record_must_be_caught";

fn begin(name: &str) -> Entry {
    let mut entry = Entry::begin(super::KIND, name);
    entry.add("store", "postgres");
    entry.add("nodes", NODES);
    entry
}

/// Lives of the nodes of one database, under load.
struct Run {
    fleet: Fleet,
    doors: Arc<Doors>,
    crowd: Arc<Crowd>,
    clients: JoinSet<()>,
    mortals: Mortals,
    chance: SeededEntropy,
    rounds: usize,
    kills: usize,
    kills_at_start: usize,
    in_flight: Vec<usize>,
    /// How many revocations were answered in a round before its kill; the others come after it, or are under way.
    revoked_before_kill: usize,
    violations: Vec<String>,
    /// How often the look that a planted fault is for has found it.
    times_caught: usize,
}

impl Run {
    /// Starts the nodes, logs every client in, and lets them refresh.
    async fn begin(clients: usize, seed: u64) -> Result<Self> {
        let fleet = Fleet::start(Program::build()?)?;
        let doors = fleet.doors();
        let mut logins = Vec::new();
        for _ in 0..clients {
            logins.push(doors.log_in().await?);
        }
        let nodes: Arc<dyn Nodes> = Arc::clone(&doors) as _;
        let (crowd, clients) = Crowd::start(&nodes, logins, seed);
        Ok(Self {
            mortals: Mortals::new(Arc::clone(&doors), Arc::clone(&crowd)),
            fleet,
            doors,
            crowd,
            clients,
            chance: SeededEntropy::new(seed),
            rounds: 0,
            kills: 0,
            kills_at_start: 0,
            in_flight: Vec::new(),
            revoked_before_kill: 0,
            violations: Vec::new(),
            times_caught: 0,
        })
    }

    /// Kills a node, or all, while grants are refreshed and revoked, compares the rows with what was answered, and goes on when everybody is
    /// served again. A fault is planted before the rows are looked at, and the nodes stay dead once it is found.
    async fn kill(&mut self, fault: Option<TakenBack>) -> Result<()> {
        let revoked = self.mortals.revoked().len();
        for login in self.log_in(REVOKED_IN_ROUND).await? {
            let [refreshes] = random(&self.chance);
            self.mortals.admit(login, refreshes % REFRESHES_BEFORE_REVOCATION_MAX);
        }
        let load = self.at_most(LOAD_MILLISECONDS_MAX);
        sleep(load).await;
        if fault.is_some() && !becomes_so(|| !self.mortals.revoked().is_empty()).await {
            self.violations.push("nothing was revoked".to_owned());
        }
        self.in_flight.push(self.crowd.in_flight.count());
        self.revoked_before_kill += self.mortals.revoked().len() - revoked;
        let is_all = self.rounds % ROUNDS_UNTIL_ALL == ROUNDS_UNTIL_ALL - 1;
        let dying = if is_all { (0..NODES).collect() } else { vec![self.rounds % NODES] };
        self.rounds += 1;
        for node in &dying {
            self.fleet.kill(*node)?;
            self.kills += 1;
        }
        if let Some(fault) = fault {
            fault.plant(&self.fleet);
        }
        self.crowd.mark(self.doors.now());
        let lost = self.look();
        if let Some(fault) = fault {
            self.times_caught += fault.count_in(&lost);
            if self.times_caught > 0 {
                // The nodes may have found it too: a token that is ahead of its row stops the store, and no node starts on it any more.
                return Ok(());
            }
        }
        sleep(self.at_most(DEATH_MILLISECONDS_MAX)).await;
        for node in dying {
            self.restart(node)?;
        }
        if self.violations.is_empty()
            && let Err(left) = self.crowd.recovers().await
        {
            self.violations.push(format!("{left} clients were not served again"));
        }
        self.violations.extend(self.mortals.end().await);
        Ok(())
    }

    /// Grants that are there to be revoked.
    async fn log_in(&self, count: usize) -> Result<Vec<Tokens>> {
        let begin = |_| {
            let doors = Arc::clone(&self.doors);
            async move { doors.log_in().await }
        };
        let logins: JoinSet<_> = (0..count).map(begin).collect();
        logins.join_all().await.into_iter().collect()
    }

    /// What was answered before is in the rows, and what was revoked in the journal too.
    fn look(&mut self) -> Lost {
        let revoked = self.mortals.revoked();
        let losers = self.crowd.losers(|select| self.fleet.sql(select));
        let lost = Lost {
            rotations: losers.len(),
            revocations: alive(&revoked, |select| self.fleet.sql(select)),
            records: unrecorded(&revoked, |select| self.fleet.journal_sql(select)),
        };
        let losers = losers.into_iter().map(|seat| format!("an acknowledged rotation was lost: {seat:?}"));
        self.violations.extend(losers);
        let Lost { revocations, records, .. } = lost;
        if revocations > 0 {
            self.violations.push(format!("{revocations} grants are alive that were revoked"));
        }
        if records > 0 {
            self.violations.push(format!("{records} grants were revoked, and the journal does not say so"));
        }
        lost
    }

    /// Starts a node that was killed, at times after a start that is killed too.
    fn restart(&mut self, node: usize) -> Result<()> {
        let [stillborn] = random(&self.chance);
        if stillborn.is_multiple_of(STILLBORN_LIVES) {
            self.fleet.restart_and_kill(node, self.at_most(START_MILLISECONDS_MAX))?;
            self.kills_at_start += 1;
        }
        self.fleet.restart(node)
    }

    /// Any time up to so many milliseconds.
    fn at_most(&self, milliseconds: u16) -> Duration {
        Duration::from_millis((u16::from_be_bytes(random(&self.chance)) % milliseconds).into())
    }

    /// Prints what was found. Fewer requests in flight than `in_flight_min`, in the middle, are a violation.
    async fn close(mut self, mut entry: Entry, in_flight_min: usize, report: &mut Report) {
        self.look();
        self.end(&mut entry).await;
        if median(self.in_flight.clone()) < in_flight_min {
            self.violations.push("too few requests were in flight".to_owned());
        }
        if self.revoked_before_kill == 0 || self.revoked_before_kill == self.mortals.revoked().len() {
            self.violations.push("no grant was revoked before a kill, or none after".to_owned());
        }
        let unreadable = self.doors.unreadable();
        if unreadable > 0 {
            self.violations.push(format!("{unreadable} answers were neither tokens nor a refusal"));
        }
        tell(&mut entry, &self.violations);
        report.close(entry, self.kills, self.violations.len());
    }

    /// Prints what was found of a planted fault: that the look for it has found nothing is a violation.
    async fn close_planted(mut self, mut entry: Entry, fault: TakenBack, report: &mut Report) {
        self.end(&mut entry).await;
        entry.add("planted_fault", fault.name());
        entry.add("times_caught", self.times_caught);
        tell(&mut entry, &self.violations);
        report.close(entry, self.kills, usize::from(self.times_caught == 0));
    }

    /// Ends the clients, and adds what makes the count mean something.
    async fn end(&mut self, entry: &mut Entry) {
        let found = self.crowd.close(mem::take(&mut self.clients), entry).await;
        self.violations.extend(found.by_clients.into_iter().chain(found.in_histories));
        entry.add("in_flight_at_kill", median(self.in_flight.clone()));
        entry.add("kills_at_start", self.kills_at_start);
        entry.add("grants_revoked", self.mortals.revoked().len());
        entry.add("grants_revoked_before_kill", self.revoked_before_kill);
    }
}
