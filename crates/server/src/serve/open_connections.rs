use std::sync::atomic::{AtomicUsize, Ordering};

/// How many connections of this process are open.
pub(crate) fn connections_open() -> usize {
    CONNECTIONS_OPEN.load(Ordering::Relaxed)
}

static CONNECTIONS_OPEN: AtomicUsize = AtomicUsize::new(0);

/// A connection that counts as open until it is dropped.
pub(super) struct OpenConnection;

impl OpenConnection {
    pub(super) fn new() -> Self {
        CONNECTIONS_OPEN.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        CONNECTIONS_OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}
