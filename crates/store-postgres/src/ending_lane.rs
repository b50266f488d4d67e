use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use regrant_grant::GrantId;
use regrant_store::Target;
use tokio::sync::mpsc::UnboundedSender;

use crate::alone::grant_of;
use crate::lane::Waiting;

/// Where the lanes send what ends something, when that is to be in a journal first: that may be slow or away, and no refresh is to
/// wait with it.
#[derive(Clone)]
pub(crate) struct EndingLane {
    queue: UnboundedSender<Waiting>,
    grants: Arc<Mutex<HashMap<GrantId, usize>>>,
}

impl EndingLane {
    /// The lane behind this queue.
    pub(crate) fn new(queue: UnboundedSender<Waiting>) -> Self {
        Self { queue, grants: Arc::default() }
    }

    /// Takes a step. Where nobody serves any more it is dropped, and so is its answer.
    pub(crate) fn take(&self, mut step: Waiting) {
        step.being_ended = grant_of(&step.target).map(|grant| BeingEnded::new(grant, &self.grants));
        let _ = self.queue.send(step);
    }

    /// Whether a step on the same grant was taken, and not answered yet.
    pub(crate) fn is_ending(&self, target: &Target) -> bool {
        let is_there = |grant| self.grants.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&grant);
        grant_of(target).is_some_and(is_there)
    }
}

/// That a step on this grant waits, until this is dropped.
pub(crate) struct BeingEnded {
    grant: GrantId,
    grants: Arc<Mutex<HashMap<GrantId, usize>>>,
}

impl BeingEnded {
    fn new(grant: GrantId, grants: &Arc<Mutex<HashMap<GrantId, usize>>>) -> Self {
        *grants.lock().unwrap_or_else(PoisonError::into_inner).entry(grant).or_default() += 1;
        Self { grant, grants: Arc::clone(grants) }
    }
}

impl Drop for BeingEnded {
    fn drop(&mut self) {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = grants.get_mut(&self.grant) {
            *count -= 1;
            if *count == 0 {
                grants.remove(&self.grant);
            }
        }
    }
}
