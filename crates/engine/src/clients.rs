use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use regrant_crypto::StoredSecret;
use regrant_protocol::ClientId;
use regrant_store::{Client, Store, StoreError};

/// The most clients that are kept in memory.
const CLIENTS_CACHED_MAX: usize = 10_000;

/// Clients that were read before. An old copy is noticed by its version, which every step reads anew.
pub(crate) struct Clients {
    cached: RwLock<HashMap<ClientId, Arc<CachedClient>>>,
}

/// A client, and the proof of its secret after it authenticated once.
pub(crate) struct CachedClient {
    pub(crate) client: Client,
    /// A keyed hash of the secret that Argon2id accepted, so that it is not asked again.
    pub(crate) accepted_secret: OnceLock<StoredSecret>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        Self { cached: RwLock::new(HashMap::new()) }
    }

    /// The client of this name, from memory where it is known.
    pub(crate) async fn find(&self, store: &dyn Store, id: &ClientId) -> Result<Option<Arc<CachedClient>>, StoreError> {
        let known = self.cached.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        match known {
            Some(client) => Ok(Some(client)),
            None => self.reload(store, id).await,
        }
    }

    /// The client of this name as the store has it now. Names that do not exist are not remembered.
    pub(crate) async fn reload(
        &self,
        store: &dyn Store,
        id: &ClientId,
    ) -> Result<Option<Arc<CachedClient>>, StoreError> {
        let read = store.client(id).await?;
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        let Some(client) = read else {
            cached.remove(id);
            return Ok(None);
        };
        // A reload of the same version keeps what Argon2id accepted.
        if let Some(same) = cached.get(id).filter(|known| known.client.party.version == client.party.version) {
            return Ok(Some(Arc::clone(same)));
        }
        if cached.len() >= CLIENTS_CACHED_MAX
            && let Some(other) = cached.keys().next().cloned()
        {
            cached.remove(&other);
        }
        let client = Arc::new(CachedClient { client, accepted_secret: OnceLock::new() });
        cached.insert(id.clone(), Arc::clone(&client));
        Ok(Some(client))
    }
}
