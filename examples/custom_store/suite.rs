//! The tests that every store must pass, on the custom store.

use std::sync::Arc;

use custom_store::Memory;
use regrant::async_trait;
use regrant::store::suite::Place;
use regrant::store::{Clock, Realm, Store, store_suite};
use tokio::sync::OnceCell;

/// A memory that outlives the stores that are opened in it, as a disk would.
#[derive(Default)]
struct Shelf(OnceCell<Memory>);

#[async_trait]
impl Place for Shelf {
    async fn open(&self, realm: Realm, epoch_random: [u8; 16], clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let memory = self.0.get_or_init(|| async { Memory::of(realm, epoch_random) }).await;
        Arc::new(memory.store(clock))
    }
}

store_suite!(memory, Shelf::default());
