//! Proofs that take longer than a test: `prove KIND --scale ci|night|gate`.
//!
//! Every result is one line of JSON on standard output. The program fails when a promise was broken, when a fault that was
//! planted on purpose was not caught, or when a proof did not reach what makes its count mean something.

mod accepting;
mod client;
mod clock;
mod crash;
mod crowd;
mod cut;
mod damage;
mod dev_server;
mod failover;
mod fuzz;
mod history;
mod import;
mod instance;
mod ledger;
mod load;
mod model;
mod mutation;
mod power;
mod race;
mod report;
mod restore;
mod rows;
mod scale;
mod strace;
mod syscall;
mod verify;
mod waiting;
mod workload;
mod world;

use std::env;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use crate::report::Report;
use crate::scale::Scale;
use crate::world::StoreKind;

/// Proves what tests can only sample.
#[derive(Parser)]
#[command(name = "prove")]
struct Arguments {
    /// What is proved.
    kind: Kind,
    /// How far it is taken.
    #[arg(long, default_value = "ci")]
    scale: Scale,
    /// What keeps the rows. PostgreSQL is for `race`, `crash`, `failover`, `cut` and `restore`, with several nodes.
    #[arg(long, default_value = "sqlite")]
    store: StoreKind,
    /// Only the results whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// From which chance is drawn, where there is any.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many refresh tokens `import` takes over, whatever the scale.
    #[arg(long)]
    rows: Option<u64>,
}

/// A kind of proof.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Every order of events in a small world around the refresh rule.
    Model,
    /// Refreshes at once, and changes that end a grant while it is refreshed.
    Race,
    /// `kill -9` under load, again and again.
    Crash,
    /// A primary that fails under load, and a standby that takes over.
    Failover,
    /// A connection to PostgreSQL that is cut at each message of a request.
    Cut,
    /// The judge of recorded histories, on histories that are known to be right or wrong.
    History,
    /// Power cuts anywhere in a recorded run.
    Power,
    /// System calls that fail.
    Syscall,
    /// Clocks that jump, stand still or run away.
    Clock,
    /// A token manager whose processes are killed and whose answers are lost, at several servers.
    Client,
    /// Damaged files, and files that somebody else owns.
    Damage,
    /// Bytes that lead somewhere new, through every reader of untrusted bytes and through the rule itself.
    Fuzz,
    /// Many tokens of another system, taken over in one run and in bounded memory.
    Import,
    /// A database that is put back to an earlier day, with tokens stolen before and after.
    Restore,
    /// Small changes to the rule, the token codec and the tags, each of which a test must notice.
    Mutation,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(client::COMMAND) => return client::be_a_process(&words),
        Some(workload::COMMAND) => return workload::run(&words[1..]),
        _ => {}
    }
    let arguments = Arguments::parse();
    let mut report = Report::new();
    match prove(arguments, &mut report) {
        Ok(()) if report.is_proved() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("prove: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn prove(arguments: Arguments, report: &mut Report) -> Result<()> {
    let Arguments { kind, scale, store, only, seed, rows } = arguments;
    match (kind, store) {
        (Kind::Race, _) => asynchronously(race::run(scale, store, &only, seed, report)),
        (Kind::Crash, _) => asynchronously(crash::run(scale, store, &only, seed, report)),
        (Kind::Restore, _) => asynchronously(restore::run(scale, store, &only, seed, report)),
        (Kind::Failover, StoreKind::Postgres) => asynchronously(failover::run(scale, &only, seed, report)),
        (Kind::Failover, StoreKind::Sqlite) => bail!("only PostgreSQL fails over: add --store postgres"),
        (Kind::Cut, StoreKind::Postgres) => asynchronously(cut::run(scale, &only, seed, report)),
        (Kind::Cut, StoreKind::Sqlite) => bail!("only PostgreSQL is reached by a connection: add --store postgres"),
        (_, StoreKind::Postgres) => {
            bail!("this proof knows no --store postgres; race, crash, failover, cut and restore do")
        }
        (Kind::Model, _) => {
            model::run(scale, &only, report);
            Ok(())
        }
        (Kind::History, _) => {
            history::run(scale, seed, report);
            Ok(())
        }
        (Kind::Power, _) => power::run(scale, &only, seed, report),
        (Kind::Syscall, _) => syscall::run(scale, &only, report),
        (Kind::Clock, _) => asynchronously(clock::run(scale, &only, report)),
        (Kind::Client, _) => asynchronously(client::run(scale, &only, seed, report)),
        (Kind::Damage, _) => damage::run(scale, &only, seed, report),
        (Kind::Fuzz, _) => fuzz::run(scale, &only, seed, report),
        (Kind::Import, _) => import::run(scale, rows, report),
        (Kind::Mutation, _) => mutation::run(scale, &only, report),
    }
}

fn asynchronously(proof: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(proof)
}
