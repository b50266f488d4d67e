//! Failing system calls (`prove syscall`): whatever fails, nothing that was acknowledged is lost.
//!
//! strace makes the N-th call of a thread fail while a [workload](crate::workload) runs, or the N-th and all after it:
//! once while the store is made, and once in a process that finds a store, so that its writer is the first to meet it.
//! What was acknowledged must be there when the directory is opened again, and also when the power goes at the end of
//! the run: a sync that failed has synced nothing, and one that is tried again does not bring it back.
//!
//! [`scenes`] does it to the real program, and listens to what its clients are told.

mod scenes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use regrant_crypto::SeededEntropy;

use crate::ledger::Ledger;
use crate::power::{Disk, Loss, write_files};
use crate::report::{Entry, Report};
use crate::scale::Scale;
use crate::strace::{Event, Recording};
use crate::verify::verify;
use crate::workload::{Workload, open, plant};

/// The proof that a store that breaks its promise would be seen.
const PLANTED: &str = "answer_before_commit_must_be_caught";

/// The most violations that are shown.
const SHOWN_MAX: usize = 10;

/// How a panic ends a process.
const EXIT_PANICKED: i32 = 101;

/// A call and how it fails.
struct Fault {
    call: &'static str,
    error: &'static str,
    /// Whether all calls after the first that fails do too.
    stays: bool,
}

impl Fault {
    const fn once(call: &'static str, error: &'static str) -> Self {
        Self { call, error, stays: false }
    }

    const fn for_good(call: &'static str, error: &'static str) -> Self {
        Self { call, error, stays: true }
    }

    fn injection(&self, n: u32) -> String {
        let Self { call, error, stays } = self;
        format!("{call}:error={error}:when={n}{}", if *stays { "+" } else { "" })
    }
}

/// What fails. `EINTR` is no failure where it is asked for again, and one where it is not.
const FAULTS: &[Fault] = &[
    Fault::once("pwrite64", "EIO"),
    Fault::once("pwrite64", "ENOSPC"),
    Fault::once("pwrite64", "EINTR"),
    Fault::for_good("pwrite64", "EIO"),
    Fault::for_good("pwrite64", "ENOSPC"),
    Fault::once("fsync", "EIO"),
    Fault::once("fsync", "EINTR"),
    Fault::for_good("fsync", "EIO"),
    Fault::for_good("fsync", "ENOSPC"),
    Fault::once("fdatasync", "EIO"),
    Fault::once("fdatasync", "EINTR"),
    Fault::for_good("fdatasync", "EIO"),
    Fault::for_good("fdatasync", "ENOSPC"),
    Fault::once("ftruncate", "EIO"),
    Fault::once("ftruncate", "ENOSPC"),
    Fault::once("openat", "EMFILE"),
    Fault::once("openat", "EIO"),
    Fault::for_good("openat", "ENOSPC"),
    Fault::once("pread64", "EIO"),
    Fault::once("mmap", "ENOMEM"),
    Fault::once("rename", "EIO"),
    Fault::once("unlink", "EIO"),
    Fault::once("mkdir", "ENOSPC"),
];

/// Which calls fail in turn.
fn turns(scale: Scale) -> Vec<u32> {
    match scale {
        Scale::Ci => vec![1, 2, 3, 4, 6, 9, 14, 22, 35],
        Scale::Night => (1..=200).collect(),
        Scale::Gate => (1..=10_000).collect(),
    }
}

/// Proves it for the store, and for the real program.
pub(crate) fn run(scale: Scale, only: &str, report: &mut Report) -> Result<()> {
    for faults in FAULTS.chunk_by(|one, next| one.call == next.call) {
        let name = format!("{}_fails", faults[0].call);
        if name.contains(only) {
            sweep(&name, faults, scale, report)?;
        }
    }
    if PLANTED.contains(only) {
        catch_planted_fault(report)?;
    }
    scenes::run(only, report)
}

