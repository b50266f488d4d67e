use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::history::Stopwatch;
use crate::load::{Connection, InFlight, Lost};

/// One life of the server, from its start to its death, as its clients see it.
#[derive(Debug)]
pub(crate) struct Life {
    /// How many requests are unanswered.
    pub(crate) in_flight: Arc<InFlight>,
    address: SocketAddr,
    stopwatch: Stopwatch,
    is_about_to_end: AtomicBool,
    acknowledged: AtomicUsize,
    retries: AtomicUsize,
    revoked: AtomicUsize,
    chains_seen: AtomicUsize,
    unavailable: AtomicUsize,
}

/// What was seen to hold in a life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Proved {
    /// Chains whose last acknowledged successor was accepted, and had not been sent before.
    pub(crate) acknowledged: usize,
    /// Chains whose last acknowledged successor was sent before without an answer, was accepted, and got one successor.
    pub(crate) retries: usize,
    /// Chains whose acknowledged revocation held.
    pub(crate) revoked: usize,
    /// Answers 503.
    pub(crate) unavailable: usize,
}

impl Life {
    /// A life that begins at `address`; one that ends by itself is about to end from the start.
    pub(crate) fn new(address: SocketAddr, stopwatch: Stopwatch, ends_by_itself: bool) -> Self {
        Self {
            in_flight: Arc::default(),
            address,
            stopwatch,
            is_about_to_end: AtomicBool::new(ends_by_itself),
            acknowledged: AtomicUsize::new(0),
            retries: AtomicUsize::new(0),
            revoked: AtomicUsize::new(0),
            chains_seen: AtomicUsize::new(0),
            unavailable: AtomicUsize::new(0),
        }
    }

    /// Connects to the server.
    pub(crate) async fn connect(&self) -> Result<Connection, Lost> {
        Connection::open(self.address, &self.in_flight).await
    }

    /// Nanoseconds since the run began.
    pub(crate) fn now(&self) -> u64 {
        self.stopwatch.nanoseconds()
    }

    /// From now on connections may be lost.
    pub(crate) fn announce_end(&self) {
        self.is_about_to_end.store(true, Ordering::SeqCst);
    }

    /// Whether connections may be lost.
    pub(crate) fn is_about_to_end(&self) -> bool {
        self.is_about_to_end.load(Ordering::SeqCst)
    }

    /// The last acknowledged successor of a chain was accepted.
    pub(crate) fn proved_acknowledged(&self) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// The unanswered refresh of a chain got one successor.
    pub(crate) fn proved_retry(&self) {
        self.retries.fetch_add(1, Ordering::SeqCst);
    }

    /// The acknowledged revocation of a chain held.
    pub(crate) fn proved_revoked(&self) {
        self.revoked.fetch_add(1, Ordering::SeqCst);
    }

    /// A chain has seen what it wanted to see, or will not in this life.
    pub(crate) fn saw_chain(&self) {
        self.chains_seen.fetch_add(1, Ordering::SeqCst);
    }

    /// A refresh was answered 503.
    pub(crate) fn saw_unavailable(&self) {
        self.unavailable.fetch_add(1, Ordering::SeqCst);
    }

    /// How many chains need not be waited for any more.
    pub(crate) fn chains_seen(&self) -> usize {
        self.chains_seen.load(Ordering::SeqCst)
    }

    /// What was seen to hold.
    pub(crate) fn proved(&self) -> Proved {
        Proved {
            acknowledged: self.acknowledged.load(Ordering::SeqCst),
            retries: self.retries.load(Ordering::SeqCst),
            revoked: self.revoked.load(Ordering::SeqCst),
            unavailable: self.unavailable.load(Ordering::SeqCst),
        }
    }
}
