//! Power cuts (`prove power`): everything that was acknowledged is there when the power is back.
//!
//! A [workload](crate::workload) runs under strace, which records every write, every sync, and in between what the
//! workload was told. From that, disks are rebuilt as they may be found after the power went at some moment: what was
//! synced is there; what was not is there, absent, torn or out of order. The real program opens each of them.
//!
//! With `synchronous=NORMAL` the same must lose acknowledgements, or it would not have seen them lost with `FULL` either.

mod disk;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use regrant_crypto::{SeededEntropy, random};

use crate::ledger::Ledger;
use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::strace::{Event, Recording};
use crate::verify::{Found, verify};
use crate::workload::{Workload, plant};
pub(crate) use disk::{Disk, Loss};

/// What a server that looks for acknowledgements draws from.
const OPENING_SEED: u64 = 30;

/// Of so many cuts one lies before the first client is registered, when the store is being made.
const CUTS_PER_EARLY_CUT: usize = 4;

/// The most violations that are shown.
const SHOWN_MAX: usize = 10;

/// How many cuts there are.
struct Plan {
    cuts: usize,
    cuts_of_the_planted_fault: usize,
}

/// Proves it with `synchronous=FULL`, and that it would be noticed with `NORMAL`.
pub(crate) fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let plan = match scale {
        Scale::Ci => Plan { cuts: 200, cuts_of_the_planted_fault: 40 },
        Scale::Night => Plan { cuts: 1_000, cuts_of_the_planted_fault: 100 },
        Scale::Gate => Plan { cuts: 1_000 * Loss::ALL.len(), cuts_of_the_planted_fault: 1_000 },
    };
    if "full".contains(only) {
        let mut entry = Entry::begin("power", "full");
        entry.add("seed", seed);
        let (history, outcome) = cut_power(plan.cuts, seed, None)?;
        let violations = outcome.lost.len() + outcome.broken.len() + usize::from(!history.is_whole());
        outcome.close(entry, &history, plan.cuts, violations, report);
    }
    if "normal_must_lose".contains(only) {
        let mut entry = Entry::begin("power", "normal_must_lose");
        entry.add("seed", seed);
        let (history, outcome) = cut_power(plan.cuts_of_the_planted_fault, seed, Some("synchronous-normal"))?;
        let violations = outcome.broken.len() + usize::from(outcome.lost.is_empty()) + usize::from(!history.is_whole());
        outcome.close(entry, &history, plan.cuts_of_the_planted_fault, violations, report);
    }
    Ok(())
}

/// What a workload did to its disk, from nothing to the end of a second process.
struct History {
    data: PathBuf,
    events: Vec<Event>,
    /// How often the write-ahead log was begun anew, which a checkpoint comes before.
    checkpoints: usize,
}

impl History {
    /// Whether everything happened that is to be cut: syncs, checkpoints and restarts among them.
    fn is_whole(&self) -> bool {
        self.checkpoints >= 3 && self.events.iter().any(|event| matches!(event, Event::Remove(_)))
    }

    /// The position after which the first client is registered.
    fn beginning(&self) -> usize {
        let is_registered = |event: &Event| matches!(event, Event::Say(line) if line.starts_with("registered"));
        self.events.iter().position(is_registered).unwrap_or(self.events.len())
    }
}

/// What was found after all cuts together.
#[derive(Default)]
struct Outcome {
    acknowledgements: u64,
    in_doubt: usize,
    lost: Vec<String>,
    broken: Vec<String>,
}

impl Outcome {
    fn close(self, mut entry: Entry, history: &History, cuts: usize, violations: usize, report: &mut Report) {
        let count = |is: fn(&Event) -> bool| history.events.iter().filter(|event| is(event)).count();
        entry.add("cuts", cuts);
        entry.add("acks_verified", self.acknowledgements);
        entry.add("acks_lost", self.lost.len());
        entry.add("broken", self.broken.len());
        entry.add("cuts_with_unsynced_writes", self.in_doubt);
        entry.add("writes_recorded", count(|event| matches!(event, Event::Write { .. })));
        entry.add("syncs_recorded", count(|event| matches!(event, Event::Sync(_) | Event::SyncBytes(_))));
        entry.add("checkpoints_recorded", history.checkpoints);
        let shown: Vec<String> = self.broken.into_iter().chain(self.lost).take(SHOWN_MAX).collect();
        if !shown.is_empty() {
            entry.add("found", shown);
        }
        report.close(entry, cuts, violations);
    }
}