/// A store that answers before it commits must be caught when the commit fails.
fn catch_planted_fault(report: &mut Report) -> Result<()> {
    let mut entry = Entry::begin("syscall", PLANTED);
    let mut tally = Tally { planted_fault: Some("answer-before-commit"), ..Tally::default() };
    let beginning = Beginning::made()?;
    for n in [3, 4] {
        one_run(&beginning, &Fault::once("fdatasync", "EIO").injection(n), &mut tally)?;
    }
    entry.add("caught", tally.violations.len());
    report.close(entry, tally.runs, usize::from(tally.violations.is_empty()));
    Ok(())
}

/// Everything that a sweep counts.
#[derive(Default)]
struct Tally {
    planted_fault: Option<&'static str>,
    runs: usize,
    injected: usize,
    refused: usize,
    acknowledgements: u64,
    violations: Vec<String>,
}

fn sweep(name: &str, faults: &[Fault], scale: Scale, report: &mut Report) -> Result<()> {
    let mut entry = Entry::begin("syscall", name);
    let mut tally = Tally::default();
    let mut to_the_end = 0;
    for beginning in [Beginning::default(), Beginning::made()?] {
        for fault in faults {
            for n in turns(scale) {
                // Where no call is the n-th of its thread, there is no later one either.
                if !one_run(&beginning, &fault.injection(n), &mut tally)? {
                    to_the_end += 1;
                    break;
                }
            }
        }
    }
    entry.add("sweeps", 2 * faults.len());
    entry.add("sweeps_up_to_the_last_call", to_the_end);
    entry.add("runs_with_a_failed_call", tally.injected);
    entry.add("requests_refused", tally.refused);
    entry.add("acks_verified", tally.acknowledgements);
    if !tally.violations.is_empty() {
        entry.add("found", tally.violations[..tally.violations.len().min(SHOWN_MAX)].to_vec());
    }
    // Where nothing failed, nothing was shown.
    let violations = tally.violations.len() + usize::from(tally.injected == 0);
    report.close(entry, tally.runs, violations);
    Ok(())
}

/// What a workload finds: nothing, or a store.
#[derive(Default)]
struct Beginning {
    /// The names of the files, and what is in them.
    files: Vec<(PathBuf, Vec<u8>)>,
    ledger: Ledger,
}

impl Beginning {
    /// A store that was closed.
    fn made() -> Result<Self> {
        let folder = tempfile::tempdir().context("a proof may write temporary files")?;
        let data = folder.path().join("data");
        let mut ledger = Ledger::default();
        let workload = Workload { data: data.clone(), seed: 40, grants: 4, rounds: 4, rounds_before_restart: 0 };
        let mut command = std::process::Command::new(std::env::current_exe()?);
        let output = command.args(workload.to_arguments()).stdin(Stdio::null()).output()?;
        String::from_utf8_lossy(&output.stdout).lines().for_each(|line| ledger.note(line));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        drop(runtime.block_on(open(&data, 41))?);
        let entries = fs::read_dir(&data)?;
        let files = entries.map(|entry| {
            let path = entry?.path();
            Ok((path.file_name().context("an entry has a name")?.into(), fs::read(path)?))
        });
        Ok(Self { files: files.collect::<Result<_>>()?, ledger })
    }

    fn files_in(&self, data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        self.files.iter().map(|(name, bytes)| (data.join(name), bytes.clone())).collect()
    }
}

