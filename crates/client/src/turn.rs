//! The turn at a credential, which exchanges, logins and logouts of all processes take one after the other.

use std::time::Duration;

use regrant_protocol::Clock;

use crate::{Event, Observer, Storage, StorageError, StorageLock};

/// Waits for the turn, and tells how long that took, whether it came or not.
pub(crate) async fn take(
    storage: &dyn Storage,
    clock: &dyn Clock,
    observer: &dyn Observer,
) -> Result<StorageLock, StorageError> {
    let began = clock.monotonic();
    let lock = storage.lock(WAIT).await;
    observer.observe(&Event::LockWaited(clock.monotonic().saturating_duration_since(began)));
    lock
}

/// How long one waits for another's exchange: longer than an exchange can take.
const WAIT: Duration = Duration::from_secs(90);
