use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use regrant_crypto::{SealingKey, SystemEntropy, random};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::keyring::{Keyring, SystemKeyring};
use crate::locked_file::{LockedFile, blocking};
use crate::sealed_credential::{KeyName, SEALED_BYTES_MAX, SealedCredential, sealing_key};
use crate::{Credential, Storage, StorageError, StorageLock, Swap, Version};

#[cfg(test)]
#[cfg(unix)]
mod tests;

/// A credential in a file that only the keyring of the operating system opens, shared by any number of processes.
///
/// The keyring holds a key of 32 bytes, made at the login and removed at the logout; the file holds the credential, sealed with it
/// (AES-256-GCM). No keyring promises that what it was given is on disk, or can replace a secret only if nobody else has: the
/// file does both, exactly as that of [`FileStorage`](crate::FileStorage). So a refresh never writes to the keyring, a token of any
/// length fits, and a copy of the home directory holds no token in the clear.
///
/// A process asks the keyring once, and then knows the key. A keyring that is locked or gone is
/// [`StorageError::Keyring`]: a temporary error, and never a reason to log in.
///
/// ```no_run
/// use regrant_client::{KeyringStorage, Storage};
///
/// # async fn example() -> Result<(), regrant_client::StorageError> {
/// let storage = KeyringStorage::new("/home/ada/.local/state/reports/token.sealed", "reports");
/// assert!(storage.load().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeyringStorage {
    file: LockedFile,
    keys: Arc<Keys>,
}

/// The keyring, and the key that it gave last.
struct Keys {
    keyring: Box<dyn Keyring>,
    known: Mutex<Option<(KeyName, Arc<SealingKey>)>>,
    /// Held by the one call that is under way, answered or not.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl KeyringStorage {
    /// The credential in the file at `path`, under a key that the keyring keeps for the program `service`. Nothing is created before
    /// the first lock or write.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, service: impl Into<String>) -> Self {
        Self::with_keyring(path.into(), Box::new(SystemKeyring::new(service.into())))
    }

    fn with_keyring(path: PathBuf, keyring: Box<dyn Keyring>) -> Self {
        let keys = Keys { keyring, known: Mutex::default(), turn: Arc::default() };
        Self { file: LockedFile::new(path), keys: Arc::new(keys) }
    }

    /// Where the sealed credential is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether the keyring of this system can keep a key now: one is kept, read and removed.
    ///
    /// # Errors
    /// [`StorageError::Keyring`] says what it lacks.
    pub async fn check(&self) -> Result<(), StorageError> {
        let (name, _) = self.make_key().await?;
        self.forget(&name).await
    }

    async fn sealed(&self) -> Result<Option<SealedCredential>, StorageError> {
        let file = self.file.clone();
        blocking(move || read(&file)).await
    }

    /// The key of that name.
    async fn key(&self, name: &KeyName) -> Result<Arc<SealingKey>, StorageError> {
        let known = self.keys.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, key)) = known.filter(|(known, _)| known == name) {
            return Ok(key);
        }
        let asked = name.clone();
        let secret = self.ask(move |keyring| keyring.get(asked.as_str())).await?;
        let secret = secret.ok_or_else(|| self.error(NO_SUCH_KEY))?;
        let key = sealing_key(&secret).ok_or_else(|| self.error("what it keeps there is no key of ours"))?;
        Ok(self.know(name, key))
    }

    /// A new key, which the keyring has been seen to keep.
    async fn make_key(&self) -> Result<(KeyName, Arc<SealingKey>), StorageError> {
        let (name, secret) = (KeyName::generate(&SystemEntropy), Zeroizing::new(random::<32>(&SystemEntropy)));
        let key = sealing_key(&*secret).expect("32 bytes are a key");
        let asked = name.clone();
        let is_kept = self.ask(move |keyring| {
            keyring.set(asked.as_str(), &*secret)?;
            Ok(keyring.get(asked.as_str())?.is_some_and(|kept| *kept == *secret))
        });
        if !is_kept.await? {
            return Err(self.error("it does not give back what it was given"));
        }
        let key = self.know(&name, key);
        Ok((name, key))
    }

    async fn forget(&self, name: &KeyName) -> Result<(), StorageError> {
        let asked = name.clone();
        self.ask(move |keyring| keyring.remove(asked.as_str())).await
    }

    fn know(&self, name: &KeyName, key: SealingKey) -> Arc<SealingKey> {
        let key = Arc::new(key);
        *self.keys.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((name.clone(), Arc::clone(&key)));
        key
    }

    /// Asks the keyring on a thread of its own, which may wait for a person while nobody waits for it any more.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Keyring) -> Result<T, String> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (keys, turn) = (Arc::clone(&self.keys), Arc::clone(&self.keys.turn));
        let answer = async move {
            let turn = turn.lock_owned().await;
            let (sender, receiver) = oneshot::channel();
            let thread = std::thread::Builder::new().name("regrant-keyring".to_owned());
            let spawned = thread.spawn(move || {
                let answer = question(&*keys.keyring);
                drop(turn);
                // Whoever asked may have gone.
                let _ = sender.send(answer);
            });
            spawned.map_err(|error| error.to_string())?;
            receiver.await.unwrap_or_else(|_| Err("asking it ended abruptly".to_owned()))
        };
        let answer = tokio::time::timeout(KEYRING_WAIT, answer).await;
        answer
            .unwrap_or_else(|_| Err("it has not answered for a minute".to_owned()))
            .map_err(|cause| self.error(&cause))
    }

    fn error(&self, cause: &str) -> StorageError {
        StorageError::Keyring { path: self.path().to_path_buf(), cause: cause.to_owned() }
    }
}

