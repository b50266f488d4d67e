//! `cargo xtask bench instructions`: whether a refresh costs as many instructions as it did.

use std::fs;
use std::process::{Command, Stdio};

use crate::apt::{self, Program};
use crate::cargo::cargo;

/// One line for each format of access tokens: its name, and the instructions of a refresh that were counted last.
const KEPT: &str = "benches/instructions.txt";
/// How far a count may be from the kept one, in percent: what the compiler and the hash of a map's keys do to it stays within a part
/// of that.
const PERCENT_MAX: u64 = 3;
const PROGRAMS: &[Program] = &[Program::new("valgrind", "valgrind")];

/// Counts for every format in [`KEPT`], and fails where one is further than [`PERCENT_MAX`] from what is kept: more is to be
/// explained, and less to be kept.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let keeps = match arguments {
        ["instructions"] => false,
        ["instructions", "--keep"] => true,
        _ => return Err("usage: cargo xtask bench instructions [--keep]".to_owned()),
    };
    apt::install_missing(PROGRAMS)?;
    cargo("build --release --package regrant-server")?;
    let text = fs::read_to_string(KEPT).map_err(|error| format!("{KEPT}: {error}"))?;
    let mut counted = Vec::new();
    for (format, kept) in lines(&text)? {
        let now = count(format)?;
        println!("{format}: {now} instructions, {:+.1} % of the {kept} that are kept", percent(kept, now));
        counted.push((format, kept, now));
    }
    if keeps {
        let lines: String = counted.iter().map(|(format, _, now)| format!("{format} {now}\n")).collect();
        return fs::write(KEPT, lines).map_err(|error| format!("{KEPT}: {error}"));
    }
    let far: Vec<&str> =
        counted.iter().filter(|(_, kept, now)| is_far(*kept, *now)).map(|(format, ..)| *format).collect();
    if far.is_empty() {
        return Ok(());
    }
    Err(format!(
        "a refresh with {} costs over {PERCENT_MAX} % more or less than it did; where that is meant: cargo xtask bench instructions --keep",
        far.join(", ")
    ))
}

/// Runs the program, which prints one line of JSON.
fn count(format: &str) -> Result<u64, String> {
    let mut counting = Command::new("target/release/regrant");
    counting.args(["bench", "instructions", "--access-token", format]);
    let output =
        counting.stderr(Stdio::inherit()).output().map_err(|error| format!("target/release/regrant: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    count_in(&printed).ok_or_else(|| format!("regrant bench instructions ended with {}: {printed}", output.status))
}

fn count_in(json: &str) -> Option<u64> {
    let (_, behind) = json.split_once("\"instructions_per_refresh\":")?;
    behind.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn lines(text: &str) -> Result<Vec<(&str, u64)>, String> {
    let pair = |line| {
        let (format, count) = str::split_once(line, ' ')?;
        Some((format, count.parse().ok()?))
    };
    text.lines().map(|line| pair(line).ok_or_else(|| format!("{KEPT}: {line:?} is no format with its count"))).collect()
}

fn percent(kept: u64, now: u64) -> f64 {
    (now as f64 / kept as f64 - 1.0) * 100.0
}

fn is_far(kept: u64, now: u64) -> bool {
    now.abs_diff(kept) * 100 > kept * PERCENT_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_far_beyond_three_percent_either_way() {
        for (kept, now, far) in [(1_000, 1_030, false), (1_000, 1_031, true), (1_000, 970, false), (1_000, 969, true)] {
            assert_eq!(is_far(kept, now), far, "{now} of {kept}");
        }
    }

    #[test]
    fn counts_are_read() {
        assert_eq!(count_in("{\"access_token\":\"opaque\",\"instructions_per_refresh\":123}\n"), Some(123));
        assert_eq!(count_in("{}"), None);
        assert_eq!(lines("opaque 12\nES256 34\n"), Ok(vec![("opaque", 12), ("ES256", 34)]));
        assert!(lines("opaque\n").is_err());
    }
}
