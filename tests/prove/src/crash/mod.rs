//! `kill -9` under load, again and again, on one data directory or of the nodes of one database: what was answered 200 holds in
//! the next life.

mod chain;
mod doors;
mod fleet;
mod life;
mod mortals;
mod nodes;
mod program;
mod request;
mod run;
mod taken_back;

use anyhow::Result;
use regrant_store_sqlite::Failpoint;

use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::world::StoreKind;
pub(crate) use program::Program;
use run::Run;

const KIND: &str = "crash";

/// How many kills a planted fault has to be found in.
const PLANTED_KILLS: usize = 60;

/// How much is done.
struct Extent {
    kills: usize,
    chains: usize,
    kills_per_failpoint: usize,
}

/// T-01 and T-02: kills at random moments, kills at every failpoint, and kills that must find the planted fault.
pub(crate) async fn run(scale: Scale, store: StoreKind, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    match store {
        StoreKind::Sqlite => on_sqlite(scale, only, seed, report).await,
        StoreKind::Postgres => nodes::run(scale, only, seed, report).await,
    }
}

async fn on_sqlite(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let extent = match scale {
        Scale::Ci => Extent { kills: 200, chains: 64, kills_per_failpoint: 5 },
        Scale::Night => Extent { kills: 1_000, chains: 256, kills_per_failpoint: 10 },
        Scale::Gate => Extent { kills: 2_000, chains: 512, kills_per_failpoint: 100 },
    };
    let with_faults = Program::build_with_faults()?;
    let program = Program::build()?;

    if RANDOM.contains(only) {
        let entry = Entry::begin(KIND, RANDOM);
        let mut run = Run::begin(program, extent.chains, seed).await?;
        for _ in 0..extent.kills {
            run.live_until_killed(&[]).await?;
        }
        // With fewer requests in flight, in the middle, kills at random moments mean little.
        run.end().await?.close(entry, extent.chains / 2, report);
    }
    if FAILPOINTS.contains(only) {
        let mut entry = Entry::begin(KIND, FAILPOINTS);
        let mut run = Run::begin(with_faults.clone(), extent.chains, seed ^ 1).await?;
        for failpoint in Failpoint::ALL {
            for _ in 0..extent.kills_per_failpoint {
                run.live_until(failpoint).await?;
            }
        }
        entry.add("failpoints", Failpoint::ALL.len());
        run.end().await?.close(entry, 0, report);
    }
    if PLANTED.contains(only) {
        let entry = Entry::begin(KIND, PLANTED);
        let mut run = Run::begin(with_faults, extent.chains, seed ^ 2).await?;
        let fault = [("REGRANT_PLANTED_FAULT", "answer-before-commit".to_owned())];
        while run.kills < PLANTED_KILLS && run.violations.is_empty() {
            run.live_until_killed(&fault).await?;
        }
        run.close_planted(entry, report);
    }
    Ok(())
}

const RANDOM: &str = "kill_at_random";
const FAILPOINTS: &str = "kill_at_failpoints";
const PLANTED: &str = "answer_before_commit_must_be_caught";
