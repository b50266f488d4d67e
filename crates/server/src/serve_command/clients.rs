use anyhow::{Context, Result};
use regrant_engine::{AuthorizationServer, Kept};
use tracing::info;

use crate::config::ConfiguredClient;

/// Registers the clients that are new, and changes those that are others than the configuration says. The rest is not written,
/// so that versions do not move at every start.
///
/// # Errors
/// The first client that cannot be as it is described; those after it are as they were.
pub(super) async fn keep_clients(server: &AuthorizationServer, clients: &[ConfiguredClient]) -> Result<()> {
    for client in clients {
        let kept = server.keep_client(&client.id, client.secrecy.clone(), client.settings.clone()).await;
        let kept = kept.with_context(|| format!("{}: client {:?}", client.origin, client.id.as_str()))?;
        match kept {
            Kept::Registered => info!(client = %client.id, "registered"),
            Kept::Changed => info!(client = %client.id, "changed"),
            Kept::Unchanged => {}
        }
    }
    Ok(())
}
