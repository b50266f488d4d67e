use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use regrant_store::{Mark, Reached};

/// The mark of a node, which outlives it.
#[derive(Clone, Default)]
pub(super) struct KeptMark(Arc<State>);

#[derive(Default)]
struct State {
    reached: Mutex<Option<Reached>>,
    journalled: AtomicU64,
}

impl KeptMark {
    /// The last record of the journal that the node knew of.
    pub(super) fn record(&self) -> u64 {
        self.0.journalled.load(Ordering::SeqCst)
    }
}

impl Mark for KeptMark {
    fn seen(&self) -> Option<Reached> {
        *self.0.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raise(&self, reached: Reached) {
        *self.0.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(reached);
    }

    fn journalled(&self, number: u64) {
        self.0.journalled.fetch_max(number, Ordering::SeqCst);
    }
}
