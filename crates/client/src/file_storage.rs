use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::private_file;
use crate::{Credential, Storage, StorageError, StorageLock, Swap, Version};

/// A credential in a file that only its owner can read (0600, in a directory of 0700), shared by any number of processes.
///
/// A write goes to a temporary file in the same directory, which is synced and renamed over the old one, and the directory is
/// synced: whatever crashes, there is the old credential or the new one. Beside it lie `<file>.lock` for exchanges and
/// `<file>.write.lock` for writes, which are only ever locked, never written and never removed. An unreadable file is never
/// overwritten.
///
/// The lock does not reach across machines: a home directory on a network file system needs a server that honours `flock`.
///
/// ```
/// use regrant_client::{FileStorage, Storage};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let directory = tempfile::tempdir().unwrap();
/// let storage = FileStorage::new(directory.path().join("tokens/id.example.json"));
/// assert!(storage.load().await.unwrap().is_none());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FileStorage {
    path: Arc<Path>,
}

impl FileStorage {
    /// The credential in the file at `path`. Nothing is created before the first lock or write.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into().into() }
    }

    /// Where the credential is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name: OsString = self.path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn error(&self, action: &'static str, error: &io::Error) -> StorageError {
        StorageError::File { action, path: self.path.to_path_buf(), cause: error.to_string() }
    }

    fn open_lock(&self, ending: &str) -> Result<File, StorageError> {
        private_file::create_directory(self.directory())
            .map_err(|error| self.error("create the directory of", &error))?;
        private_file::open_lock(&self.beside(ending)).map_err(|error| self.error("open the lock of", &error))
    }

    fn read(&self) -> Result<Option<Credential>, StorageError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error("open", &error)),
        };
        self.check_private(&file)?;
        let mut bytes = Zeroizing::new(Vec::new());
        let limit = Credential::BYTES_MAX as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(|error| self.error("read", &error))?;
        let unreadable = |cause| StorageError::Unreadable { path: self.path.to_path_buf(), cause };
        Credential::from_json(&bytes).map(Some).map_err(unreadable)
    }

    #[cfg(unix)]
    fn check_private(&self, file: &File) -> Result<(), StorageError> {
        use std::os::unix::fs::MetadataExt as _;
        let mode = file.metadata().map_err(|error| self.error("read", &error))?.mode() & 0o777;
        if mode & 0o077 == 0 { Ok(()) } else { Err(StorageError::Exposed { path: self.path.to_path_buf(), mode }) }
    }

    #[cfg(not(unix))]
    fn check_private(&self, _: &File) -> Result<(), StorageError> {
        Ok(())
    }

    fn swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        // A look and a rename must be one, also for whoever writes without having taken the exchange's lock.
        let write_lock = self.open_lock(".write.lock")?;
        write_lock.lock().map_err(|error| self.error("lock", &error))?;

        if self.read()?.as_ref().map(Credential::version) != seen {
            return Ok(Swap::Changed);
        }
        let written = match new {
            Some(credential) => {
                private_file::replace(&self.path, &self.beside(".tmp"), &Zeroizing::new(credential.to_json()))
            }
            None => private_file::remove(&self.path),
        };
        written.map_err(|error| self.error("write", &error))?;
        private_file::sync_directory(self.directory()).map_err(|error| self.error("sync the directory of", &error))?;
        Ok(Swap::Done)
    }
}

#[async_trait]
impl Storage for FileStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        let storage = self.clone();
        let file = blocking(move || storage.open_lock(".lock")).await?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StorageLock::new(file)),
                Err(TryLockError::Error(error)) => return Err(self.error("lock", &error)),
                Err(TryLockError::WouldBlock) if waited >= wait => {
                    return Err(StorageError::Busy(self.path.to_path_buf()));
                }
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(LOCK_POLL).await;
                    waited += LOCK_POLL;
                }
            }
        }
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        let storage = self.clone();
        blocking(move || storage.read()).await
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let (storage, new) = (self.clone(), new.cloned());
        blocking(move || storage.swap(seen, new.as_ref())).await
    }
}

