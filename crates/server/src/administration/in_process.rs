use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use regrant_admin::Administration;
use regrant_crypto::SystemEntropy;
use regrant_engine::{AuthorizationServer, Door, Hooks, Parts, SESSION_SECONDS};
use regrant_protocol::{Clock, Issuer, SystemClock};
use regrant_store::{ClientDefaults, Store};

use crate::program::StoreProgram;
use regrant_data_directory::DataDirectory;

use super::place::Place;

/// The admin API, answered by this process, which has the directory for itself.
///
/// # Errors
/// When keys or store cannot be opened.
pub(super) async fn router(place: &Place, directory: &Arc<DataDirectory>) -> Result<Router> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ring = directory.key_ring(&SystemEntropy)?;
    let store: Arc<dyn Store> = Arc::new(directory.store(&SystemEntropy, Arc::clone(&clock))?);
    let config = place.config.as_ref();
    place.begin_trail()?;
    let parts = Parts {
        issuer: config.map_or_else(|| Issuer::parse(UNKNOWN_ISSUER), |config| Ok(config.server.issuer.clone()))?,
        store,
        ring,
        clock,
        entropy: Arc::new(SystemEntropy),
        session_seconds: config.map_or(SESSION_SECONDS, |config| config.sessions.lifetime_seconds),
        hooks: Hooks::default(),
    };
    let defaults = config.map_or(ClientDefaults::BUILT_IN, |config| config.defaults.clone());
    let program = StoreProgram::alone(directory.database(), defaults);
    program.set_configured(config.map_or(&[], |config| config.clients()));
    let administration = Administration {
        server: Arc::new(AuthorizationServer::open(parts).await?),
        key_file: Arc::clone(directory) as _,
        program: Arc::new(program),
    };
    Ok(regrant_admin::router(Arc::new(administration), Door::Process))
}

/// Nothing is issued here, so it is in no token.
const UNKNOWN_ISSUER: &str = "http://localhost";
