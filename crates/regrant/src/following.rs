use std::convert::Infallible;
use std::sync::Arc;

use regrant_engine::{AuthorizationServer, KeyFile};
use tokio::task::JoinHandle;

/// Following what other servers on the same store change, in a task of its own until this is dropped.
pub(crate) struct Following(JoinHandle<Infallible>);

impl Following {
    /// `None` where there is nobody to follow.
    pub(crate) fn begin(server: &Arc<AuthorizationServer>, name: String, key_file: Arc<dyn KeyFile>) -> Option<Self> {
        server.store().shared()?;
        Some(Self(tokio::spawn(server.follower(name, key_file).run(|_| {}))))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}
