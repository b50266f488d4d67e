use std::convert::Infallible;
use std::sync::Arc;

use regrant_engine::{KeyFile, Sweeper};
use tokio::task::JoinHandle;

/// What has to stay until the store is closed: the lock of its data directory, where it lies in one.
pub(crate) type Held = Option<Arc<dyn KeyFile>>;

/// Sweeping that goes on in a task of its own until this is dropped.
pub(crate) struct Sweeping(JoinHandle<Infallible>);

impl Sweeping {
    pub(crate) fn begin(sweeper: Sweeper, held: Held) -> Self {
        Self(tokio::spawn(async move {
            // Dropped in the opposite order: the store first.
            let _held = held;
            let sweeper = sweeper;
            sweeper.run(|_| {}).await
        }))
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}
