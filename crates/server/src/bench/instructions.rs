//! How many instructions and allocations a refresh costs the server. Unlike times they are the same on a busy machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use regrant_bench::{Chain, Connection, Endpoint, Heard, Refreshing};
use serde_json::json;

use crate::bench::bench_store::BenchStore;
use crate::bench::child::ChildServer;
use crate::bench::options::{BenchOptions, FormatChoice};
use crate::bench::own_server::folder;
use crate::bench::stage::{Stage, StagedClient};
use crate::standard_output::print_line;

/// How many refreshes the server does in two runs: what both have in common, the start above all, is in neither's favour. The
/// difference is a multiple of the refreshes after which the store copies its log.
const REFRESHES: [u64; 2] = [500, 2_500];

/// Counts, and prints a line of JSON.
///
/// One chain alone: each refresh is a commit of its own, and the same again and again.
///
/// # Errors
/// When valgrind is not there, or the server does not answer.
pub(super) fn count_instructions(options: &BenchOptions) -> Result<()> {
    let (folder, _) = folder(options)?;
    let data = folder.path().join("data");
    let format = options.access_token.unwrap_or(FormatChoice::Opaque);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start threads")?;
    let (client, tokens) = runtime.block_on(async {
        let stage = Stage::open(&data, &BenchStore::Sqlite).await?;
        let client = stage.client("bench", format.format()).await?;
        let tokens = stage.refresh_tokens(&client, REFRESHES.len()).await?;
        anyhow::Ok((client, tokens))
    })?;
    let mut counted = Vec::new();
    for (refreshes, token) in REFRESHES.into_iter().zip(&tokens) {
        let counts = folder.path().join(format!("counts-{refreshes}"));
        let server = ChildServer::counted(folder.path(), &data, &counts).context("see that valgrind is installed")?;
        runtime.block_on(refresh(&server, &client, token, refreshes))?;
        server.stop()?;
        counted.push(Counts::read(&counts)?);
        if let Some(kept) = &options.counts {
            fs::copy(&counts, kept).with_context(|| kept.display().to_string())?;
        }
    }
    let each = |count: fn(&Counts) -> u64| {
        (count(&counted[1]) - count(&counted[0])) as f64 / (REFRESHES[1] - REFRESHES[0]) as f64
    };
    let line = json!({
        "access_token": format.name(),
        "instructions_per_refresh": each(|counts| counts.instructions).round(),
        "allocations_per_refresh": (each(|counts| counts.allocations) * 10.0).round() / 10.0,
    });
    print_line(&line.to_string())
}

async fn refresh(server: &ChildServer, client: &StagedClient, token: &str, times: u64) -> Result<()> {
    let endpoint = Endpoint::new(&format!("{}/token", server.url), None, None)?;
    let mut connection = Connection::open(&endpoint).await?;
    let mut chain = Refreshing::new(endpoint, &client.form, token);
    let mut request = Vec::new();
    for _ in 0..times {
        chain.next(&mut request);
        match connection.exchange(&request, |answer| chain.hear(answer)).await? {
            Heard::Good => {}
            Heard::Failed(kind) | Heard::Ended(kind) => bail!("a refresh was answered {kind}"),
        }
    }
    Ok(())
}

/// What callgrind counted of a whole process.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    instructions: u64,
    /// Calls of the functions that hand out memory.
    allocations: u64,
}

impl Counts {
    fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
        let instructions = total.with_context(|| format!("{} has no total", file.display()))?;
        Ok(Self { instructions, allocations: allocations_in(&text) })
    }
}

/// How often memory was asked for. A function that is called has a number, and at its first mention a name: `cfn=(7) malloc`; the
/// line after it says how often: `calls=3 0x10 0`.
fn allocations_in(text: &str) -> u64 {
    let (mut asks, mut called_asks, mut allocations) = (BTreeSet::new(), false, 0);
    for line in text.lines() {
        if let Some(called) = line.strip_prefix("cfn=").or_else(|| line.strip_prefix("fn=")) {
            let (number, name) = called.split_once(' ').unwrap_or((called, ""));
            if ALLOCATING.contains(&name) {
                asks.insert(number);
            }
            called_asks = line.starts_with('c') && asks.contains(number);
        } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| called_asks) {
            let times = calls.split_once(' ').map_or(calls, |(times, _)| times);
            allocations += times.parse::<u64>().unwrap_or_default();
        }
    }
    allocations
}

/// What a program asks for memory with: the libraries in C as ever, and what is of Rust by its own allocator.
const ALLOCATING: [&str; 7] =
    ["malloc", "calloc", "realloc", "posix_memalign", "mi_malloc_aligned", "mi_zalloc_aligned", "mi_realloc_aligned"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_and_allocations_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counts");
        let calls = "fn=(1) main\n16 400\ncfn=(2) malloc\ncalls=3 0x10 0\n16 9\ncfn=(3) read\ncalls=5 0x10 0\n16 9\n\
                     fn=(4) other\ncfn=(2)\ncalls=4 0x10 0\n16 9\ncfn=(5) mi_realloc_aligned\ncalls=1 0x10 0\n16 9\nfn=(2)\n1 1\n";
        fs::write(&file, format!("version: 1\n{calls}totals: 4711\n")).unwrap();
        assert_eq!(Counts::read(&file).unwrap(), Counts { instructions: 4711, allocations: 8 });
        fs::write(&file, "version: 1\n").unwrap();
        assert!(Counts::read(&file).is_err());
    }
}
