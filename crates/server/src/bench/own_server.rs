//! Measures regrant itself: in a process of its own, on a temporary directory on disk.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use regrant_bench::{Endpoint, FileSystem, Load, SyncTimes, ask, file_system, measure_sync, run};
use regrant_data_directory::DATABASE;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::bench::bench_store::BenchStore;
use crate::bench::bulk::fill;
use crate::bench::chains::{chains, encoded};
use crate::bench::child::ChildServer;
use crate::bench::connections::{allow_files, at_once, idle};
use crate::bench::goal::{Surroundings, standings};
use crate::bench::options::{BenchOptions, FormatChoice, Workload};
use crate::bench::pass::{Pass, Purpose};
use crate::bench::plan::{Planned, plan};
use crate::bench::processors::Processors;
use crate::bench::report::Report;
use crate::bench::stage::{REDIRECT_URI, Stage, StagedClient, VERIFIER};
use crate::config::StoreConfig;

/// How often the disk is synced to see how long that takes, before the loads and after.
const SYNCS: u32 = 200;

/// How many files this process and the server may open where they have many connections.
const FILES: u64 = 20_000;

/// A load, and what it needs of the store.
struct Staged {
    planned: Planned,
    client: StagedClient,
    tokens: Vec<String>,
}

/// Runs all loads of a measurement, and prints what they show.
///
/// # Errors
/// When there is no disk to measure on, or a server does not start or answer.
pub(super) fn bench_own_server(options: &BenchOptions) -> Result<()> {
    let report = Report::new(options.json);
    let (folder, file_system) = folder(options)?;
    let data = folder.path().join("data");
    let store = BenchStore::of(options)?;
    if matches!(options.workload, Workload::Idle | Workload::Overload) {
        allow_files(FILES)?;
    }
    let (staged, grant_bytes) = stage(options, &data, &store, &report)?;
    let processors = Processors::choose(options.pin)?;
    let sync = measure_sync(folder.path(), SYNCS)?;
    report.begin(&file_system, &sync, &processors)?;

    let mut passes = Vec::new();
    report.passes()?;
    let bare = staged.iter().filter(|load| load.planned.workload == Workload::Hello);
    for load in bare {
        let server = processors.for_server(|| ChildServer::bare(folder.path()))?;
        passes.push(pass(options, load, &server, &passes)?);
        report.pass(&passes[passes.len() - 1])?;
    }
    let file_bytes = || fs::metadata(data.join(DATABASE)).ok().map(|file| file.len());
    let own: Vec<&Staged> = staged.iter().filter(|load| load.planned.workload != Workload::Hello).collect();
    let Some(first) = own.first() else { return Ok(()) };
    let started = || ChildServer::regrant(folder.path(), &data, &store);
    let (server, start_milliseconds) = start(started, &first.client, &processors)?;
    let resident_bytes = server.processes(&[])?.memory().resident;
    match options.workload {
        Workload::AtOnce => {
            return report.standings(&[at_once(&server, &first.client, &first.tokens[0], first.planned.chains)?]);
        }
        Workload::Idle => return report.standings(&[idle(&server, &first.client)?]),
        Workload::Refresh
        | Workload::Exchange
        | Workload::ClientCredentials
        | Workload::Introspect
        | Workload::Revoke
        | Workload::Overload
        | Workload::Hello
        | Workload::Instructions
        | Workload::Bare => {}
    }
    let bytes_before = file_bytes();
    for load in own {
        passes.push(pass(options, load, &server, &passes)?);
        report.pass(&passes[passes.len() - 1])?;
    }
    let growth_bytes = file_bytes().zip(bytes_before).map(|(after, before)| after.saturating_sub(before));
    let sync = better(sync, measure_sync(folder.path(), SYNCS)?);
    let has_other_grants = options.grants > 0;
    let around = Surroundings {
        store: options.store,
        sync,
        start_milliseconds,
        resident_bytes,
        has_other_grants,
        growth_bytes,
        grant_bytes,
        database_is_counted: !options.other.pid.is_empty(),
    };
    report.standings(&standings(&passes, &around))
}

/// A directory on disk that goes again.
pub(super) fn folder(options: &BenchOptions) -> Result<(TempDir, FileSystem)> {
    let parent = options.directory.clone().unwrap_or_else(env::temp_dir);
    let file_system = file_system(&parent)?;
    ensure!(
        !file_system.is_memory(),
        "{} is in memory ({}), where a sync costs nothing; name a directory on a disk with --directory",
        parent.display(),
        file_system.kind
    );
    Ok((TempDir::new_in(&parent).with_context(|| parent.display().to_string())?, file_system))
}

/// What the disk can do: the better of two moments, as a neighbour may have had it in the other.
fn better(one: SyncTimes, other: SyncTimes) -> SyncTimes {
    if one.in_place_p50 <= other.in_place_p50 { one } else { other }
}