fn cut_power(cuts: usize, seed: u64, planted_fault: Option<&str>) -> Result<(History, Outcome)> {
    let folder = tempfile::tempdir().context("a proof may write temporary files")?;
    let history = record(folder.path(), planted_fault)?;
    let chance = SeededEntropy::new(seed);
    let mut positions: Vec<(usize, Loss)> = (0..cuts)
        .map(|cut| {
            let is_early = cut.is_multiple_of(CUTS_PER_EARLY_CUT);
            let events = if is_early { history.beginning() } else { history.events.len() };
            (below(events, &chance), Loss::ALL[cut / CUTS_PER_EARLY_CUT % Loss::ALL.len()])
        })
        .collect();
    positions.sort_by_key(|(position, _)| *position);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut disk, mut ledger, mut outcome) = (Disk::default(), Ledger::default(), Outcome::default());
    let mut happened = 0;
    for (cut, (position, loss)) in positions.into_iter().enumerate() {
        for event in &history.events[happened..=position] {
            disk.apply(event);
            if let Event::Say(line) = event {
                ledger.note(line);
            }
        }
        happened = position + 1;
        let place = folder.path().join(format!("cut-{cut}"));
        let files = disk.after_power_cut(&history.data, loss, &chance);
        outcome.in_doubt += usize::from(disk.is_in_doubt());
        write_files(&place, &files.unwrap_or_default())?;
        let found = runtime.block_on(verify(&place, &ledger, OPENING_SEED));
        let told = |problem: String| format!("cut after event {position}, loss {loss:?}: {problem}");
        let Found { acknowledgements, lost, broken } = found;
        outcome.acknowledgements += acknowledgements;
        outcome.lost.extend(lost.into_iter().map(told));
        outcome.broken.extend(broken.into_iter().map(told));
        fs::remove_dir_all(&place)?;
    }
    Ok((history, outcome))
}

/// Runs the workload twice: the first process makes the store, restarts in between and is killed; the second finds what
/// the first left.
fn record(folder: &Path, planted_fault: Option<&str>) -> Result<History> {
    let data = folder.join("data");
    let mut history = History { data: data.clone(), events: Vec::new(), checkpoints: 0 };
    let mut ledger = Ledger::default();
    for workload in [
        Workload { data: data.clone(), seed: 10, grants: 24, rounds: 150, rounds_before_restart: 120 },
        Workload { data: data.clone(), seed: 20, grants: 24, rounds: 20, rounds_before_restart: 0 },
    ] {
        let recording = Recording::new(&data, folder);
        let mut command = recording.command(&std::env::current_exe()?)?;
        command.args(workload.to_arguments()).stdin(Stdio::piped());
        if let Some(fault) = planted_fault {
            plant(&mut command, fault)?;
        }
        let mut process = command.spawn().context("strace cannot be started; is it installed?")?;
        process.stdin.take().context("standard input is a pipe")?.write_all(ledger.to_lines().as_bytes())?;
        ensure!(process.wait()?.success(), "the workload failed");
        let events = recording.events()?;
        for event in &events {
            if let Event::Say(line) = event {
                ledger.note(line);
            }
        }
        history.events.extend(events);
    }
    let begins_log = |event: &&Event| {
        let Event::Write { path, offset: 0, .. } = event else { return false };
        path.to_string_lossy().ends_with("-wal")
    };
    history.checkpoints = history.events.iter().filter(begins_log).count();
    Ok(history)
}

/// Makes a data directory of `files`, as it would have been made.
pub(crate) fn write_files(place: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    DirBuilder::new().mode(0o700).create(place)?;
    for (path, bytes) in files {
        let name = path.file_name().context("a file has a name")?;
        // The index of the log outlives the power cut or does not, and means nothing afterwards.
        if name.to_string_lossy().ends_with("-shm") {
            continue;
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(place.join(name))?;
        file.write_all(bytes)?;
    }
    Ok(())
}

/// A number below `end`, which is not 0.
pub(crate) fn below(end: usize, chance: &SeededEntropy) -> usize {
    let drawn = u64::from_be_bytes(random(chance));
    usize::try_from(drawn % end.max(1) as u64).expect("it is below an index")
}
