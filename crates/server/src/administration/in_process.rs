use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use regrant_admin::Administration;
use regrant_data_directory::DataDirectory;
use regrant_engine::{Door, Hooks, SESSION_SECONDS};
use regrant_protocol::Issuer;
use regrant_store::ClientDefaults;

use crate::open_store::open_server;
use crate::program::StoreProgram;

use super::place::Place;

/// The admin API, answered by this process, which has the directory for itself.
///
/// # Errors
/// When keys or store cannot be opened, or nobody says where the store is.
pub(super) async fn router(place: &Place, directory: &Arc<DataDirectory>) -> Result<Router> {
    place.require_known_store()?;
    place.begin_trail()?;
    let config = place.config.as_ref();
    let issuer = config.map_or_else(|| Issuer::parse(UNKNOWN_ISSUER), |config| Ok(config.server.issuer.clone()))?;
    let session_seconds = config.map_or(SESSION_SECONDS, |config| config.sessions.lifetime_seconds);
    let server =
        open_server(place.store(), place.outside(), directory, issuer, session_seconds, Hooks::default()).await?;
    let defaults = config.map_or(ClientDefaults::BUILT_IN, |config| config.defaults.clone());
    let program = StoreProgram::alone(place.store(), &place.data, defaults);
    program.set_configured(config.map_or(&[], |config| config.clients()));
    let administration = Administration { server, key_file: Arc::clone(directory) as _, program: Arc::new(program) };
    Ok(regrant_admin::router(Arc::new(administration), Door::Process))
}

/// Nothing is issued here, so it is in no token.
const UNKNOWN_ISSUER: &str = "http://localhost";
