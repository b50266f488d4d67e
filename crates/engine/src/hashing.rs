use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use regrant_crypto::{PasswordHash, StoredPassword, hash_password, verify_password};
use regrant_protocol::Secret;
use tokio::sync::Semaphore;

use crate::Overloaded;
use crate::overloaded::TurnedAway;

/// The most password checks that may wait for a processor; one more is refused with 503.
pub const HASHES_WAITING_MAX: usize = 64;

/// Runs Argon2id, and what other systems used, on as many threads as there are processors, so that password checks never
/// starve refreshes of threads or memory. Work whose caller goes away keeps its place until it is done.
pub(crate) struct HashingPool {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The places that people whom nobody knows may take: half of them, so that guessing shuts out nobody who is known.
    strangers: Semaphore,
    /// The places that invented clients may take, so that inventing them shuts out no people.
    invented_clients: Semaphore,
    calls: Arc<AtomicU64>,
    turned_away: Arc<TurnedAway>,
}

impl HashingPool {
    pub(crate) fn new(turned_away: Arc<TurnedAway>) -> Self {
        let threads = available_parallelism().map_or(1, usize::from);
        Self {
            running: Arc::new(Semaphore::new(threads)),
            waiting: Arc::new(Semaphore::new(HASHES_WAITING_MAX)),
            strangers: Semaphore::new(HASHES_WAITING_MAX / 2),
            invented_clients: Semaphore::new(HASHES_WAITING_MAX / 4),
            calls: Arc::default(),
            turned_away,
        }
    }

    /// Whether `secret` is what was hashed. No costs an Argon2id call, whatever it was hashed with.
    pub(crate) async fn verify(&self, stored: StoredPassword, secret: Secret) -> Result<bool, Overloaded> {
        let calls = Arc::clone(&self.calls);
        self.run(move || {
            let secret = secret.expose().as_bytes();
            let argon2id = |hash: &PasswordHash| {
                calls.fetch_add(1, Ordering::Relaxed);
                verify_password(hash, secret)
            };
            match &stored {
                StoredPassword::Argon2id(hash) => argon2id(hash),
                // Many foreign forms are quick, which must not tell that somebody is known.
                StoredPassword::Foreign(hash) => hash.matches(secret) || argon2id(&PasswordHash::decoy()),
            }
        })
        .await
    }

    /// The work of [`HashingPool::verify`] for a client that does not exist, so that time does not tell.
    pub(crate) async fn verify_for_no_client(&self, secret: Secret) -> Result<(), Overloaded> {
        let _place = self.invented_clients.try_acquire().map_err(|_| self.no_room())?;
        self.verify(PasswordHash::decoy().into(), secret).await.map(|_| ())
    }

    /// As [`HashingPool::verify`], for a person who may be anybody. Without a password, as for a name that does not exist, it does
    /// the work of one Argon2id call, under the same limit, and says no: neither time nor load tells which names there are, but for
    /// those whose password another system kept in a form that is slow by itself (bcrypt, PBKDF2), until they log in.
    pub(crate) async fn verify_for_stranger(
        &self,
        stored: Option<StoredPassword>,
        secret: Secret,
    ) -> Result<bool, Overloaded> {
        let _place = self.strangers.try_acquire().map_err(|_| self.no_room())?;
        let exists = stored.is_some();
        Ok(self.verify(stored.unwrap_or_else(|| PasswordHash::decoy().into()), secret).await? && exists)
    }

    /// Hashes a new password or chosen secret.
    pub(crate) async fn hash(&self, secret: Secret, salt: [u8; 16]) -> Result<Option<PasswordHash>, Overloaded> {
        let calls = Arc::clone(&self.calls);
        self.run(move || {
            calls.fetch_add(1, Ordering::Relaxed);
            hash_password(secret.expose().as_bytes(), salt).ok()
        })
        .await
    }

    fn no_room(&self) -> Overloaded {
        self.turned_away.count(Overloaded::Hashing)
    }

    /// How many Argon2id calls were made.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| self.no_room())?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| self.no_room())?;
        let hashing = tokio::task::spawn_blocking(move || {
            let _until_done = (place, permit);
            work()
        });
        Ok(hashing.await.expect("hashing does not panic, and nothing aborts it"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::world::World;

    #[tokio::test]
    async fn load_tells_no_stranger_which_names_there_are_and_shuts_out_nobody_who_is_known() {
        let server = World::new().await.server;
        let pool = &server.hashing;
        let hash = || StoredPassword::from(hash_password(b"sesame", [1; 16]).unwrap());
        let sesame = || Secret::new("sesame".to_owned());
        assert_eq!(pool.verify_for_stranger(Some(hash()), sesame()).await, Ok(true));
        assert_eq!(pool.verify_for_stranger(None, sesame()).await, Ok(false));
        let places = u32::try_from(HASHES_WAITING_MAX / 2).unwrap();
        let _guesses = pool.strangers.acquire_many(places).await.unwrap();
        for hash in [Some(hash()), None] {
            assert_eq!(pool.verify_for_stranger(hash, sesame()).await, Err(Overloaded::Hashing));
        }
        assert_eq!(pool.verify(hash(), sesame()).await, Ok(true));

        let _inventions = pool.invented_clients.acquire_many(places / 2).await.unwrap();
        assert_eq!(pool.verify_for_no_client(sesame()).await, Err(Overloaded::Hashing));
        assert_eq!(pool.verify(hash(), sesame()).await, Ok(true));
        let _all = pool.waiting.acquire_many(2 * places).await.unwrap();
        assert_eq!(pool.verify(hash(), sesame()).await, Err(Overloaded::Hashing));
        assert_eq!(server.turned_away(), [4, 0, 0]);
    }

    #[tokio::test]
    async fn work_whose_caller_went_away_keeps_its_place() {
        let pool = HashingPool::new(Arc::default());
        let (let_go, wait) = channel::<()>();
        let all = available_parallelism().map_or(1, usize::from);
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..all {
            let wait = Arc::clone(&wait);
            let work = pool.run(move || drop(wait.lock().map(|wait| wait.recv())));
            // Polled once, so that it begins, and dropped.
            tokio::select! {
                biased;
                _ = work => panic!("it waits"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(pool.running.available_permits(), 0, "the work runs on");
        drop(let_go);
        assert_eq!(pool.run(|| 7).await, Ok(7), "and gives its place back when it is done");
    }
}
