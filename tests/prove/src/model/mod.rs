//! The refresh rule in every order of events: no promise breaks, every planted fault is caught.

mod configuration;
mod faults;

use regrant_grant::Verdict;
use regrant_grant::model::{Exploration, explore};

use self::configuration::{Configuration, Expected};
use crate::report::{Entry, Report};
use crate::scale::Scale;

const KIND: &str = "model";

/// The verdicts that the rule never gives: they are found before there is a row to decide about.
const NOT_GIVEN_BY_THE_RULE: [Verdict; 2] = [Verdict::Malformed, Verdict::UnknownGrant];

/// Explores every configuration of `scale`, then plants every fault; `only` those whose name contains it.
pub(crate) fn run(scale: Scale, only: &str, report: &mut Report) {
    let mut reached = Vec::new();
    for configuration in configuration::all(scale).iter().filter(|found| found.name.contains(only)) {
        let exploration = explore_one(configuration, report);
        reached.extend(exploration.verdicts);
    }
    faults::run(only, report);
    if only.is_empty() {
        require_every_verdict(&reached, report);
    }
}

fn explore_one(configuration: &Configuration, report: &mut Report) -> Exploration {
    let mut entry = Entry::begin(KIND, &configuration.name);
    let exploration = explore(&configuration.settings, &configuration.rule());
    let violations = match (&exploration.breach, configuration.expected) {
        (None, Expected::Holds) => {
            let is_missing = |verdict: &&Verdict| !exploration.verdicts.contains(*verdict);
            let missing: Vec<&str> = configuration.reaches.iter().filter(is_missing).map(|v| v.as_str()).collect();
            let missing_count = missing.len() + usize::from(!exploration.reaches_last_generation);
            entry.add("reaches_last_generation", exploration.reaches_last_generation);
            entry.add("verdicts_missing", missing);
            missing_count
        }
        (Some((breach, _)), Expected::Breaks(expected)) => usize::from(*breach != expected),
        (Some(_), Expected::Holds) | (None, Expected::Breaks(_)) => 1,
    };
    entry.add("expected", configuration.expected.to_string());
    describe(&mut entry, &exploration);
    report.close(entry, exploration.unique_states, violations);
    exploration
}

/// What an exploration found, as members of its result.
fn describe(entry: &mut Entry, exploration: &Exploration) {
    entry.add("states", exploration.states);
    entry.add("unique_states", exploration.unique_states);
    entry.add("depth", exploration.depth);
    let names: Vec<&str> = exploration.verdicts.iter().map(|verdict| verdict.as_str()).collect();
    entry.add("verdicts_reached", names);
    if let Some((breach, trace)) = &exploration.breach {
        entry.add("breaks", breach.promise());
        entry.add("shortest_trace", trace.len());
        entry.add("trace", trace.clone());
    }
}

/// A run that never reached a verdict has not shown anything about it.
fn require_every_verdict(reached: &[Verdict], report: &mut Report) {
    let mut entry = Entry::begin(KIND, "every_verdict_is_reached");
    let wanted = Verdict::ALL.into_iter().filter(|verdict| !NOT_GIVEN_BY_THE_RULE.contains(verdict));
    let (found, missing): (Vec<_>, Vec<_>) = wanted.partition(|verdict| reached.contains(verdict));
    let names: Vec<&str> = missing.iter().map(|verdict| verdict.as_str()).collect();
    entry.add("missing", names);
    report.close(entry, found.len(), missing.len());
}
