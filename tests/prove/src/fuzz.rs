//! Coverage-guided fuzzing of every target of the package `regrant-fuzz`.
//!
//! A target that breaks its promise fails the run, and so does a planted fault that is not found, a target that hardly ran,
//! and a build that counts no coverage. What was found lies in `target/fuzz/artifacts`; the corpus grows in
//! `target/fuzz/corpus`, so that the next run begins where the last one ended.

mod fuzzer;

use std::num::NonZero;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::Result;

use self::fuzzer::{Fuzzer, Outcome, Target};
use crate::report::{Entry, Report};
use crate::scale::Scale;

/// How long a planted fault may stay unfound, and how long every target runs with each change.
const CI_SECONDS: u32 = 5;
const NIGHT_SECONDS: u32 = 120;
/// T-57: 24 hours of one processor for each target and release.
const GATE_SECONDS: u32 = 24 * 60 * 60;

/// A target that ran less often than this was not fuzzed.
const EXECUTIONS_MIN: usize = 1_000;

/// Fuzzes every target whose name contains `only`, as many at once as there are processors.
pub(crate) fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let seconds = match scale {
        Scale::Ci => CI_SECONDS,
        Scale::Night => NIGHT_SECONDS,
        Scale::Gate => GATE_SECONDS,
    };
    let fuzzer = Fuzzer::build()?;
    let targets: Vec<Target> = fuzzer.targets()?.into_iter().filter(|target| target.name.contains(only)).collect();
    let waiting = Mutex::new(targets.iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let fuzz = |target: &Target| {
        let entry = Entry::begin("fuzz", &target.name);
        let seconds = if target.is_planted { CI_SECONDS } else { seconds };
        fuzzer.run(target, seconds, seed).map(|outcome| (entry, target.is_planted, outcome))
    };

    let (finished, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let finished = finished.clone();
            scope.spawn(move || {
                while let Some(target) = next() {
                    // Whoever listens is gone only after a target could not be run at all.
                    let _ = finished.send(fuzz(target));
                }
            });
        }
        drop(finished);
        for result in results {
            let (entry, is_planted, outcome) = result?;
            close(entry, is_planted, &outcome, report);
        }
        Ok(())
    })
}

fn close(mut entry: Entry, is_planted: bool, outcome: &Outcome, report: &mut Report) {
    let Outcome { executions, coverage, features, corpus, .. } = *outcome;
    entry.add("coverage", coverage);
    entry.add("features", features);
    entry.add("corpus", corpus);
    if let Some(input) = &outcome.input {
        entry.add("input", input.as_str());
        entry.add("broken", outcome.broken.as_str());
    }
    let is_found = outcome.input.is_some();
    if is_planted {
        entry.add("caught", is_found);
    }
    let is_blind = coverage == 0 || !is_found && executions < EXECUTIONS_MIN;
    report.close(entry, executions, usize::from(is_found != is_planted || is_blind));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_a_sound_target_fails_the_run_and_so_does_a_planted_one_that_is_not_found() {
        for (is_planted, is_found, executions, coverage, expected) in [
            (false, false, 1_000, 1, true),
            (false, true, 1_000, 1, false),
            (false, false, 999, 1, false),
            (false, false, 1_000, 0, false),
            (true, true, 1, 1, true),
            (true, false, 1_000_000, 1, false),
            (true, true, 1, 0, false),
        ] {
            let input = is_found.then(|| "artifacts/crash-1".to_owned());
            let outcome = Outcome { executions, coverage, input, ..Outcome::default() };
            let mut report = Report::new();
            close(Entry::begin("fuzz", "test"), is_planted, &outcome, &mut report);
            assert_eq!(report.is_proved(), expected, "{is_planted} {outcome:?}");
        }
    }
}
