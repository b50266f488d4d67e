use std::sync::atomic::{AtomicI64, Ordering};

use regrant_protocol::Timestamp;

use crate::nonces::Nonces;

/// What the answers of a server have told this process of it. All clones of a client share it.
#[derive(Debug)]
pub(crate) struct Learned {
    /// How far the server's clock is ahead of ours, in milliseconds; `UNKNOWN` until an answer or a credential tells.
    clock_offset: AtomicI64,
    pub(crate) nonces: Nonces,
}

impl Learned {
    /// Takes over what a credential remembers, unless an answer has told better.
    pub(crate) fn remember_clock_offset(&self, milliseconds: i64) {
        let _ = self.clock_offset.compare_exchange(UNKNOWN, milliseconds, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn learn_clock_offset(&self, milliseconds: Option<i64>) {
        if let Some(milliseconds) = milliseconds {
            self.clock_offset.store(milliseconds, Ordering::Relaxed);
        }
    }

    /// What the server's clock shows when ours shows `now`.
    pub(crate) fn server_time(&self, now: Timestamp) -> Timestamp {
        let offset = self.clock_offset.load(Ordering::Relaxed);
        if offset == UNKNOWN { now } else { now.plus_milliseconds(offset) }
    }
}

impl Default for Learned {
    fn default() -> Self {
        Self { clock_offset: AtomicI64::new(UNKNOWN), nonces: Nonces::default() }
    }
}

const UNKNOWN: i64 = i64::MIN;