/// How often a lock that somebody else holds is tried again: waiting without a thread that nothing could wake.
const LOCK_POLL: Duration = Duration::from_millis(25);

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|_| Err(StorageError::Other("the runtime is shutting down".to_owned())))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::credential_file::CredentialError;
    use crate::{IssuerIdentifier, LineageId};
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::{ClientId, Scope};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use tempfile::TempDir;

    fn storage() -> (TempDir, FileStorage) {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(directory.path().join("regrant/token.json"));
        (directory, storage)
    }

    fn credential(failures: u32) -> Credential {
        Credential {
            issuer: IssuerIdentifier::parse("https://id.example").unwrap(),
            client_id: ClientId::parse("TestApp").unwrap(),
            lineage: LineageId::generate(&SeededEntropy::new(1)),
            scope: Scope::empty(),
            access: None,
            refresh_token: None,
            clock_offset_milliseconds: 0,
            pending: None,
            not_before: None,
            failures,
            refused: None,
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn only_its_owner_can_read_it_and_the_lock_stays_beside_it() {
        let (_directory, storage) = storage();
        drop(storage.lock(Duration::ZERO).await.unwrap());
        assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Ok(Swap::Done));
        assert_eq!(mode(storage.directory()), 0o700);
        assert_eq!(mode(storage.path()), 0o600);
        assert_eq!(mode(&storage.beside(".lock")), 0o600);
        assert!(!storage.beside(".tmp").exists());
        fs::set_permissions(storage.path(), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(storage.load().await, Err(StorageError::Exposed { mode: 0o640, .. })));
    }

    #[tokio::test]
    async fn a_write_needs_what_it_has_seen() {
        let (_directory, storage) = storage();
        let (first, second) = (credential(1), credential(2));
        for (seen, new, expected, kept) in [
            (Some(first.version()), Some(&first), Swap::Changed, None),
            (None, Some(&first), Swap::Done, Some(&first)),
            (None, Some(&second), Swap::Changed, Some(&first)),
            (Some(second.version()), None, Swap::Changed, Some(&first)),
            (Some(first.version()), Some(&second), Swap::Done, Some(&second)),
            (Some(second.version()), None, Swap::Done, None),
            (None, None, Swap::Done, None),
        ] {
            assert_eq!(storage.compare_and_swap(seen, new).await, Ok(expected), "{seen:?}");
            assert_eq!(storage.load().await.unwrap().as_ref(), kept);
        }
    }

    #[tokio::test]
    async fn an_unreadable_file_is_told_and_kept() {
        let (_directory, storage) = storage();
        private_file::create_directory(storage.directory()).unwrap();
        let newer = String::from_utf8(credential(0).to_json()).unwrap().replace("\"version\": 1", "\"version\": 9");
        for (text, expected) in [
            ("", CredentialError::Damaged { line: 1, column: 0 }),
            ("{\"format\":", CredentialError::Damaged { line: 1, column: 10 }),
            ("{}", CredentialError::Foreign),
            (&newer, CredentialError::Newer(9)),
        ] {
            fs::write(storage.path(), text).unwrap();
            fs::set_permissions(storage.path(), fs::Permissions::from_mode(0o600)).unwrap();
            let unreadable = StorageError::Unreadable { path: storage.path().to_owned(), cause: expected };
            assert_eq!(storage.load().await, Err(unreadable.clone()), "{text:?}");
            assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Err(unreadable), "{text:?}");
            assert_eq!(fs::read_to_string(storage.path()).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn the_lock_is_the_systems_and_ends_with_its_guard() {
        let (_directory, storage) = storage();
        // A file that is there means nothing.
        private_file::create_directory(storage.directory()).unwrap();
        fs::write(storage.beside(".lock"), "1234").unwrap();
        let held = storage.lock(Duration::ZERO).await.unwrap();
        let other = FileStorage::new(storage.path());
        let busy = StorageError::Busy(storage.path().to_owned());
        assert_eq!(other.lock(Duration::ZERO).await.map(drop), Err(busy));
        assert_eq!(
            storage.compare_and_swap(None, Some(&credential(1))).await,
            Ok(Swap::Done),
            "readers are not locked out"
        );
        drop(held);
        other.lock(Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_crash_left_half_written_is_neither_read_nor_in_the_way() {
        let (_directory, storage) = storage();
        assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Ok(Swap::Done));
        fs::write(storage.beside(".tmp"), "{\"format\":\"regr").unwrap();
        assert_eq!(storage.load().await.unwrap(), Some(credential(1)));
        let seen = Some(credential(1).version());
        assert_eq!(storage.compare_and_swap(seen, Some(&credential(2))).await, Ok(Swap::Done));
        assert_eq!(storage.load().await.unwrap(), Some(credential(2)));
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_made_is_named() {
        let directory = tempfile::tempdir().unwrap();
        symlink("/dev/null", directory.path().join("home")).unwrap();
        let storage = FileStorage::new(directory.path().join("home/token.json"));
        let error = storage.compare_and_swap(None, Some(&credential(1))).await.unwrap_err();
        assert!(error.to_string().contains("home/token.json"), "{error}");
    }
}
