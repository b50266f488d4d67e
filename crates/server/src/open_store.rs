//! The store that a configuration names, opened together with the keys that belong to it.

use std::sync::Arc;

use anyhow::{Context, Result};
use regrant_crypto::{KeyRing, SystemEntropy};
use regrant_data_directory::{DataDirectory, OutsideFiles};
use regrant_engine::{AuthorizationServer, Hooks, Parts};
use regrant_protocol::{Clock, Issuer, SystemClock};
use regrant_store::Store;

use crate::config::StoreConfig;

/// Opens the store, and the key file in `directory`; both are made where there is neither. Without `outside`, nobody says where the
/// files outside the database are.
///
/// # Errors
/// Why one of them cannot be used, in one line that says what to do.
pub(crate) async fn open_store(
    config: &StoreConfig,
    outside: Option<&OutsideFiles>,
    directory: &DataDirectory,
    clock: Arc<dyn Clock>,
) -> Result<(KeyRing, Arc<dyn Store>)> {
    Ok(match config {
        StoreConfig::Sqlite => {
            // The key file first: a store without it is of no use to anybody.
            let ring = directory.key_ring(&SystemEntropy)?;
            let store = match outside {
                Some(outside) => directory.store_beside(&SystemEntropy, clock, outside)?,
                None => directory.store(&SystemEntropy, clock)?,
            };
            (ring, Arc::new(store))
        }
        StoreConfig::Postgres(settings) => {
            let (settings, nothing) = (settings.as_ref().clone(), OutsideFiles::default());
            let outside = outside.unwrap_or(&nothing);
            let (ring, store) = directory.postgres_beside(settings, &SystemEntropy, clock, outside).await?;
            (ring, Arc::new(store))
        }
    })
}

/// Opens a server on the store, by the clock and the randomness of this machine.
///
/// # Errors
/// As [`open_store`]; and when store and keys do not belong together.
pub(crate) async fn open_server(
    config: &StoreConfig,
    outside: Option<&OutsideFiles>,
    directory: &DataDirectory,
    issuer: Issuer,
    session_seconds: u32,
    hooks: Hooks,
) -> Result<Arc<AuthorizationServer>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (ring, store) = open_store(config, outside, directory, Arc::clone(&clock)).await?;
    let parts = Parts { issuer, store, ring, clock, entropy: Arc::new(SystemEntropy), session_seconds, hooks };
    let opened = AuthorizationServer::open(parts).await;
    Ok(Arc::new(opened.with_context(|| config.shown(directory.path()))?))
}
