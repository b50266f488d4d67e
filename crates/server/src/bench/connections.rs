//! What many connections do to a server: all with the same token at once, and all that wait.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use regrant_bench::{Connection, Endpoint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::{JoinSet, LocalSet};

use crate::bench::child::ChildServer;
use crate::bench::goal::Standing;
use crate::bench::own_server::member;
use crate::bench::stage::StagedClient;

const IDLE_CONNECTIONS: u32 = 10_000;

/// Sends one refresh token on `count` connections at once; all are to be answered, and the grant lives on.
///
/// # Errors
/// When an answer is none, or the successor is refused.
pub(super) fn at_once(server: &ChildServer, client: &StagedClient, token: &str, count: usize) -> Result<Standing> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start threads")?;
    let endpoint = Endpoint::new(&format!("{}/token", server.url), None, None)?;
    let request = |token: &str| {
        let mut request = Vec::new();
        let form = format!("grant_type=refresh_token&{}&refresh_token={token}", client.form);
        endpoint.post(&[&form], &mut request);
        request
    };
    let refresh = async |connection: &mut Connection, request: &[u8]| {
        let heard = connection
            .exchange(request, |answer| member(answer.status, &String::from_utf8_lossy(&answer.body), "refresh_token"));
        heard.await?
    };
    LocalSet::new().block_on(&runtime, async {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Connection::open(&endpoint).await?);
        }
        let mut asked = JoinSet::new();
        for mut connection in connections {
            let request = request(token);
            asked.spawn_local(async move { refresh(&mut connection, &request).await });
        }
        let successors = asked.join_all().await.into_iter().collect::<Result<BTreeSet<String>>>()?;
        let successor = successors.first().context("there was an answer")?;
        let next = refresh(&mut Connection::open(&endpoint).await?, &request(successor)).await?;
        ensure!(!successors.contains(&next), "the successor was not rotated");
        Ok(Standing::of_successors(successors.len()))
    })
}

/// Opens [`IDLE_CONNECTIONS`], lets each have one answer, and tells what each takes in the server's memory while it waits.
///
/// # Errors
/// When the server does not take as many, or does not answer.
pub(super) fn idle(server: &ChildServer, client: &StagedClient) -> Result<Standing> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start threads")?;
    let endpoint = Endpoint::new(&format!("{}/token", server.url), None, None)?;
    let processes = server.processes(&[])?;
    let mut request = Vec::new();
    endpoint.post(&[&format!("grant_type=client_credentials&{}", client.form)], &mut request);
    runtime.block_on(async {
        let before = processes.memory().resident;
        let mut connections = Vec::new();
        for _ in 0..IDLE_CONNECTIONS {
            let mut connection = Connection::open(&endpoint).await?;
            let status = connection.exchange(&request, |answer| answer.status).await?;
            ensure!(status == 200, "connection {} was answered {status}", connections.len() + 1);
            connections.push(connection);
        }
        let more = processes.memory().resident.saturating_sub(before);
        Ok(Standing::of_idle_connections(more as f64 / f64::from(IDLE_CONNECTIONS)))
    })
}

/// Lets this process, and those that it starts, open so many files.
///
/// # Errors
/// When the system does not let it.
pub(super) fn allow_files(count: u64) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < count) {
        let wanted = Rlimit { current: Some(count), maximum };
        setrlimit(Resource::Nofile, wanted)
            .with_context(|| format!("{count} files have to be open at once; see ulimit -n"))?;
    }
    Ok(())
}
