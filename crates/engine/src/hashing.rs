use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::available_parallelism;

use regrant_crypto::{PasswordHash, hash_password, verify_password};
use regrant_protocol::Secret;
use tokio::sync::Semaphore;

/// The most Argon2id calls that may wait for a processor; one more is refused with 503.
pub const HASHES_WAITING_MAX: usize = 64;

/// Too many passwords or secrets are being checked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{HASHES_WAITING_MAX} password or secret checks are waiting, which is the most that may")]
pub struct Overloaded;

/// Runs Argon2id on as many threads as there are processors, so that password checks never starve refreshes of threads
/// or memory.
pub(crate) struct HashingPool {
    running: Semaphore,
    waiting: AtomicUsize,
    calls: AtomicU64,
}

impl HashingPool {
    pub(crate) fn new() -> Self {
        let threads = available_parallelism().map_or(1, usize::from);
        Self { running: Semaphore::new(threads), waiting: AtomicUsize::new(0), calls: AtomicU64::new(0) }
    }

    /// Whether `secret` is what was hashed.
    pub(crate) async fn verify(&self, hash: PasswordHash, secret: Secret) -> Result<bool, Overloaded> {
        self.run(move || verify_password(&hash, secret.expose().as_bytes())).await
    }

    /// Does the work of [`HashingPool::verify`] for a name that does not exist, so that time does not tell.
    pub(crate) async fn verify_nothing(&self, secret: Secret) -> Result<(), Overloaded> {
        self.verify(PasswordHash::decoy(), secret).await.map(|_| ())
    }

    /// Hashes a new password or chosen secret.
    pub(crate) async fn hash(&self, secret: Secret, salt: [u8; 16]) -> Result<Option<PasswordHash>, Overloaded> {
        self.run(move || hash_password(secret.expose().as_bytes(), salt).ok()).await
    }

    /// How many Argon2id calls were made.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
        let _place = Place::take(&self.waiting)?;
        let _permit = self.running.acquire().await.map_err(|_| Overloaded)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        tokio::task::spawn_blocking(work).await.map_err(|_| Overloaded)
    }
}

/// A place in the queue, given back even when the caller goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, Overloaded> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < HASHES_WAITING_MAX { Ok(place) } else { Err(Overloaded) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
