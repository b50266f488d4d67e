use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A server that lets write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// One more with each standby that was promoted.
    pub(crate) timeline: u32,
    /// When it was started, by its own clock, in microseconds.
    pub(crate) started_at: i64,
}

/// The server that all connections of a store lead to: as soon as one of them has reached another, those before it are of no use,
/// however alive the server behind them may seem.
#[derive(Default)]
pub(crate) struct Primary {
    server: Mutex<Option<Server>>,
    /// How often it was another than before.
    generation: AtomicU64,
    /// Whether it did not do in time what was asked of it, since this was asked last.
    is_doubted: AtomicBool,
}

impl Primary {
    /// How often it was another than before.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// The one that was reached last; `None` before the first.
    pub(crate) fn server(&self) -> Option<Server> {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it did not do in time what was asked of it, since this was asked last: another one may have been promoted.
    pub(crate) fn take_doubt(&self) -> bool {
        self.is_doubted.swap(false, Ordering::SeqCst)
    }

    /// Takes a server that was reached for the primary.
    ///
    /// Fails with the newer timeline when it is the primary from before a fail-over, which nobody has stopped.
    pub(crate) fn admit(self: &Arc<Self>, reached: Server) -> Result<OfPrimary, u32> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        match *server {
            Some(present) if reached.timeline < present.timeline => return Err(present.timeline),
            Some(present) if reached != present => {
                self.generation.fetch_add(1, Ordering::SeqCst);
                tracing::info!(timeline = reached.timeline, "the database is another server from now on");
            }
            Some(_) | None => {}
        }
        *server = Some(reached);
        Ok(OfPrimary { primary: Arc::clone(self), generation: self.generation.load(Ordering::SeqCst) })
    }
}

/// That a connection leads to what was the primary when it was made.
pub(crate) struct OfPrimary {
    primary: Arc<Primary>,
    generation: u64,
}

impl OfPrimary {
    /// How often the primary had been another before.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// What was asked of it was not done in time, or not as it has to be.
    pub(crate) fn doubt(&self) {
        if self.holds() {
            self.primary.is_doubted.store(true, Ordering::SeqCst);
        }
    }

    /// Whether it is so still, as far as any connection of the store has found.
    pub(crate) fn holds(&self) -> bool {
        self.primary.generation.load(Ordering::SeqCst) == self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reaches_another_server_retires_all_before_and_nobody_goes_back_to_an_older_timeline() {
        let server = |timeline, started_at| Server { timeline, started_at };
        let primary = Arc::new(Primary::default());
        let first = primary.admit(server(1, 10)).unwrap();
        let again = primary.admit(server(1, 10)).unwrap();
        assert_eq!((first.generation(), first.holds(), again.holds()), (0, true, true));
        let promoted = primary.admit(server(2, 5)).unwrap();
        assert_eq!((promoted.generation(), promoted.holds()), (1, true));
        assert!(!first.holds() && !again.holds());
        for former in [server(1, 10), server(1, 99)] {
            assert_eq!(primary.admit(former).err(), Some(2));
        }
        assert!(promoted.holds(), "as nothing was reached");
        let restarted = primary.admit(server(2, 20)).unwrap();
        assert!(restarted.holds() && !promoted.holds());
    }
}
