//! `regrant serve`: the server as its configuration says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use regrant_admin::Administration;
use regrant_engine::{Hooks, Observer};
use regrant_protocol::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::admin_socket::{ADMIN_SOCKET, AdminSocket};
use crate::config::{Config, ConfigOptions, StoreConfig};
use crate::demo_directory;
use crate::forwarded::believe_proxies;
use crate::log::{self, LogControl};
use crate::metrics::Metrics;
use crate::old_server::set_old_servers;
use crate::open_store::open_server;
use crate::program::StoreProgram;
use crate::request_id::name_requests;
use crate::serve::serve_all;
use crate::standard_output::print_line;
use crate::{service_manager, signals, waiting};

use admin::AdminDoor;
use certificate_files::CertificateFiles;
use clients::DescribedClients;
use following::follow;
use latest::latest;
use reload::Reloading;
use strict_transport::strictly_by_tls;

mod admin;
mod branded;
mod certificate_files;
mod clients;
mod following;
mod latest;
mod reload;
mod strict_transport;

/// What `regrant serve` can be told.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  regrant serve\n  regrant serve --config /etc/regrant/regrant.toml --listen 127.0.0.1:8443"
)]
pub struct ServeOptions {
    #[command(flatten)]
    config: ConfigOptions,
    /// Answer everything on one thread, so that what a request costs can be counted in instructions.
    #[arg(long, hide = true)]
    single_threaded: bool,
}

/// Runs `regrant serve` until the process is told to stop.
///
/// # Errors
/// When the configuration is wrong, or data directory, client or address cannot be used.
pub fn serve_command(options: ServeOptions) -> Result<()> {
    let config = options.config.load()?;
    let log = log::as_configured(&config.log)?;
    let mut runtime = match options.single_threaded {
        true => tokio::runtime::Builder::new_current_thread(),
        false => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().context("cannot start threads")?;
    let ran = runtime.block_on(run(options.config, config, log));
    runtime.shutdown_timeout(Duration::from_secs(LEFT_OVER_SECONDS_MAX));
    ran
}

async fn run(options: ConfigOptions, config: Config, log: LogControl) -> Result<()> {
    // Heard from now on, however long the start takes.
    let (stop, hangups) = (signals::stop()?, signal(SignalKind::hangup())?);
    for warning in &config.warnings {
        warn!(%warning, "the configuration can be used, but");
    }
    let directory = Arc::new(waiting::open(&config.server.data).await?);
    demo_directory::refuse(&config.server.data)?;
    let metrics = Arc::new(Metrics::new(SystemClock.now()));
    let hooks = Hooks { observer: Some(Arc::clone(&metrics) as Arc<dyn Observer>), ..Hooks::default() };
    let (issuer, session_seconds) = (config.server.issuer.clone(), config.sessions.lifetime_seconds);
    let server = open_server(&config.store, Some(&config.outside), &directory, issuer, session_seconds, hooks).await?;
    warn_of_shared_disk(&config);
    let started_at = SystemClock.now();
    let program = StoreProgram::serving(&config.store, directory.path(), config.defaults.clone(), started_at);
    let program = Arc::new(program);
    program.set_configured(config.clients());
    let administration = Arc::new(Administration {
        server: Arc::clone(&server),
        key_file: Arc::clone(&directory) as _,
        program: Arc::clone(&program) as _,
    });
    let socket = AdminSocket::serve(&config.server.data, Arc::clone(&administration), stop.clone().asked());
    let socket = socket.context(ADMIN_SOCKET)?;
    let mut clients = DescribedClients::default();
    clients.keep(&server, config.clients()).await?;
    set_old_servers(&server, config.old_servers()).await?;
    // Before the first answer: clients read the keys once, and ID tokens are signed with this one.
    server.make_rs256_key().await?;

    let (routes, newest) = watch::channel(branded::routes(&server, &metrics, &config));
    let trusted = config.server.trusted_proxies.clone();
    // The name is asked of whoever speaks to us, and not of the source that proxies tell.
    let named = name_requests(believe_proxies(latest(newest), trusted.clone()), trusted);
    let certificate = config.tls.clone().map(CertificateFiles::open).transpose()?;
    if let Some(files) = &certificate {
        files.warn(&config.server.issuer);
    }
    let tls = certificate.as_ref().map(|files| files.current().acceptor());
    let scheme = if tls.is_some() { "https" } else { "http" };
    let service = strictly_by_tls(named, tls.is_some());
    let admin = listen(config.admin.listen.as_slice()).await.context("admin.listen")?;
    let listeners = listen(&config.server.listen).await.context("server.listen")?;
    for listener in &listeners {
        print_line(&format!("listening on {scheme}://{}", listener.local_addr()?))?;
    }
    for listener in &admin {
        print_line(&format!("admin listening on http://{}", listener.local_addr()?))?;
    }
    let store = config.store.shown(&config.server.data);
    info!(issuer = config.server.issuer.as_str(), data = %config.server.data.display(), store, "serving");

    let (limits, asking) = (config.limits, Arc::clone(&server));
    let (admin_door, admin_routes) = AdminDoor::open(administration, Arc::clone(&metrics), config.admin.token.clone());
    let administering = serve_all(admin, None, name_requests(admin_routes, Vec::new()), stop.clone().asked(), limits);
    let following = follow(&server, Arc::clone(&directory) as _, listeners[0].local_addr()?, Arc::clone(&metrics));
    // What is begun of a slice when the server stops is not written.
    let swept = (Arc::clone(&metrics), Arc::clone(&program));
    let sweeping = tokio::spawn(server.sweeper().run(move |outcome| {
        swept.0.swept(outcome);
        swept.1.swept(outcome, SystemClock.now());
    }));
    let reloading =
        Reloading { options, started: config, server, clients, program, metrics, routes, admin_door, log, certificate };
    let stop = async {
        stop.asked().await;
        service_manager::stopping();
    };
    let serving =
        async { tokio::join!(serve_all(listeners, tls, service, stop, limits), administering, socket.ended()) };
    service_manager::ready();
    tokio::select! {
        _ = serving => info!("stopped"),
        never = reloading.on(hangups) => match never {},
    }
    sweeping.abort();
    following.abort();
    // What an old server answers to somebody who has gone is kept too.
    let _ = timeout(limits.drain, asking.take_overs_ended()).await;
    Ok(())
}

/// How long the process stays for what cannot be interrupted once everybody was answered, such as the copy of a large database.
pub(crate) const LEFT_OVER_SECONDS_MAX: u64 = 1;

/// What is lost and put back together with the database cannot tell that it was.
fn warn_of_shared_disk(config: &Config) {
    let files = config.outside.on_the_same_disk(&config.server.data);
    if matches!(config.store, StoreConfig::Sqlite) && !files.is_empty() {
        let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        warn!(
            files = files.join(", "),
            "on the same file system as the database, and lost with it; keep copies elsewhere"
        );
    }
}

async fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.with_context(|| format!("{address} cannot be listened on"))?);
    }
    Ok(listeners)
}
