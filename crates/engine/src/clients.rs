use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use regrant_crypto::{ClientSecret, Pepper, StoredSecret, StoredSecretError};
use regrant_protocol::ClientId;
use regrant_store::{Client, Store, StoreError};

/// The most clients that are kept in memory.
const CLIENTS_CACHED_MAX: usize = 10_000;

/// Clients that were read before. An old copy is noticed by its version, which every step reads anew.
pub(crate) struct Clients {
    cached: RwLock<HashMap<ClientId, Cached>>,
    /// How often another node may have changed one.
    doubts: AtomicU64,
}

/// A client in memory.
struct Cached {
    client: Arc<CachedClient>,
    /// How many doubts there were when it was read.
    doubts: u64,
}

/// A client, and the proof of its secret after it authenticated once.
pub(crate) struct CachedClient {
    pub(crate) client: Client,
    /// What is kept of its secret, read once; `None` when it has none.
    pub(crate) stored_secret: Option<Result<StoredSecret, StoredSecretError>>,
    /// A keyed hash of the secret that Argon2id accepted, so that it is not asked again.
    pub(crate) accepted_secret: OnceLock<StoredSecret>,
    /// Held by the one who asks Argon2id first.
    pub(crate) accepting: tokio::sync::Mutex<()>,
}

impl CachedClient {
    /// A client as the store has it now. What Argon2id accepted of `older` holds for as long as the credential is the same.
    fn new(client: Client, older: Option<&Self>) -> Self {
        let same = older.filter(|older| older.client.settings.credential == client.settings.credential);
        let accepted_secret = same.map(|older| older.accepted_secret.clone()).unwrap_or_default();
        let credential = client.settings.credential.as_ref();
        let stored_secret = credential.map(|credential| StoredSecret::parse(credential.expose()));
        Self { client, stored_secret, accepted_secret, accepting: tokio::sync::Mutex::new(()) }
    }

    /// Whether this is the secret that Argon2id accepted before.
    pub(crate) fn accepts(&self, pepper: &Pepper, presented: &ClientSecret) -> bool {
        self.accepted_secret.get().is_some_and(|accepted| accepted.matches_keyed(pepper, presented))
    }
}

impl Clients {
    pub(crate) fn new() -> Self {
        Self { cached: RwLock::new(HashMap::new()), doubts: AtomicU64::new(0) }
    }

    /// Says that another node may have changed a client: each is read anew when it is asked for next.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
    }

    /// How often that was said.
    pub(crate) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::SeqCst)
    }

    /// The client of this name, from memory where it is known.
    pub(crate) async fn find(&self, store: &dyn Store, id: &ClientId) -> Result<Option<Arc<CachedClient>>, StoreError> {
        let doubts = self.doubts();
        let known = {
            let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
            cached.get(id).filter(|known| known.doubts == doubts).map(|known| Arc::clone(&known.client))
        };
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
        let doubts = self.doubts();
        let read = store.client(id).await?;
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        let Some(client) = read else {
            cached.remove(id);
            return Ok(None);
        };
        // Whoever has the same shares it, and the wait for Argon2id. After a fail-over that has lost changes, another client may
        // have the same version.
        if let Some(same) = cached.get_mut(id).filter(|known| known.client.client == client) {
            same.doubts = doubts;
            return Ok(Some(Arc::clone(&same.client)));
        }
        let client = Arc::new(CachedClient::new(client, cached.get(id).map(|known| &*known.client)));
        if cached.len() >= CLIENTS_CACHED_MAX
            && let Some(other) = cached.keys().next().cloned()
        {
            cached.remove(&other);
        }
        cached.insert(id.clone(), Cached { client: Arc::clone(&client), doubts });
        Ok(Some(client))
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{Secret, TokenEndpointAuthMethod};
    use regrant_store::ClientSettings;

    use super::*;
    use crate::Secrecy;
    use crate::world::{World, settings};

    #[tokio::test]
    async fn a_client_that_another_node_may_have_changed_is_read_anew_once() {
        let world = World::new().await;
        let (server, id) = (&world.server, ClientId::parse("app").unwrap());
        let clients = Clients::new();
        let named = async || clients.find(&*server.store, &id).await.unwrap().unwrap().client.settings.name.clone();
        assert_eq!(named().await, None);
        world.change(|settings| settings.name = Some("Photos".to_owned())).await;
        assert_eq!(named().await, None, "nobody said so");
        clients.doubt();
        assert_eq!(named().await.as_deref(), Some("Photos"));
        let before = clients.find(&*server.store, &id).await.unwrap().unwrap();
        clients.doubt();
        let same = clients.find(&*server.store, &id).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&before, &same), "what is as it was is shared");
    }

    #[tokio::test]
    async fn what_argon2id_accepted_holds_through_changes_until_the_secret_is_another() {
        let world = World::new().await;
        let (server, id) = (&world.server, ClientId::parse("web").unwrap());
        let chosen = || Secret::new("pomegranate".to_owned());
        let own = ClientSettings { auth_methods: vec![TokenEndpointAuthMethod::ClientSecretBasic], ..settings() };
        server.register_client(id.clone(), Secrecy::Chosen(chosen()), own).await.unwrap();
        let clients = Clients::new();
        let read = async || clients.reload(&*server.store, &id).await.unwrap().unwrap();
        let presented = ClientSecret::new("pomegranate").unwrap();
        let accepted = StoredSecret::keyed(&server.process_pepper, &presented);
        read().await.accepted_secret.set(accepted).unwrap();

        let renamed = |client: &Client| {
            let name = Some("Photos".to_owned());
            Ok::<_, crate::RegistrationError>(ClientSettings { name, ..client.settings.clone() })
        };
        server.update_client(&id, renamed).await.unwrap();
        server.set_client_enabled(&id, false).await.unwrap();
        let changed = read().await;
        assert_eq!(changed.client.settings.name.as_deref(), Some("Photos"));
        assert!(changed.accepts(&server.process_pepper, &presented));
        server.rotate_client_secret(&id, Some(chosen())).await.unwrap();
        assert!(!read().await.accepts(&server.process_pepper, &presented), "the same secret has another hash");
    }
}
