//! The process whose writes are watched and disturbed: it refreshes, and says what it asks and what it was told.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use regrant_crypto::{SeededEntropy, random};
use regrant_data_directory::OutsideFiles;
use regrant_engine::TokenError;
use tokio::task::JoinSet;

use crate::instance::Instance;
use crate::ledger::{Ledger, Revocation, sender_of};

/// The first argument of a process that is a workload.
pub(crate) const COMMAND: &str = "workload";

/// Every so many rounds a grant is revoked and another is made.
const ROUNDS_PER_REVOCATION: u32 = 16;

/// What a workload does.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// From which everything is drawn.
    pub(crate) seed: u64,
    /// How many grants there are at a time.
    pub(crate) grants: u32,
    /// How many rounds of refreshes there are; each is some grants at once.
    pub(crate) rounds: u32,
    /// After how many rounds everything is closed and opened again; 0 for never.
    pub(crate) rounds_before_restart: u32,
}

impl Workload {
    /// The arguments of a process that does this.
    pub(crate) fn to_arguments(&self) -> Vec<String> {
        let numbers = [u64::from(self.grants), u64::from(self.rounds), u64::from(self.rounds_before_restart)];
        let mut arguments = vec![COMMAND.to_owned(), self.data.display().to_string(), self.seed.to_string()];
        arguments.extend(numbers.map(|number| number.to_string()));
        arguments
    }

    fn from_arguments(arguments: &[String]) -> Result<Self> {
        let [data, seed, grants, rounds, rounds_before_restart] = arguments else {
            bail!("a workload has five arguments");
        };
        Ok(Self {
            data: data.into(),
            seed: seed.parse()?,
            grants: grants.parse()?,
            rounds: rounds.parse()?,
            rounds_before_restart: rounds_before_restart.parse()?,
        })
    }
}

/// Lets the store of the workload that `command` starts have a fault.
pub(crate) fn plant(command: &mut Command, fault: &str) -> Result<()> {
    if cfg!(not(feature = "planted-faults")) {
        bail!("no fault can be planted in this build; use: cargo xtask prove");
    }
    command.env("REGRANT_PLANTED_FAULT", fault);
    Ok(())
}

/// Does what `arguments` say. The ledger of the workload before it comes on standard input; the lines of this one go to
/// standard output, each in one write. It ends without closing anything.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.context("cannot start the runtime").and_then(|runtime| {
        let workload = Workload::from_arguments(arguments)?;
        runtime.block_on(Worker::work(&workload))
    });
    match done {
        // No destructor runs: what is left is what a killed process leaves.
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("workload: {error:#}");
            ExitCode::FAILURE
        }
    }
}

struct Worker {
    instance: Arc<Instance>,
    ledger: Ledger,
    chance: SeededEntropy,
}

impl Worker {
    async fn work(workload: &Workload) -> Result<()> {
        let mut lines = String::new();
        std::io::stdin().read_to_string(&mut lines)?;
        let mut ledger = Ledger::default();
        lines.lines().for_each(|line| ledger.note(line));

        let instance = Arc::new(open(&workload.data, workload.seed).await?);
        let mut worker = Self { instance, ledger, chance: SeededEntropy::new(workload.seed ^ 1) };
        if worker.ledger.secret.is_none() {
            let secret = worker.instance.register().await?;
            worker.say(&format!("registered {secret}"))?;
        }
        while worker.live().len() < workload.grants as usize {
            if !worker.log_in().await? {
                break;
            }
        }
        for round in 1..=workload.rounds {
            worker.refresh_some().await?;
            if round.is_multiple_of(ROUNDS_PER_REVOCATION) {
                worker.revoke_one().await?;
                worker.log_in().await?;
            }
            if round == workload.rounds_before_restart {
                let Self { instance, ledger, chance } = worker;
                drop(instance);
                let instance = Arc::new(open(&workload.data, workload.seed ^ 2).await?);
                worker = Self { instance, ledger, chance };
            }
        }
        // Nothing is closed, as when the process is killed.
        std::mem::forget(worker);
        Ok(())
    }

    /// The accounts that nobody asked to revoke.
    fn live(&self) -> Vec<u32> {
        let is_live = |revocation| revocation == Revocation::None;
        let accounts = self.ledger.accounts.iter();
        accounts
            .filter(|(_, account)| is_live(account.revocation) && !account.tokens.is_empty())
            .map(|(n, _)| *n)
            .collect()
    }

    fn secret(&self) -> &str {
        self.ledger.secret.as_deref().unwrap_or_default()
    }

    async fn log_in(&mut self) -> Result<bool> {
        let number = self.ledger.accounts.keys().next_back().map_or(0, |last| last + 1);
        self.say(&format!("asks {number}"))?;
        let answer = self.instance.log_in(sender_of(number), self.secret()).await;
        self.hear(number, answer)
    }

    /// Refreshes some accounts at once, so that the store commits them together.
    async fn refresh_some(&mut self) -> Result<()> {
        let live = self.live();
        let [first, picked, ..] = random::<8>(&self.chance).map(usize::from);
        let mut answers = JoinSet::new();
        for step in 0..=picked % live.len().max(1) {
            let Some(&number) = live.get((first + step) % live.len().max(1)) else { continue };
            self.say(&format!("asks {number}"))?;
            let (instance, secret) = (Arc::clone(&self.instance), self.secret().to_owned());
            let token = self.ledger.accounts[&number].tokens.last().cloned().unwrap_or_default();
            answers.spawn(async move { (number, instance.refresh(sender_of(number), &secret, &token).await) });
        }
        while let Some(answer) = answers.join_next().await {
            let (number, answer) = answer?;
            self.hear(number, answer)?;
        }
        Ok(())
    }

    async fn revoke_one(&mut self) -> Result<()> {
        let Some(&number) = self.live().first() else { return Ok(()) };
        self.say(&format!("revokes {number}"))?;
        let token = self.ledger.accounts[&number].tokens.last().cloned().unwrap_or_default();
        match self.instance.revoke(sender_of(number), self.secret(), &token).await {
            Ok(()) => self.say(&format!("revoked {number}")),
            Err(error) => self.say(&format!("failed {number} {error}")),
        }
    }

    fn hear(&mut self, number: u32, answer: Result<String, TokenError>) -> Result<bool> {
        match &answer {
            Ok(token) => self.say(&format!("has {number} {token}"))?,
            Err(error) => self.say(&format!("failed {number} {error}"))?,
        }
        Ok(answer.is_ok())
    }

    fn say(&mut self, line: &str) -> Result<()> {
        self.ledger.note(line);
        let mut output = std::io::stdout().lock();
        output.write_all(format!("{line}\n").as_bytes())?;
        Ok(output.flush()?)
    }
}

/// Opens a data directory with a mark and a journal. Both are on the disk of the database, whose every write is recorded.
pub(crate) async fn open(data: &Path, seed: u64) -> Result<Instance> {
    let outside = OutsideFiles { mark: None, journal: Some(data.join("journal")) };
    Instance::open_beside(data, &outside, seed).await
}
