//! `cargo xtask bench instructions`: whether a refresh costs as many instructions and allocations as it did.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::apt::{self, Program};
use crate::static_build;

/// One line for each format of access tokens: its name, and what of a refresh was counted last.
const KEPT: &str = "benches/instructions.txt";
/// How far the instructions may be from the kept ones, in percent: what the compiler and the hash of a map's keys do to them stays
/// within a part of that.
const PERCENT_MAX: f64 = 3.0;
/// How far the allocations may be from the kept ones: those that come once in several refreshes stay within a part of that.
const ALLOCATIONS_MAX: f64 = 1.0;
const PROGRAMS: &[Program] = &[Program::new("valgrind", "valgrind")];

/// Counts for every format in [`KEPT`], and fails where one is further than it may from what is kept: more is to be explained, and
/// less to be kept. Then counts with a fault, one copy of the row, and fails unless that is noticed.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let keeps = match arguments {
        ["instructions"] => false,
        ["instructions", "--keep"] => true,
        _ => return Err("usage: cargo xtask bench instructions [--keep]".to_owned()),
    };
    apt::install_missing(PROGRAMS)?;
    // Built first, so that the program that is left is the one without faults.
    let built = static_build::build(Some(FEATURES_WITH_FAULTS))?;
    let with_faults = built.with_extension("with-faults");
    fs::copy(&built, &with_faults).map_err(|error| format!("{}: {error}", with_faults.display()))?;
    let built = static_build::build(None)?;
    let text = fs::read_to_string(KEPT).map_err(|error| format!("{KEPT}: {error}"))?;
    let mut counted = Vec::new();
    for (format, kept) in lines(&text)? {
        let now = count(&built, format, None)?;
        println!("{format}: {}", told(kept, now));
        counted.push((format, kept, now));
    }
    if keeps {
        let lines: String = counted.iter().map(|(format, _, now)| line(format, *now)).collect();
        fs::write(KEPT, lines).map_err(|error| format!("{KEPT}: {error}"))?;
    } else if let Some((format, ..)) = counted.iter().find(|(_, kept, now)| is_far(*kept, *now)) {
        return Err(format!(
            "a refresh with {format} costs over {PERCENT_MAX} % or {ALLOCATIONS_MAX} allocation more or less than it did; where that is \
             meant: cargo xtask bench instructions --keep"
        ));
    }
    let Some((format, ..)) = counted.first() else { return Err(format!("{KEPT} is empty")) };
    let (without, with) = (count(&with_faults, format, None)?, count(&with_faults, format, Some(FAULT))?);
    println!("{format}, {FAULT}: {}", told(without, with));
    if is_far(without, with) { Ok(()) } else { Err(format!("a planted fault, {FAULT}, was not noticed")) }
}

const FAULT: &str = "copy-the-row";
/// The first is of no use here; with it, this is the program of `cargo xtask prove crash`, which is built once then.
const FEATURES_WITH_FAULTS: &str = "failpoints,planted-faults";

/// What one refresh costs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    instructions: f64,
    allocations: f64,
}

/// Runs the program, which prints one line of JSON.
fn count(program: &Path, format: &str, fault: Option<&str>) -> Result<Cost, String> {
    let mut counting = Command::new(program);
    counting.args(["bench", "instructions", "--access-token", format]);
    counting.envs(fault.map(|fault| ("REGRANT_PLANTED_FAULT", fault)));
    let name = program.display();
    let output = counting.stderr(Stdio::inherit()).output().map_err(|error| format!("{name}: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    cost_in(&printed).ok_or_else(|| format!("{name} bench instructions ended with {}: {printed}", output.status))
}

fn cost_in(json: &str) -> Option<Cost> {
    let number = |name: &str| {
        let (_, behind) = json.split_once(&format!("\"{name}\":"))?;
        behind.split([',', '}']).next()?.trim().parse().ok()
    };
    Some(Cost { instructions: number("instructions_per_refresh")?, allocations: number("allocations_per_refresh")? })
}

fn line(format: &str, cost: Cost) -> String {
    format!("{format} {} {}\n", cost.instructions, cost.allocations)
}

fn lines(text: &str) -> Result<Vec<(&str, Cost)>, String> {
    let read = |line| {
        let mut words = str::split(line, ' ');
        let (format, instructions, allocations) = (words.next()?, words.next()?, words.next()?);
        Some((format, Cost { instructions: instructions.parse().ok()?, allocations: allocations.parse().ok()? }))
    };
    text.lines().map(|line| read(line).ok_or_else(|| format!("{KEPT}: {line:?} is no format with its costs"))).collect()
}

fn told(kept: Cost, now: Cost) -> String {
    let percent = (now.instructions / kept.instructions - 1.0) * 100.0;
    let more = now.allocations - kept.allocations;
    format!(
        "{} instructions, {percent:+.1} % of {}; {} allocations, {more:+.1}",
        now.instructions, kept.instructions, now.allocations
    )
}

fn is_far(kept: Cost, now: Cost) -> bool {
    (now.instructions - kept.instructions).abs() * 100.0 > kept.instructions * PERCENT_MAX
        || (now.allocations - kept.allocations).abs() > ALLOCATIONS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Cost = Cost { instructions: 1_000.0, allocations: 50.0 };

    #[test]
    fn a_cost_is_far_beyond_three_percent_or_one_allocation_either_way() {
        for (instructions, allocations, far) in [
            (1_030.0, 50.0, false),
            (1_031.0, 50.0, true),
            (970.0, 50.0, false),
            (969.0, 50.0, true),
            (1_000.0, 51.0, false),
            (1_000.0, 51.1, true),
            (1_000.0, 48.9, true),
        ] {
            assert_eq!(is_far(KEPT, Cost { instructions, allocations }), far, "{instructions} {allocations}");
        }
    }

    #[test]
    fn costs_are_read_and_written() {
        let json =
            "{\"access_token\":\"opaque\",\"allocations_per_refresh\":50.0,\"instructions_per_refresh\":1000.0}\n";
        assert_eq!(cost_in(json), Some(KEPT));
        assert_eq!(cost_in("{}"), None);
        let kept = line("opaque", KEPT);
        assert_eq!(lines(&kept), Ok(vec![("opaque", KEPT)]));
        assert!(lines("opaque 12\n").is_err());
        assert!(lines(include_str!("../../benches/instructions.txt")).is_ok());
    }
}
