use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Notify, watch};

use super::Ended;
use crate::token_memory::TokenKey;

/// The most callers that wait for one presentation; the next is told to come again.
const PASSENGERS_MAX: usize = 64;

/// The presentations that go on: of each token one, whoever else comes with it meanwhile.
#[derive(Default)]
pub(super) struct Flights {
    open: Mutex<HashMap<TokenKey, Weak<watch::Sender<Option<Ended>>>>>,
    all_ended: Notify,
}

/// What somebody waits for who came with a token.
pub(super) type Passage = watch::Receiver<Option<Ended>>;

/// One presentation. When it is dropped, it has ended, with or without an answer.
pub(super) struct Flight {
    flights: Arc<Flights>,
    key: TokenKey,
    told: Arc<watch::Sender<Option<Ended>>>,
}

/// Too many wait for one presentation already.
pub(super) struct Full;

impl Flights {
    /// The presentation of this token that goes on; `None` when there is none.
    pub(super) fn join(&self, key: &TokenKey) -> Result<Option<Passage>, Full> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get(key).and_then(Weak::upgrade) {
            Some(told) if told.receiver_count() >= PASSENGERS_MAX => Err(Full),
            told => Ok(told.map(|told| told.subscribe())),
        }
    }

    /// Begins one; `None` when somebody else just has.
    pub(super) fn begin(self: &Arc<Self>, key: TokenKey) -> Option<(Passage, Flight)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains_key(&key) {
            return None;
        }
        let (told, passage) = watch::channel(None);
        let told = Arc::new(told);
        open.insert(key, Arc::downgrade(&told));
        Some((passage, Flight { flights: Arc::clone(self), key, told }))
    }

    /// Waits until none goes on.
    pub(super) async fn ended(&self) {
        loop {
            let mut ended = std::pin::pin!(self.all_ended.notified());
            ended.as_mut().enable();
            if self.open.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            ended.await;
        }
    }
}

impl Flight {
    /// Tells everybody who waits.
    pub(super) fn tell(&self, ended: Ended) {
        self.told.send_replace(Some(ended));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut open = self.flights.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&self.key);
        if open.is_empty() {
            self.flights.all_ended.notify_waiters();
        }
    }
}
