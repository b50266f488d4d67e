//! The file that a credential is in, whatever is written there: who may take turns, and who may not read it.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::private_file;
use crate::{Credential, StorageError, StorageLock};

/// A file that only its owner can read, and that is replaced in one step. Clones are the same file.
#[derive(Clone, Debug)]
pub(crate) struct LockedFile {
    path: Arc<Path>,
}

/// The turn to write. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct WriteLock(#[expect(dead_code, reason = "it is there to be dropped")] File);

impl LockedFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps everybody else from an exchange.
    pub(crate) async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        self.acquire(".lock", wait).await.map(StorageLock::new)
    }

    /// Makes a look and a rename one, also for whoever writes without having taken the exchange's lock.
    pub(crate) async fn lock_writes(&self) -> Result<WriteLock, StorageError> {
        self.acquire(".write.lock", WRITE_WAIT).await.map(WriteLock)
    }

    /// What the file holds, but for what is beyond `bytes_max` and one more; `None` where there is none.
    pub(crate) fn read(&self, bytes_max: usize) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        match fs::symlink_metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => {}
            // Opening what is no file may wait for ever, and a rename would put a file beside what a link points to.
            Ok(metadata) => {
                let kind = if metadata.is_symlink() { "a symbolic link" } else { "no regular file" };
                return Err(StorageError::NotPlain { path: self.path.to_path_buf(), kind });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error("open", &error)),
        }
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error("open", &error)),
        };
        self.check_private(&file)?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(|error| self.error("read", &error))?;
        Ok(Some(bytes))
    }

    /// What is to be kept of `credential`, unless it is longer than what is read again.
    pub(crate) fn json(&self, credential: &Credential) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let json = Zeroizing::new(credential.to_json());
        if json.len() > Credential::BYTES_MAX {
            return Err(StorageError::TooLong { path: self.path.to_path_buf(), bytes: json.len() });
        }
        Ok(json)
    }

    /// Has `bytes` in the file, or no file, on disk. Whoever calls it holds the write lock.
    pub(crate) fn replace(&self, _: &WriteLock, bytes: Option<&[u8]>) -> Result<(), StorageError> {
        let written = match bytes {
            Some(bytes) => private_file::replace(&self.path, &self.beside(".tmp"), bytes),
            None => private_file::remove(&self.path),
        };
        written.map_err(|error| self.error("write", &error))?;
        private_file::sync_directory(self.directory()).map_err(|error| self.error("sync the directory of", &error))
    }

    async fn acquire(&self, ending: &'static str, wait: Duration) -> Result<File, StorageError> {
        let locked = self.clone();
        let file = blocking(move || locked.open_lock(ending)).await?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
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

    fn open_lock(&self, ending: &str) -> Result<File, StorageError> {
        private_file::create_directory(self.directory())
            .map_err(|error| self.error("create the directory of", &error))?;
        private_file::open_lock(&self.beside(ending)).map_err(|error| self.error("open the lock of", &error))
    }

    #[cfg(unix)]
    fn check_private(&self, file: &File) -> Result<(), StorageError> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = file.metadata().map_err(|error| self.error("read", &error))?;
        let path = || self.path.to_path_buf();
        let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
        if owner != user {
            return Err(StorageError::OtherOwner { path: path(), owner, user });
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(StorageError::Exposed { path: path(), mode });
        }
        match metadata.nlink() {
            // 0: it was replaced since it was opened.
            0 | 1 => Ok(()),
            names => Err(StorageError::Linked { path: path(), names }),
        }
    }

    #[cfg(not(unix))]
    fn check_private(&self, _: &File) -> Result<(), StorageError> {
        Ok(())
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
}

/// Does what may wait for a disk on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|_| Err(StorageError::Other("the runtime is shutting down".to_owned())))
}

/// How often a lock that somebody else holds is tried again: waiting without a thread that nothing could wake.
const LOCK_POLL: Duration = Duration::from_millis(25);
/// The longest wait for others' writes, each of which is one small file.
const WRITE_WAIT: Duration = Duration::from_secs(10);
