use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use regrant_engine::AuthorizationServer;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use crate::config::{Config, ConfigOptions};
use crate::log::LogControl;
use crate::metrics::Metrics;
use crate::old_server::set_old_servers;
use crate::program::StoreProgram;
use crate::service_manager;

use super::admin::AdminDoor;
use super::branded;
use super::certificate_files::CertificateFiles;
use super::clients::DescribedClients;

/// What a running server takes from a new configuration.
pub(super) struct Reloading {
    pub(super) options: ConfigOptions,
    /// What the server was started with, and what holds for everything that only a new start changes.
    pub(super) started: Config,
    pub(super) server: Arc<AuthorizationServer>,
    pub(super) clients: DescribedClients,
    pub(super) program: Arc<StoreProgram>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) routes: watch::Sender<Router>,
    pub(super) admin_door: AdminDoor,
    pub(super) log: LogControl,
    pub(super) certificate: Option<CertificateFiles>,
}

impl Reloading {
    /// Reads the configuration again whenever the process is told to, looks after the files of the certificate, and tells when other nodes have
    /// changed what the configuration says.
    pub(super) async fn on(mut self, mut hangups: Signal) -> Infallible {
        let mut looks = interval(Duration::from_secs(CERTIFICATE_LOOK_SECONDS));
        let mut comparisons = interval(Duration::from_secs(CLIENTS_COMPARED_SECONDS));
        comparisons.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = hangups.recv() => {
                    service_manager::reloading();
                    self.reload().await;
                    service_manager::ready();
                }
                _ = looks.tick() => self.renew_certificate(),
                _ = comparisons.tick() => self.clients.compare(&self.server).await,
            }
        }
    }

    fn renew_certificate(&mut self) {
        if let Some(certificate) = &mut self.certificate {
            certificate.renew(self.server.issuer());
        }
    }

    async fn reload(&mut self) {
        let config = match self.options.load() {
            Ok(config) => config,
            Err(errors) => {
                for problem in errors.problems() {
                    error!(%problem, "the new configuration is refused, and the old one stays");
                }
                return;
            }
        };
        for warning in &config.warnings {
            warn!(%warning, "the configuration can be used, but");
        }
        for key in self.started.needs_restart(&config) {
            warn!(key, "changed in the configuration; the new value holds from the next start on");
        }
        if let (Some(certificate), Some(files)) = (&mut self.certificate, &config.tls) {
            certificate.name(files.clone());
        }
        self.renew_certificate();
        self.admin_door.replace_token(config.admin.token.clone());
        self.log.set(&config.log.level);
        if let Err(error) = self.log.reopen() {
            error!(%error, "log.audit cannot be opened anew, and goes on in the file that was open");
        }
        self.program.set_defaults(config.defaults.clone());
        self.program.set_configured(config.clients());
        drop(self.routes.send_replace(branded::routes(&self.server, &self.metrics, &config)));
        if let Err(error) = set_old_servers(&self.server, config.old_servers()).await {
            error!(error = format!("{error:#}"), "an old server cannot be used; all of them stay as they were");
        }
        match self.clients.keep(&self.server, config.clients()).await {
            Ok(()) => info!(clients = config.clients().len(), "read the configuration again"),
            Err(error) => {
                error!(
                    error = format!("{error:#}"),
                    "a client cannot be changed; the clients after it stay as they were"
                );
            }
        }
    }
}

/// How often it is looked whether the files of the certificate have changed.
const CERTIFICATE_LOOK_SECONDS: u64 = 5;

/// How often clients are compared with the configuration, where a change was heard of.
const CLIENTS_COMPARED_SECONDS: u64 = 1;
