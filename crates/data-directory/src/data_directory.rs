use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use regrant_crypto::Entropy;
use regrant_crypto::KeyRing;
use regrant_engine::{KeyFile, KeyFileNotRead, KeyFileNotWritten};
use rustix::process::geteuid;

use crate::DataDirectoryError;
use crate::error::io_error;
use crate::file_lock::take_lock;
use crate::key_file::{self, KEY_FILE, UNFINISHED_KEY_FILE};
use crate::owner_only::{closed_to_others, owned_by, private};
use crate::replace_file::remove_leftover;

/// Held by the process that has a data directory open.
pub const LOCK_FILE: &str = "lock";

/// A data directory that this process alone has open. The lock is the kernel's: it ends with the process.
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Whether there is a key file in `path`, as in every directory of a server.
    ///
    /// # Errors
    /// When this user may not look.
    pub fn has_keys(path: &Path) -> Result<bool, DataDirectoryError> {
        Self::has_file(path, KEY_FILE)
    }

    /// Whether there is a file of this name in `path`.
    ///
    /// # Errors
    /// When this user may not look.
    pub(crate) fn has_file(path: &Path, name: &str) -> Result<bool, DataDirectoryError> {
        let file = path.join(name);
        match fs::metadata(&file) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Self::check_owner(path)?;
                Err(io_error(&file, error))
            }
            Err(_) => Ok(false),
        }
    }

    /// Checks that `path` is a directory of the user that this process runs as. To another user, root too, nothing in it is
    /// to be trusted, and what another user leaves in it the server cannot open.
    ///
    /// # Errors
    /// When it belongs to another, or cannot be looked at.
    pub fn check_owner(path: &Path) -> Result<(), DataDirectoryError> {
        owned_by(path, geteuid().as_raw())
    }

    /// The master keys that are in the key file, whoever has the directory open.
    ///
    /// # Errors
    /// When the key file is missing, open to others, or cannot be read.
    pub fn kept_keys(path: &Path) -> Result<KeyRing, DataDirectoryError> {
        let key_file = path.join(KEY_FILE);
        match File::open(&key_file) {
            Ok(file) => key_file::read(&key_file, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(DataDirectoryError::KeyFileMissing {
                key_file: key_file.display().to_string(),
                directory: path.display().to_string(),
            }),
            Err(error) => Err(io_error(&key_file, error)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a data directory, making it (mode 700) where there is none, and takes its lock.
    ///
    /// # Errors
    /// When it belongs to another user, is open to others, in use, or not a directory.
    pub fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        match DirBuilder::new().recursive(true).mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(DataDirectoryError::NotADirectory(path.display().to_string()));
            }
            made => made.map_err(|error| io_error(path, error))?,
        }
        Self::check_owner(path)?;
        closed_to_others(path, 0o700)?;
        let lock_path = path.join(LOCK_FILE);
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(&lock_path)
            .map_err(|error| io_error(&lock_path, error))?;
        match take_lock(&lock) {
            Ok(()) => {
                let unfinished = path.join(UNFINISHED_KEY_FILE);
                remove_leftover(&unfinished).map_err(|error| io_error(&unfinished, error))?;
                Ok(Self { path: path.to_owned(), _lock: lock })
            }
            Err(TryLockError::WouldBlock) => Err(DataDirectoryError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(io_error(&lock_path, error)),
        }
    }

    /// The master keys: from the key file, or new ones. Where there is no key file, `may_be_new` says whether there can be new
    /// ones, or why not.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn keys(
        &self,
        entropy: &dyn Entropy,
        may_be_new: impl FnOnce() -> Result<(), DataDirectoryError>,
    ) -> Result<KeyRing, DataDirectoryError> {
        let path = self.path.join(KEY_FILE);
        match File::open(&path) {
            Ok(file) => key_file::read(&path, file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&path, error)),
            Err(_) => {
                may_be_new()?;
                let ring = KeyRing::generate(entropy);
                key_file::write(&self.path, &path, &ring).map_err(|error| io_error(&path, error))?;
                Ok(ring)
            }
        }
    }
}

impl KeyFile for DataDirectory {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Self::kept_keys(&self.path).map_err(|error| KeyFileNotRead(error.to_string()))
    }

    fn replace(&self, ring: &KeyRing) -> Result<(), KeyFileNotWritten> {
        let path = self.path.join(KEY_FILE);
        let written = key_file::write(&self.path, &path, ring).map_err(|error| io_error(&path, error));
        written.map_err(|error| KeyFileNotWritten(error.to_string()))
    }
}
