use std::any::Any;
use std::sync::Arc;

use regrant_engine::Sweeper;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What has to stay until the store is closed: the lock of its data directory, where it lies in one.
pub(crate) type Held = Arc<dyn Any + Send + Sync>;

/// Sweeping that goes on in a task of its own until this is dropped, or the clock jumps.
pub(crate) struct Sweeping(JoinHandle<()>);

impl Sweeping {
    pub(crate) fn begin(sweeper: Sweeper, held: Held) -> Self {
        Self(tokio::spawn(async move {
            // Dropped in the opposite order: the store first.
            let _held = held;
            let sweeper = sweeper;
            while let Some(pause) = sweeper.sweep_slice().await.pause() {
                sleep(pause).await;
            }
        }))
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}
