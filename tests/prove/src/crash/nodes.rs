use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use regrant_crypto::{SeededEntropy, random};
use tokio::time::sleep;

use super::fleet::Fleet;
use super::program::Program;
use crate::crowd::{Crowd, Nodes};
use crate::history::tell;
use crate::race::median;
use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::world::NODES;

/// Once in so many rounds all nodes are killed at once.
const ROUNDS_UNTIL_ALL: usize = 4;

/// How long the load goes on after everybody was served, at most, in milliseconds.
const LOAD_MILLISECONDS_MAX: u16 = 300;

/// How long a node stays dead, at most, in milliseconds.
const DEATH_MILLISECONDS_MAX: u16 = 100;

/// How many kills the planted fault has to be found in.
const PLANTED_KILLS: usize = 4;

const RANDOM: &str = "kill_nodes_at_random";
const PLANTED: &str = "lost_rotation_must_be_caught";

/// T-01 with several nodes: each is killed again and again under load, and what one has answered holds at the others and in its
/// next life. Then a rotation that was answered is taken out of the database, which has to be found.
pub(super) async fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let (kills, clients) = match scale {
        Scale::Ci => (40, 64),
        Scale::Night => (400, 128),
        Scale::Gate => (2_000, 192),
    };
    for (name, kills, is_planted) in [(RANDOM, kills, false), (PLANTED, PLANTED_KILLS, true)] {
        if name.contains(only) {
            kill_nodes(Entry::begin(super::KIND, name), kills, clients, is_planted, seed, report).await?;
        }
    }
    Ok(())
}

async fn kill_nodes(
    mut entry: Entry,
    kills_min: usize,
    clients: usize,
    is_planted: bool,
    seed: u64,
    report: &mut Report,
) -> Result<()> {
    let mut fleet = Fleet::start(Program::build()?)?;
    let doors = fleet.doors();
    let mut logins = Vec::new();
    for _ in 0..clients {
        logins.push(fleet.log_in().await?);
    }
    let nodes: Arc<dyn Nodes> = Arc::clone(&doors) as _;
    let (crowd, running) = Crowd::start(&nodes, logins, seed);
    let chance = SeededEntropy::new(seed);
    let (mut kills, mut in_flight, mut violations, mut round) = (0, Vec::new(), Vec::new(), 0);
    while kills < kills_min && violations.is_empty() {
        let [load, death] = [LOAD_MILLISECONDS_MAX, DEATH_MILLISECONDS_MAX].map(|max| {
            let milliseconds = u16::from_be_bytes(random(&chance)) % max;
            Duration::from_millis(milliseconds.into())
        });
        sleep(load).await;
        in_flight.push(crowd.in_flight.count());
        let is_all = round % ROUNDS_UNTIL_ALL == ROUNDS_UNTIL_ALL - 1;
        let dying = if is_all { (0..NODES).collect() } else { vec![round % NODES] };
        for node in &dying {
            fleet.kill(*node)?;
        }
        if is_planted {
            fleet.sql(
                "UPDATE regrant.grants SET generation = generation - 1, version = version + 1 WHERE generation > 1",
            );
        }
        crowd.mark(doors.now());
        let losers = crowd.losers(|select| fleet.sql(select));
        violations.extend(losers.into_iter().map(|seat| format!("an acknowledged rotation was lost: {seat:?}")));
        kills += dying.len();
        round += 1;
        if is_planted && !violations.is_empty() {
            // The first token that is ahead of its row stops the store, and no node starts on it any more.
            break;
        }
        sleep(death).await;
        for node in &dying {
            fleet.restart(*node)?;
        }
        if violations.is_empty()
            && let Err(left) = crowd.recovers().await
        {
            violations.push(format!("{left} clients were not served again"));
        }
    }
    let found = crowd.close(running, &mut entry).await;
    violations.extend(found.by_clients.into_iter().chain(found.in_histories));
    entry.add("store", "postgres");
    entry.add("nodes", NODES);
    entry.add("in_flight_at_kill", median(in_flight.clone()));
    if is_planted {
        entry.add("planted_fault", "rotation_taken_back");
        entry.add("times_caught", violations.len());
        tell(&mut entry, &violations);
        report.close(entry, kills, usize::from(violations.is_empty()));
        return Ok(());
    }
    // With fewer requests in flight, in the middle, kills at random moments mean little.
    if median(in_flight) < clients / 2 {
        violations.push("too few requests were in flight".to_owned());
    }
    tell(&mut entry, &violations);
    report.close(entry, kills, violations.len());
    Ok(())
}