/// Makes the store, and tells how many bytes each of many grants takes in it.
fn stage(
    options: &BenchOptions,
    data: &Path,
    store: &BenchStore,
    report: &Report,
) -> Result<(Vec<Staged>, Option<f64>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let stage = Stage::open(data, store).await?;
        let mut clients: Vec<(FormatChoice, StagedClient)> = Vec::new();
        let mut staged = Vec::new();
        for planned in plan(options) {
            let known = clients.iter().find(|(format, _)| *format == planned.format).map(|(_, client)| client.clone());
            let client = match known {
                Some(client) => client,
                None => {
                    let name = format!("bench-{}", planned.format.name());
                    let client = stage.client(&name, planned.format.format()).await?;
                    clients.push((planned.format, client.clone()));
                    client
                }
            };
            let count = planned.tokens(options.supply as usize);
            let tokens = match planned.workload {
                Workload::Exchange => stage.codes(&client, count).await?,
                Workload::Refresh
                | Workload::ClientCredentials
                | Workload::Introspect
                | Workload::Revoke
                | Workload::AtOnce
                | Workload::Idle
                | Workload::Overload
                | Workload::Hello
                | Workload::Bare
                | Workload::Instructions => stage.refresh_tokens(&client, count).await?,
            };
            staged.push(Staged { planned, client, tokens });
        }
        let mut grant_bytes = None;
        if let Some((_, client)) = clients.first().filter(|_| options.grants > 0) {
            let count = options.grants as usize;
            grant_bytes = Some(match store.config()? {
                StoreConfig::Sqlite => {
                    stage.bystanders(client, count, &data.join(DATABASE)).await? as f64 / count as f64
                }
                StoreConfig::Postgres(settings) => {
                    let filled = fill(settings.address, &stage.bystander(client).await?, count).await?;
                    report.sizes(&filled.sizes)?;
                    filled.grant_bytes
                }
            });
        }
        Ok((staged, grant_bytes))
    })
}

/// Starts the server, and tells how many milliseconds it took until its first answer.
fn start(
    server: impl FnOnce() -> Result<ChildServer>,
    client: &StagedClient,
    processors: &Processors,
) -> Result<(ChildServer, f64)> {
    let begun = Instant::now();
    let server = processors.for_server(server)?;
    let endpoint = Endpoint::new(&format!("{}/token", server.url), None, None)?;
    let answers = ask(&endpoint, &[format!("grant_type=client_credentials&{}", client.form)])?;
    let took = begun.elapsed().as_secs_f64() * 1e3;
    let (status, body) = &answers[0];
    ensure!(*status == 200, "the first answer was {status}: {body}");
    Ok((server, took))
}

fn pass(options: &BenchOptions, load: &Staged, server: &ChildServer, before: &[Pass]) -> Result<Pass> {
    let Staged { planned, client, tokens } = load;
    let url = |path: &str| format!("{}{path}", server.url);
    let token = Endpoint::new(&url("/token"), None, None)?;
    let (endpoint, rest, tokens) = match planned.workload {
        Workload::Introspect => {
            let access = access_tokens(&token, client, tokens)?;
            (Endpoint::new(&url("/introspect"), None, None)?, client.form.clone(), access)
        }
        Workload::Revoke => (Endpoint::new(&url("/revoke"), None, None)?, client.form.clone(), tokens.clone()),
        Workload::Exchange => {
            let proof = format!("redirect_uri={}&code_verifier={VERIFIER}", encoded(REDIRECT_URI));
            (token, format!("{}&{proof}", client.form), tokens.clone())
        }
        Workload::Refresh
        | Workload::ClientCredentials
        | Workload::AtOnce
        | Workload::Idle
        | Workload::Overload
        | Workload::Hello
        | Workload::Bare
        | Workload::Instructions => (token, client.form.clone(), tokens.clone()),
    };
    let kind = planned.kind();
    let is_peak = |pass: &&Pass| {
        let other = pass.kind;
        other.purpose == Purpose::Peak && (other.workload, other.access_token) == (kind.workload, kind.access_token)
    };
    let pace = planned.pace(options.rate, before.iter().find(is_peak).map(|pass| pass.measured.rate()));
    let measured = run(Load {
        chains: chains(planned.workload, &endpoint, &rest, &tokens, planned.chains)?,
        endpoint,
        pace,
        warm_up: Duration::from_secs(options.warm_up.into()),
        length: Duration::from_secs(options.seconds.into()),
        // The database works for our server, and not for the bare one.
        server: Some(server.processes(if planned.workload == Workload::Hello { &[] } else { &options.other.pid })?),
    })?;
    Ok(Pass { kind, chains: planned.chains, pace, measured })
}

/// One access token of each grant.
fn access_tokens(endpoint: &Endpoint, client: &StagedClient, tokens: &[String]) -> Result<Vec<String>> {
    let form = |token: &String| format!("grant_type=refresh_token&{}&refresh_token={token}", client.form);
    let forms: Vec<String> = tokens.iter().map(form).collect();
    let answers = ask(endpoint, &forms)?;
    answers.iter().map(|(status, body)| member(*status, body, "access_token")).collect()
}

/// A text of a good answer.
pub(super) fn member(status: u16, body: &str, name: &str) -> Result<String> {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let text = answer[name].as_str().filter(|_| status == 200);
    text.map(str::to_owned).with_context(|| format!("the server answered {status} and no {name}"))
}
