//! Proofs that take longer than a test: `prove KIND --scale ci|night|gate`.
//!
//! Every result is one line of JSON on standard output. The program fails when a promise was broken, when a fault that was
//! planted on purpose was not caught, or when a proof did not reach what makes its count mean something.

mod client;
mod clock;
mod crash;
mod damage;
mod dev_server;
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
mod scale;
mod strace;
mod syscall;
mod verify;
mod workload;

use std::env;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::report::Report;
use crate::scale::Scale;

/// Proves what tests can only sample.
#[derive(Parser)]
#[command(name = "prove")]
struct Arguments {
    /// What is proved.
    kind: Kind,
    /// How far it is taken.
    #[arg(long, default_value = "ci")]
    scale: Scale,
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
    /// Small changes to the rule, the token codec and the tags, each of which a test must notice.
    Mutation,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(client::COMMAND) => return client::be_a_process(&words),
        Some(workload::COMMAND) => return workload::run(&words[1..]),
        Some(import::COMMAND) => return import::be_the_program(&words),
        _ => {}
    }
    let Arguments { kind, scale, only, seed, rows } = Arguments::parse();
    let mut report = Report::new();
    let done = match kind {
        Kind::Model => {
            model::run(scale, &only, &mut report);
            Ok(())
        }
        Kind::Race => asynchronously(race::run(scale, &only, seed, &mut report)),
        Kind::Crash => asynchronously(crash::run(scale, &only, seed, &mut report)),
        Kind::History => {
            history::run(scale, seed, &mut report);
            Ok(())
        }
        Kind::Power => power::run(scale, &only, seed, &mut report),
        Kind::Syscall => syscall::run(scale, &only, &mut report),
        Kind::Clock => asynchronously(clock::run(scale, &only, &mut report)),
        Kind::Client => asynchronously(client::run(scale, &only, seed, &mut report)),
        Kind::Damage => damage::run(scale, &only, seed, &mut report),
        Kind::Fuzz => fuzz::run(scale, &only, seed, &mut report),
        Kind::Import => import::run(scale, rows, &mut report),
        Kind::Mutation => mutation::run(scale, &only, &mut report),
    };
    match done {
        Ok(()) if report.is_proved() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("prove: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn asynchronously(proof: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(proof)
}
