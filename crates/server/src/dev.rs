//! `regrant dev`: a server on this machine, ready to be tried.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;
use regrant_admin::Administration;
use regrant_crypto::SystemEntropy;
use regrant_engine::{AuthorizationServer, Hooks, Parts, SESSION_SECONDS};
use regrant_http::{Dialect, Dialects};
use regrant_import::settings::System;
use regrant_protocol::{Clock, Issuer, Metadata, SystemClock};
use regrant_store::{ClientDefaults, Store};
use tokio::net::TcpListener;

use crate::admin_socket::{ADMIN_SOCKET, AdminSocket};
use crate::config::{self, StoreConfig};
use crate::demo::{self, DemoSettings};
use crate::demo_directory;
use crate::program::StoreProgram;
use crate::request_id::name_requests;
use crate::serve::{TransportLimits, serve};
use crate::serve_command::LEFT_OVER_SECONDS_MAX;
use crate::site::site;
use crate::standard_output::print_line;
use crate::{signals, tour, waiting};

/// What `regrant dev` can be told.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  regrant dev\n  regrant dev --listen 127.0.0.1:0 --no-tour\n  regrant dev --retry-window 0\n  regrant dev --stand-in bshaffer"
)]
pub struct DevOptions {
    /// Where to listen: a loopback address; port 0 picks a free one and prints it.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where database and keys are kept.
    #[arg(long, value_name = "DIR", default_value = "regrant-data")]
    data: PathBuf,
    /// Serve without showing the tour.
    #[arg(long)]
    no_tour: bool,
    /// How long the demo clients may retry a refresh; with 0 a retry is reuse, and ends the grant. Without it, as long as
    /// the sender's proof allows: 24 hours for TestClient.
    #[arg(long, value_name = "SECONDS")]
    retry_window: Option<u32>,
    /// How long the access tokens of the demo clients live; 0 until the grant ends. Without it an hour, or as long as those of
    /// the system that --stand-in names.
    #[arg(long, value_name = "SECONDS")]
    access_lifetime: Option<u32>,
    /// Speak to clients and treat them as this system does, and show no tour.
    #[arg(long, value_name = "SYSTEM", value_parser = PossibleValuesParser::new(Dialect::NAMES), default_value = "standard")]
    stand_in: String,
}

/// Runs `regrant dev` until the process is told to stop.
///
/// # Errors
/// When address or data directory cannot be used.
pub fn dev(options: DevOptions) -> Result<()> {
    if !options.listen.ip().is_loopback() {
        bail!(
            "--listen {}: dev listens on loopback only, as it speaks plain http and has a known password; \
             use 127.0.0.1:PORT or [::1]:PORT",
            options.listen
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let ran = runtime.block_on(run(options));
    runtime.shutdown_timeout(Duration::from_secs(LEFT_OVER_SECONDS_MAX));
    ran
}

async fn run(options: DevOptions) -> Result<()> {
    // Heard from now on, however long the start takes.
    let stop = signals::stop()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let directory = Arc::new(waiting::open(&options.data).await?);
    demo_directory::claim(&options.data)?;
    let ring = directory.key_ring(&SystemEntropy)?;
    let store: Arc<dyn Store> = Arc::new(directory.store(&SystemEntropy, Arc::clone(&clock))?);
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("--listen {}: choose another port, or 0 for a free one", options.listen))?;
    let address = listener.local_addr()?;

    let issuer = Issuer::parse(&format!("http://{address}"))?;
    let (entropy, session_seconds, hooks) = (Arc::new(SystemEntropy), SESSION_SECONDS, Hooks::default());
    let parts = Parts { issuer, store, ring, clock, entropy, session_seconds, hooks };
    let server = Arc::new(AuthorizationServer::open(parts).await?);
    let stand_in = System::named(&options.stand_in);
    let defaults = stand_in.map_or(ClientDefaults::BUILT_IN, config::defaults_of);
    let program =
        Arc::new(StoreProgram::serving(&StoreConfig::Sqlite, directory.path(), defaults.clone(), SystemClock.now()));
    let administration = Administration {
        server: Arc::clone(&server),
        key_file: Arc::clone(&directory) as _,
        program: Arc::clone(&program) as _,
    };
    let socket = AdminSocket::serve(&options.data, Arc::new(administration), stop.clone().asked());
    let socket = socket.context(ADMIN_SOCKET)?;
    let settings = DemoSettings {
        defaults,
        retry_window_seconds: options.retry_window,
        access_lifetime_seconds: options.access_lifetime,
    };
    demo::prepare(&server, settings).await?;

    // Before the first answer: clients read the keys once, and ID tokens are signed with this one.
    server.make_rs256_key().await?;

    let default = Dialect::named(&options.stand_in).unwrap_or_else(Dialect::standard);
    // At once: whoever waits for the first line may close the pipe behind it.
    let spoken = stand_in.map(|system| spoken(system, &default, address)).unwrap_or_default();
    print_line(&format!("listening on http://{address}\ndata in {}{spoken}", options.data.display()))?;
    let sweeper = server.sweeper();
    let dialects = Dialects { default, ..Dialects::default() };
    let routes = site(Arc::clone(&server), demo::brand(), dialects).merge(demo::api(server));
    // The runtime ends it with the program.
    tokio::spawn(sweeper.run(move |outcome| program.swept(outcome, SystemClock.now())));
    let serving = serve(listener, name_requests(routes, Vec::new()), stop.asked(), TransportLimits::default());
    let serving = async { tokio::join!(serving, socket.ended()) };
    if options.no_tour || stand_in.is_some() {
        serving.await;
    } else {
        let touring = async {
            match tour::show(address).await {
                Ok(()) => Ok(()),
                Err(error) => print_line(&format!("the tour stopped: {error:#}; the server goes on")),
            }
        };
        let (_, toured) = tokio::join!(serving, touring);
        toured?;
    }
    Ok(())
}

/// What is spoken, and where tokens are.
fn spoken(system: System, dialect: &Dialect, address: SocketAddr) -> String {
    let by_option = dialect.paths.by_option.first().map(|page| format!("{page}?option=token&api=oauth2"));
    let token = by_option.as_deref().or(dialect.paths.token.first().copied()).unwrap_or(Metadata::TOKEN_PATH);
    format!("\nstands in for {}; tokens at http://{address}{token}", system.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_endpoint_of_a_stand_in_is_told() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        for (system, path) in [
            (System::Bshaffer, "/token.php"),
            (System::Redcore, "/index.php?option=token&api=oauth2"),
            (System::Wso2, "/oauth2/token"),
            (System::DotAuth, "/token"),
            (System::Jiko, "/api/oauth2/token"),
        ] {
            let name = system.name();
            let dialect = Dialect::named(name).unwrap();
            let expected = format!("\nstands in for {name}; tokens at http://127.0.0.1:8080{path}");
            assert_eq!(spoken(system, &dialect, address), expected);
        }
    }
}
