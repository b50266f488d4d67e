//! What the connection's reader tells the service about each request: when it arrived, and whether it is refused.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use regrant_http::FirstByte;

use super::refusal::Refusal;

/// One request whose head has been passed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) first_byte: FirstByte,
    /// What to answer instead of calling the handler.
    pub(super) refusal: Option<Refusal>,
}

/// The requests of one connection that were passed on and not yet begun, in order.
///
/// As hyper reads no further while it holds the head of a next request, these are at most the requests that fit
/// into one read of [`READ_BYTES_MAX`](super::READ_BYTES_MAX).
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    waiting: Mutex<VecDeque<Arrival>>,
    is_body_late: AtomicBool,
}

impl Arrivals {
    pub(super) fn announce(&self, arrival: Arrival) {
        self.waiting().push_back(arrival);
    }

    /// The request that is begun now. hyper parses what was announced, in order, and nothing else.
    pub(super) fn begin(&self) -> Option<Arrival> {
        self.waiting().pop_front()
    }

    /// Notes that the body of the running request did not arrive in time.
    pub(super) fn give_up_body(&self) {
        self.is_body_late.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_body_late(&self) -> bool {
        self.is_body_late.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arrival>> {
        // A push or a pop leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long it is since `moment`.
pub(crate) fn elapsed(moment: Instant) -> Duration {
    monotonic_now().saturating_duration_since(moment)
}

/// The monotonic time.
#[expect(clippy::disallowed_methods, reason = "sockets live in real time; nothing is decided here but when to hang up")]
pub(super) fn monotonic_now() -> Instant {
    Instant::now()
}
