//! Mutation testing: every small change to the rule, the token codec and the tags must make a test fail.
//!
//! `cargo-mutants` makes the changes in a copy of the workspace and runs the tests of the package each time. A change that no
//! test notices fails the run, unless `docs/mutation.md` names it and says why nothing can notice it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::report::{Entry, Report};
use crate::scale::Scale;

/// What is changed with every change: the rule, the token codec, the tags.
const CI_FILES: &[&str] = &["crates/grant/src/decide.rs", "crates/grant/src/token.rs", "crates/crypto/src/tags/*.rs"];
/// What is changed every night: all that decides or reads a token.
const NIGHT_FILES: &[&str] =
    &["crates/grant/src/*.rs", "crates/crypto/src/tags/*.rs", "crates/crypto/src/base64url.rs"];

/// How long the tests may take before a change counts as caught because they hang.
const TESTS_SECONDS_MAX: u32 = 180;

/// Fewer changes than this were not worth the name.
const MUTANTS_MIN: usize = 50;

/// The survivors that are known, with their reasons.
const EXPLAINED: &str = include_str!("../../../docs/mutation.md");

/// Changes the files whose name contains `only`, one change at a time.
pub(crate) fn run(scale: Scale, only: &str, report: &mut Report) -> Result<()> {
    let files = if scale == Scale::Ci { CI_FILES } else { NIGHT_FILES };
    let files: Vec<&str> = files.iter().copied().filter(|file| file.contains(only)).collect();
    let entry = Entry::begin("mutation", &files.join(" "));
    let outcomes = mutate(&files)?;
    close(entry, &outcomes, EXPLAINED, report)
}

/// Runs cargo-mutants, and reads what it wrote.
fn mutate(files: &[&str]) -> Result<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let output = root.join("target/mutation");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(&root).args(["mutants", "--jobs=1", "--no-shuffle", "--colors=never"]);
    command.args(["--package=regrant-grant", "--package=regrant-crypto", "--output"]).arg(&output);
    command.arg(format!("--timeout={TESTS_SECONDS_MAX}"));
    command.args(files.iter().map(|file| format!("--file={file}")));
    let finished = command.stdin(Stdio::null()).stdout(Stdio::null()).output().context("cargo cannot be started")?;
    // 0: all were caught. 2 and 3: some were missed, or ran out of time. Others: it could not begin.
    if !matches!(finished.status.code(), Some(0 | 2 | 3)) {
        let said = String::from_utf8_lossy(&finished.stderr);
        bail!("cargo mutants failed; `cargo install cargo-mutants --locked` installs it. It said: {}", said.trim());
    }
    let outcomes = output.join("mutants.out/outcomes.json");
    let text = fs::read_to_string(&outcomes).with_context(|| format!("{} cannot be read", outcomes.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn close(mut entry: Entry, outcomes: &Value, explained: &str, report: &mut Report) -> Result<()> {
    let number = |member: &str| -> Result<usize> {
        let number = outcomes[member].as_u64().with_context(|| format!("outcomes.json has no number {member}"))?;
        Ok(usize::try_from(number)?)
    };
    let (total, unviable) = (number("total_mutants")?, number("unviable")?);
    let (caught, missed, timed_out) = (number("caught")?, number("missed")?, number("timeout")?);
    let survivors = survivors(outcomes);
    let unexplained = survivors.iter().filter(|survivor| !explained.contains(&format!("`{survivor}`"))).count();
    // What does not compile is no change; what makes a test hang is noticed.
    let mutants = total - unviable;
    let killed = caught + timed_out;
    entry.add("killed", killed);
    entry.add("survived", missed);
    entry.add("timeouts", timed_out);
    entry.add("unviable", unviable);
    entry.add("survivors", survivors);
    let is_counted = mutants >= MUTANTS_MIN && killed + missed == mutants;
    report.close(entry, mutants, unexplained + usize::from(!is_counted));
    Ok(())
}

/// The changes that no test noticed, without line and column, which move.
fn survivors(outcomes: &Value) -> Vec<String> {
    let all = outcomes["outcomes"].as_array().map_or(&[][..], Vec::as_slice);
    let missed = all.iter().filter(|outcome| outcome["summary"] == "MissedMutant");
    let named = missed.filter_map(|outcome| outcome["scenario"]["Mutant"]["name"].as_str());
    named.map(without_position).collect()
}

/// `src/a.rs:12:3: replace x with y` as `src/a.rs: replace x with y`.
fn without_position(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(change)) => format!("{file}:{change}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the report says of `caught` changes and one survivor.
    fn is_proved(caught: usize, explained: &str) -> bool {
        let mutant = serde_json::json!({"Mutant": {"name": "src/a.rs:12:3: replace x::y -> bool with true"}});
        let outcomes = serde_json::json!({
            "total_mutants": caught + 3, "caught": caught, "missed": 1, "timeout": 0, "unviable": 2,
            "outcomes": [{"summary": "CaughtMutant"}, {"summary": "MissedMutant", "scenario": mutant}],
        });
        let mut report = Report::new();
        close(Entry::begin("mutation", "test"), &outcomes, explained, &mut report).unwrap();
        report.is_proved()
    }

    #[test]
    fn a_survivor_fails_the_run_unless_it_is_explained_by_name() {
        let explained = "- `src/a.rs: replace x::y -> bool with true`: nothing can tell.";
        assert!(is_proved(100, explained));
        assert!(!is_proved(100, "- `src/b.rs: replace x::y -> bool with true`: another file"));
        assert!(!is_proved(100, ""));
        assert!(!is_proved(10, explained), "too few to count");
    }
}