#[async_trait]
impl Storage for KeyringStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        self.file.lock(wait).await
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        let Some(sealed) = self.sealed().await? else { return Ok(None) };
        let key = self.key(&sealed.key).await?;
        open(&self.file, &sealed, &key).map(Some)
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let new = new.map(|new| self.file.json(new)).transpose()?;
        // The keyring is asked before the turn is taken: a person who has to unlock it must not keep others from writing.
        let before = self.sealed().await?.map(|sealed| sealed.key);
        let is_new = before.is_none();
        let (name, key) = match (before, &new) {
            (Some(name), _) => (name.clone(), self.key(&name).await?),
            (None, Some(_)) if seen.is_none() => self.make_key().await?,
            (None, _) => return Ok(if seen.is_none() { Swap::Done } else { Swap::Changed }),
        };
        let (file, own) = (self.file.clone(), name.clone());
        let is_removed = new.is_none();
        let turn = file.lock_writes().await?;
        let swap = blocking(move || {
            let kept = read(&file)?;
            // A login or logout that came between has brought another key, or taken this one.
            if kept.as_ref().map_or(!is_new, |kept| is_new || kept.key != own) {
                return Ok(Swap::Changed);
            }
            let kept = kept.map(|kept| open(&file, &kept, &key)).transpose()?;
            if kept.as_ref().map(Credential::version) != seen {
                return Ok(Swap::Changed);
            }
            let new = new.map(|new| SealedCredential::seal(&new, &own, &key, &SystemEntropy).to_json());
            file.replace(&turn, new.as_deref()).map(|()| Swap::Done)
        });
        let swap = swap.await;
        // After an error the file may be there all the same, and need its key.
        let useless = if is_new { Swap::Changed } else { Swap::Done };
        if (is_new || is_removed)
            && swap == Ok(useless)
            && let Err(error) = self.forget(&name).await
        {
            tracing::debug!(%error, "a key that opens nothing any more stays in the keyring");
        }
        swap
    }
}

fn read(file: &LockedFile) -> Result<Option<SealedCredential>, StorageError> {
    let Some(bytes) = file.read(SEALED_BYTES_MAX)? else { return Ok(None) };
    let unreadable = |cause| StorageError::Sealed { path: file.path().to_path_buf(), cause };
    SealedCredential::from_json(&bytes).map(Some).map_err(unreadable)
}

fn open(file: &LockedFile, sealed: &SealedCredential, key: &SealingKey) -> Result<Credential, StorageError> {
    sealed.open(key).map_err(|cause| StorageError::Sealed { path: file.path().to_path_buf(), cause })
}

impl fmt::Debug for KeyringStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringStorage").field("file", &self.file).finish_non_exhaustive()
    }
}

/// How long a person has for unlocking the keyring; less than others wait for an exchange.
const KEYRING_WAIT: Duration = Duration::from_secs(60);

const NO_SUCH_KEY: &str = "it shows no such key; if somebody has deleted it, move the file away and log in anew";
