use std::fs;

use anyhow::Result;
use regrant_bench::{FileSystem, SyncTimes};
use regrant_store_postgres::RelationSize;
use serde_json::{Map, Value, json};

use crate::administration::table::table;
use crate::bench::goal::Standing;
use crate::bench::pass::Pass;
use crate::bench::processors::Processors;
use crate::standard_output::print_line;

/// From which load average on a machine is not ours alone.
const BUSY: f64 = 0.7;

/// Prints what was found when it was found: as lines of JSON, or for people.
pub(super) struct Report {
    is_json: bool,
}

impl Report {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Where and on what is measured.
    pub(super) fn begin(&self, file_system: &FileSystem, sync: &SyncTimes, processors: &Processors) -> Result<()> {
        let microseconds = |time: std::time::Duration| time.as_secs_f64() * 1e6;
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let load_average = load_average();
        if self.is_json {
            let line = json!({
                "build": build,
                "load_average": load_average,
                "file_system": file_system.kind,
                "device": file_system.device,
                "sync_in_place_p50_microseconds": microseconds(sync.in_place_p50),
                "sync_in_place_p99_microseconds": microseconds(sync.in_place_p99),
                "sync_appended_p50_microseconds": microseconds(sync.appended_p50),
                "processors": processors.describe(),
            });
            return print_line(&line.to_string());
        }
        if load_average > BUSY {
            print_line(&format!(
                "this machine is busy with something else (load average {load_average}): believe the ratios, not the times"
            ))?;
        }
        if cfg!(debug_assertions) {
            print_line("this is a debug build: its times say nothing")?;
        }
        print_line(&format!(
            "data on {} ({}); fdatasync of 4 KiB: {:.0} µs in place (p99 {:.0}), {:.0} appended\n{}",
            file_system.kind,
            file_system.device,
            microseconds(sync.in_place_p50),
            microseconds(sync.in_place_p99),
            microseconds(sync.appended_p50),
            processors.describe(),
        ))
    }

    /// What a database takes on disk.
    pub(super) fn sizes(&self, sizes: &[RelationSize]) -> Result<()> {
        if self.is_json {
            let sizes: Map<String, Value> = sizes.iter().map(|size| (size.name.clone(), size.bytes.into())).collect();
            return print_line(&json!({ "bytes": sizes }).to_string());
        }
        let rows: Vec<_> = sizes.iter().map(|size| [size.name.clone(), size.bytes.to_string()]).collect();
        print_line(table(["TABLE OR INDEX", "BYTES"], &rows).trim_end())
    }

    /// The head above all [`Report::pass`].
    pub(super) fn passes(&self) -> Result<()> {
        if self.is_json { Ok(()) } else { print_line(&row(&Pass::HEADER.map(str::to_owned))) }
    }

    /// What a load has shown.
    pub(super) fn pass(&self, pass: &Pass) -> Result<()> {
        print_line(&if self.is_json { pass.to_json().to_string() } else { row(&pass.line()) })
    }

    /// The table of goals.
    pub(super) fn standings(&self, standings: &[Standing]) -> Result<()> {
        if self.is_json {
            return standings.iter().try_for_each(|standing| print_line(&standing.to_json().to_string()));
        }
        let rows: Vec<_> = standings.iter().map(Standing::line).collect();
        print_line(&format!("\n{}", table(Standing::HEADER, &rows).trim_end()))
    }
}

/// How many processes ran or waited in the last minute, on average.
fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Columns that are there before the last row is known.
fn row([load, numbers @ .., failures]: &[String; 8]) -> String {
    let numbers: String = numbers.iter().map(|number| format!("{number:>11}")).collect();
    format!("{load:<44}{numbers}  {failures}")
}