/// Runs a workload in which a call fails, and says whether one did.
fn one_run(beginning: &Beginning, injection: &str, tally: &mut Tally) -> Result<bool> {
    let folder = tempfile::tempdir().context("a proof may write temporary files")?;
    let data = folder.path().join("data");
    let (mut disk, mut ledger) = (Disk::default(), beginning.ledger.clone());
    if !beginning.files.is_empty() {
        let files = beginning.files_in(&data);
        write_files(&data, &files)?;
        disk = Disk::holding(&data, &files);
    }
    let mut recording = Recording::new(&data, folder.path());
    recording.injections.push(injection.to_owned());
    let mut command = recording.command(&std::env::current_exe()?)?;
    let workload = Workload { data: data.clone(), seed: 10, grants: 4, rounds: 18, rounds_before_restart: 12 };
    command.args(workload.to_arguments()).stdin(Stdio::piped()).stderr(Stdio::piped());
    if let Some(fault) = tally.planted_fault {
        plant(&mut command, fault)?;
    }
    let mut process = command.spawn().context("strace cannot be started; is it installed?")?;
    // A process that ends at once does not read it.
    let _ = process.stdin.take().context("standard input is a pipe")?.write_all(ledger.to_lines().as_bytes());
    let output = process.wait_with_output()?;
    tally.runs += 1;
    let events = recording.events()?;
    if output.status.code().is_none_or(|code| code == EXIT_PANICKED) {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        tally.violations.push(format!("{injection}: {}: {told}", output.status));
    }
    for event in &events {
        disk.apply(event);
        if let Event::Say(line) = event {
            ledger.note(line);
            tally.refused += usize::from(line.starts_with("failed"));
        }
    }
    tally.violations.extend(answered_after_failed_sync(&events).map(|line| format!("{injection}: {line}")));

    check(&data, &ledger, &format!("{injection}, process ended"), tally)?;
    let after_power_cut = folder.path().join("after-power-cut");
    let files = disk.after_power_cut(&data, Loss::All, &SeededEntropy::new(0)).unwrap_or_default();
    write_files(&after_power_cut, &files)?;
    check(&after_power_cut, &ledger, &format!("{injection}, power cut"), tally)?;

    let injected = recording.has_injected()?;
    tally.injected += usize::from(injected);
    Ok(injected)
}

fn check(data: &Path, ledger: &Ledger, told: &str, tally: &mut Tally) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(verify(data, ledger, 30));
    tally.acknowledgements += found.acknowledgements;
    tally.violations.extend(found.lost.into_iter().chain(found.broken).map(|problem| format!("{told}: {problem}")));
    Ok(())
}

/// An acknowledgement by a process whose database could not be synced, and that did not start again, of what it was asked for after
/// that. What it was asked for before may have been committed before, and be heard a moment later; that none of it is lost is seen
/// after the power cut.
fn answered_after_failed_sync(events: &[Event]) -> Option<String> {
    let is_database = |event: &Event| {
        let Event::FailedSync(path) = event else { return false };
        path.extension().is_some_and(|extension| ["db", "db-wal"].contains(&extension.to_string_lossy().as_ref()))
    };
    let failed = events.iter().position(is_database)?;
    let mut asked = BTreeSet::new();
    for event in &events[failed..] {
        if let Event::Create(path) = event
            && path.ends_with("lock")
        {
            return None;
        }
        let Event::Say(line) = event else { continue };
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["asks" | "revokes", number] => drop(asked.insert(number)),
            ["has" | "revoked", number, ..] if asked.contains(number) => {
                return Some(format!("after a failed sync it was answered: {line}"));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_after_a_failed_sync_must_not_be_answered() {
        let say = |line: &str| Event::Say(line.to_owned());
        let failed = || Event::FailedSync("data/regrant.db-wal".into());
        let found = |events: &[Event]| answered_after_failed_sync(events).is_some();
        assert!(!found(&[say("asks 1"), failed(), say("has 1 rgr_A"), say("failed 2 no"), say("asks 2")]));
        assert!(found(&[say("asks 1"), failed(), say("asks 2"), say("has 2 rgr_A")]));
        assert!(found(&[failed(), say("revokes 3"), say("revoked 3")]));
        let begins_again = Event::Create("data/lock".into());
        assert!(!found(&[failed(), begins_again, say("asks 2"), say("has 2 rgr_A")]));
        assert!(!found(&[Event::FailedSync("data/mark".into()), say("asks 2"), say("has 2 rgr_A")]));
    }
}
