use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use regrant_crypto::{ClientSecret, Pepper, StoredSecret};
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
    /// Held by the one who asks Argon2id first.
    pub(crate) accepting: tokio::sync::Mutex<()>,
}

impl CachedClient {
    fn new(client: Client) -> Self {
        Self { client, accepted_secret: OnceLock::new(), accepting: tokio::sync::Mutex::new(()) }
    }

    /// Whether this is the secret that Argon2id accepted before.
    pub(crate) fn accepts(&self, pepper: &Pepper, presented: &ClientSecret) -> bool {
        self.accepted_secret.get().is_some_and(|accepted| accepted.matches_keyed(pepper, presented))
    }
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
        let client = Arc::new(CachedClient::new(client));
        cached.insert(id.clone(), Arc::clone(&client));
        Ok(Some(client))
    }
}
