use regrant_grant::{GrantId, Write};
use regrant_protocol::Timestamp;
use regrant_store::{Scene, Store, StoreError, Target, decide_in};

/// What the store's clock shows, by which everything in it was written: that of a node may be ahead or behind.
///
/// # Errors
/// When the store failed.
pub(crate) async fn store_time(store: &dyn Store) -> Result<Timestamp, StoreError> {
    // The step sees the time, whether there is such a grant or not.
    let any = Target::Grant(GrantId([0; 16]));
    decide_in(store, any, None, |scene: &Scene<'_>| (scene.now, Write::Nothing)).await
}
