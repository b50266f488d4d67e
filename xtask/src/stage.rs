//! Stages: named checks that run in order, each with the seconds it took.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// One named check.
pub(crate) struct Stage {
    name: &'static str,
    check: fn() -> Result<(), String>,
}

impl Stage {
    /// A stage that headings and the closing table call `name`.
    ///
    /// The error of `check` is the sentence that a person reads.
    pub(crate) const fn new(name: &'static str, check: fn() -> Result<(), String>) -> Self {
        Self { name, check }
    }
}

/// Runs `stages` in order up to the first that fails, then prints what each of them took.
///
/// The error names the stage that failed and says why.
pub(crate) fn run(stages: &[Stage]) -> Result<(), String> {
    let mut durations = Vec::new();
    let outcome = stages.iter().try_for_each(|stage| {
        println!("\n=== {}", stage.name);
        let (result, took) = timed(stage.check);
        println!("=== {}: {:.1} s", stage.name, took.as_secs_f64());
        durations.push(took);
        result.map_err(|why| format!("stage `{}` failed: {why}", stage.name))
    });
    println!("\n{}", table(stages, &durations, outcome.is_ok()));
    outcome
}

#[expect(clippy::disallowed_methods, reason = "how long a stage takes is asked of the real clock")]
fn timed(check: fn() -> Result<(), String>) -> (Result<(), String>, Duration) {
    let start = Instant::now();
    let result = check();
    (result, start.elapsed())
}

/// One line per stage; `durations` has those that ran, of which the last failed unless `passed`.
fn table(stages: &[Stage], durations: &[Duration], passed: bool) -> String {
    let width = stages.iter().map(|stage| stage.name.len()).max().unwrap_or_default().max("stage".len());
    let mut lines = format!("{:<width$} {:>8}\n", "stage", "seconds");
    for (index, stage) in stages.iter().enumerate() {
        let seconds = match durations.get(index) {
            Some(took) => format!("{:.1}", took.as_secs_f64()),
            None => "not run".to_owned(),
        };
        let failed = !passed && index + 1 == durations.len();
        let mark = if failed { "  FAILED" } else { "" };
        writeln!(lines, "{:<width$} {seconds:>8}{mark}", stage.name).expect("writing to a String cannot fail");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: &[Stage] = &[
        Stage::new("first", || Ok(())),
        Stage::new("second", || Err("it is broken".to_owned())),
        Stage::new("third", || panic!("a stage after a failed one must not run")),
    ];

    #[test]
    fn the_first_failing_stage_is_named_and_ends_the_run() {
        assert_eq!(run(STAGES), Err("stage `second` failed: it is broken".to_owned()));
    }

    #[test]
    fn the_table_says_what_each_stage_took_and_which_failed() {
        let durations = [Duration::from_millis(12_340), Duration::from_millis(60)];
        let expected = "\
stage   seconds
first      12.3
second      0.1  FAILED
third   not run
";
        assert_eq!(table(STAGES, &durations, false), expected);
        assert!(!table(STAGES, &durations, true).contains("FAILED"));
    }
}
