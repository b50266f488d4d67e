//! How many instructions a refresh costs the server. Unlike times they are the same on a busy machine.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use regrant_bench::{Chain, Connection, Endpoint, Heard, Refreshing};
use serde_json::json;

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
        let stage = Stage::open(&data).await?;
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
        counted.push(total_in(&counts)?);
        if let Some(kept) = &options.counts {
            fs::copy(&counts, kept).with_context(|| kept.display().to_string())?;
        }
    }
    let each = (counted[1] - counted[0]) / (REFRESHES[1] - REFRESHES[0]);
    print_line(&json!({ "access_token": format.name(), "instructions_per_refresh": each }).to_string())
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

/// The total in a file of callgrind.
fn total_in(counts: &Path) -> Result<u64> {
    let text = fs::read_to_string(counts).with_context(|| counts.display().to_string())?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.with_context(|| format!("{} has no total", counts.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counts");
        fs::write(&file, "version: 1\nfn=(1) main\n16 400\ntotals: 4711\n").unwrap();
        assert_eq!(total_in(&file).unwrap(), 4711);
        fs::write(&file, "version: 1\n").unwrap();
        assert!(total_in(&file).is_err());
    }
}
