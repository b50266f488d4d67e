//! The data directory: database, key file and lock, readable by their owner only.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_crypto::{Entropy, KEY_FILE_BYTES_MAX, KeyFileError, KeyRing, random};
use regrant_engine::{KeyFile, KeyFileNotWritten};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store_sqlite::{Genesis, OpenError, SqliteStore};
use rustix::process::geteuid;

/// The name of the database in a data directory.
pub const DATABASE: &str = "regrant.db";
/// The name of the key file in a data directory.
pub const KEY_FILE: &str = "master.key";
/// Held by the process that has a data directory open.
pub const LOCK_FILE: &str = "lock";
/// A key file that is being written. Nothing reads it.
const UNFINISHED_KEY_FILE: &str = "master.key.new";

/// A data directory that this process alone has open. The lock is the kernel's: it ends with the process.
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

/// Why a data directory cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirectoryError {
    /// Others may read it.
    #[error("{path} is open to other users (mode {mode:03o}); run: chmod {wanted:03o} {path}")]
    Mode {
        /// The file or directory.
        path: String,
        /// What it has.
        mode: u32,
        /// What it should have.
        wanted: u32,
    },
    /// It belongs to another user.
    #[error(
        "{path} belongs to the user of number {owner}, and this is user {we}; run it as that user: sudo -u '#{owner}' regrant …"
    )]
    Owner {
        /// The directory.
        path: String,
        /// The number of the user that it belongs to.
        owner: u32,
        /// The number of the user that this process runs as.
        we: u32,
    },
    /// Not a directory.
    #[error("{0} is not a directory; name another with --data")]
    NotADirectory(String),
    /// Another process has it open.
    #[error("{0} is in use by a running regrant; stop that one, or name another directory with --data")]
    InUse(String),
    /// There is a store and no key file.
    #[error(
        "{key_file} is missing beside a store that was made with it; restore the key file from your copy. \
         Without it no token of this store can be checked: to begin anew, move {directory} away"
    )]
    KeyFileMissing {
        /// Where the key file should be.
        key_file: String,
        /// The data directory.
        directory: String,
    },
    /// The key file cannot be read.
    #[error("{0}: {1}")]
    KeyFile(String, KeyFileError),
    /// The key file is too long to be one.
    #[error("{0} is larger than {KEY_FILE_BYTES_MAX} bytes, so it is not a key file; restore it from your copy")]
    KeyFileTooLong(String),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The operating system refused.
    #[error("{path}: {error}; see that this user may read and write it, and that the disk is there and not full")]
    Io {
        /// What it refused.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl DataDirectory {
    /// Whether a server has made its store in `path`.
    ///
    /// # Errors
    /// When this user may not look.
    pub fn is_made(path: &Path) -> Result<bool, DataDirectoryError> {
        let database = path.join(DATABASE);
        match fs::metadata(&database) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Self::check_owner(path)?;
                Err(io_error(&database, error))
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
            Ok(file) => read_key_file(&key_file, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(DataDirectoryError::KeyFileMissing {
                key_file: key_file.display().to_string(),
                directory: path.display().to_string(),
            }),
            Err(error) => Err(io_error(&key_file, error)),
        }
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
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
        match lock.try_lock() {
            Ok(()) => {
                let unfinished = path.join(UNFINISHED_KEY_FILE);
                remove_leftover(&unfinished).map_err(|error| io_error(&unfinished, error))?;
                Ok(Self { path: path.to_owned(), _lock: lock })
            }
            Err(TryLockError::WouldBlock) => Err(DataDirectoryError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(io_error(&lock_path, error)),
        }
    }

    /// The master keys: from the key file, or new ones where neither key file nor store exists yet.
    ///
    /// # Errors
    /// When the key file is missing beside a store, open to others, or cannot be read.
    pub fn key_ring(&self, entropy: &dyn Entropy) -> Result<KeyRing, DataDirectoryError> {
        let path = self.path.join(KEY_FILE);
        match File::open(&path) {
            Ok(file) => read_key_file(&path, file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&path, error)),
            Err(_) if SqliteStore::exists(&self.path.join(DATABASE))? => Err(DataDirectoryError::KeyFileMissing {
                key_file: path.display().to_string(),
                directory: self.path.display().to_string(),
            }),
            Err(_) => {
                let ring = KeyRing::generate(entropy);
                write_key_file(&self.path, &path, &ring).map_err(|error| io_error(&path, error))?;
                Ok(ring)
            }
        }
    }

    /// The store, made where there is none.
    ///
    /// # Errors
    /// When the database cannot be read, or is of a newer version.
    pub fn store(&self, entropy: &dyn Entropy, clock: Arc<dyn Clock>) -> Result<SqliteStore, DataDirectoryError> {
        let path = self.path.join(DATABASE);
        if path.exists() {
            closed_to_others(&path, 0o600)?;
        }
        let genesis = Genesis { realm: Realm(random(entropy)), epoch_random: random(entropy) };
        Ok(SqliteStore::open(&path, genesis, clock)?)
    }
}

impl KeyFile for DataDirectory {
    fn replace(&self, ring: &KeyRing) -> Result<(), KeyFileNotWritten> {
        let path = self.path.join(KEY_FILE);
        let written = write_key_file(&self.path, &path, ring).map_err(|error| io_error(&path, error));
        written.map_err(|error| KeyFileNotWritten(error.to_string()))
    }
}

fn read_key_file(path: &Path, file: File) -> Result<KeyRing, DataDirectoryError> {
    closed_to_others(path, 0o600)?;
    let mut text = zeroize::Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX + 1));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(|error| io_error(path, error))?;
    if text.len() > KEY_FILE_BYTES_MAX {
        return Err(DataDirectoryError::KeyFileTooLong(path.display().to_string()));
    }
    KeyRing::from_text(&text).map_err(|error| DataDirectoryError::KeyFile(path.display().to_string(), error))
}

/// Writes the key file so that a crash leaves all of it, or what was there before: the store is made only after it is on
/// disk, and it only after the directories that lead to it.
fn write_key_file(directory: &Path, path: &Path, ring: &KeyRing) -> io::Result<()> {
    sync_above(directory)?;
    let unfinished = directory.join(UNFINISHED_KEY_FILE);
    remove_leftover(&unfinished)?;
    // Made here, so that it leads nowhere else.
    let mut file = private(OpenOptions::new().create_new(true).write(true)).open(&unfinished)?;
    file.write_all(ring.to_text().as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(directory)?.sync_all()
}

/// Removes what a crash left, keys among it.
fn remove_leftover(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes durable that `directory` exists: a new one, and those that were made above it, may be lost with the power.
fn sync_above(directory: &Path) -> io::Result<()> {
    let directory = directory.canonicalize()?;
    let device = fs::metadata(&directory)?.dev();
    for above in directory.ancestors().skip(1) {
        match File::open(above) {
            // What was made together lies in one file system.
            Ok(above) if above.metadata()?.dev() != device => break,
            Ok(above) => above.sync_all()?,
            // What may not be read was not made here.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

fn owned_by(path: &Path, we: u32) -> Result<(), DataDirectoryError> {
    let owner = fs::metadata(path).map_err(|error| io_error(path, error))?.uid();
    if owner == we { Ok(()) } else { Err(DataDirectoryError::Owner { path: path.display().to_string(), owner, we }) }
}

fn closed_to_others(path: &Path, wanted: u32) -> Result<(), DataDirectoryError> {
    let metadata = fs::metadata(path).map_err(|error| io_error(path, error))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(DataDirectoryError::Mode { path: path.display().to_string(), mode, wanted })
    }
}

fn io_error(path: &Path, error: io::Error) -> DataDirectoryError {
    DataDirectoryError::Io { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::SystemClock;

    fn message<T>(result: Result<T, DataDirectoryError>) -> String {
        result.err().map_or_else(String::new, |error| error.to_string())
    }

    fn fresh() -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        (parent, path)
    }

    #[test]
    fn a_new_directory_and_key_file_are_for_their_owner_only() {
        let (_parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        directory.key_ring(&SeededEntropy::new(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(path.join(KEY_FILE)).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_or_key_file_open_to_others_is_refused_with_the_command_that_mends_it() {
        let (_parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        directory.key_ring(&SeededEntropy::new(1)).unwrap();
        fs::set_permissions(path.join(KEY_FILE), Permissions::from_mode(0o640)).unwrap();
        assert!(message(directory.key_ring(&SeededEntropy::new(1))).contains("run: chmod 600"));
        drop(directory);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        assert!(message(DataDirectory::open(&path)).contains("run: chmod 700"));
    }

    #[test]
    fn a_directory_of_another_user_is_refused_with_the_user_to_run_as() {
        let (_parent, path) = fresh();
        drop(DataDirectory::open(&path).unwrap());
        let we = geteuid().as_raw();
        assert!(owned_by(&path, we).is_ok());
        let told = message(owned_by(&path, we + 1));
        assert!(told.contains(&format!("run it as that user: sudo -u '#{we}'")), "{told}");
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(1000), None).unwrap();
            assert!(message(DataDirectory::open(&path)).contains("belongs to the user of number 1000"));
        }
    }

    #[test]
    fn a_key_file_that_a_crash_left_unfinished_goes_with_the_next_start() {
        let (_parent, path) = fresh();
        drop(DataDirectory::open(&path).unwrap());
        let unfinished = path.join("master.key.new");
        fs::write(&unfinished, "key 2 = …").unwrap();
        let directory = DataDirectory::open(&path).unwrap();
        assert!(!unfinished.exists());
        fs::write(&unfinished, "key 2 = …").unwrap();
        assert!(message(DataDirectory::open(&path)).contains("in use"));
        assert!(unfinished.exists(), "it is that of the process that has the directory open");
        drop(directory);
    }

    #[test]
    fn a_key_file_is_written_through_no_link() {
        let (parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        let entropy = SeededEntropy::new(1);
        let ring = directory.key_ring(&entropy).unwrap();
        let precious = parent.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        symlink(&precious, path.join("master.key.new")).unwrap();
        directory.replace(&ring).unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert!(fs::symlink_metadata(path.join(KEY_FILE)).unwrap().is_file());
    }

    #[test]
    fn where_a_store_is_made_is_told_from_where_there_is_none() {
        let (_parent, path) = fresh();
        assert_eq!(DataDirectory::is_made(&path).ok(), Some(false));
        let directory = DataDirectory::open(&path).unwrap();
        assert_eq!(DataDirectory::is_made(&path).ok(), Some(false));
        drop(directory.store(&SeededEntropy::new(1), Arc::new(SystemClock)).unwrap());
        assert_eq!(DataDirectory::is_made(&path).ok(), Some(true));
        // A file where the directory should be.
        assert_eq!(DataDirectory::is_made(&path.join(DATABASE)).ok(), Some(false));
    }

    #[test]
    fn a_directory_in_use_is_refused() {
        let (_parent, path) = fresh();
        let first = DataDirectory::open(&path).unwrap();
        assert!(message(DataDirectory::open(&path)).contains("is in use by a running regrant"));
        drop(first);
        assert!(DataDirectory::open(&path).is_ok());
    }

    #[test]
    fn a_missing_key_file_beside_a_store_is_never_replaced() {
        let (_parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        let entropy = SeededEntropy::new(1);
        directory.key_ring(&entropy).unwrap();
        drop(directory.store(&entropy, Arc::new(SystemClock)).unwrap());
        fs::remove_file(path.join(KEY_FILE)).unwrap();
        assert!(message(directory.key_ring(&entropy)).contains("restore the key file"));
        assert!(!path.join(KEY_FILE).exists());
    }

    #[test]
    fn a_key_file_is_replaced_whole_and_stays_for_its_owner_only() {
        let (_parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        let entropy = SeededEntropy::new(1);
        let mut ring = directory.key_ring(&entropy).unwrap();
        let (key_file, unfinished) = (path.join(KEY_FILE), path.join("master.key.new"));
        // As a crash before left it, and somebody's hand after it.
        fs::write(&unfinished, "#".repeat(KEY_FILE_BYTES_MAX)).unwrap();
        fs::set_permissions(&unfinished, Permissions::from_mode(0o644)).unwrap();
        ring.add(&entropy).unwrap();
        directory.replace(&ring).unwrap();
        assert_eq!(fs::read_to_string(&key_file).unwrap(), *ring.to_text());
        assert_eq!(fs::metadata(&key_file).unwrap().mode() & 0o777, 0o600);
        assert!(!unfinished.exists());
        assert_eq!(directory.key_ring(&entropy).unwrap().to_text(), ring.to_text());
    }

    #[test]
    fn a_key_file_that_cannot_be_written_stays_as_it_was() {
        let (_parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        let entropy = SeededEntropy::new(1);
        let mut ring = directory.key_ring(&entropy).unwrap();
        let before = fs::read(path.join(KEY_FILE)).unwrap();
        // A directory in the place of the file that is written first, which stops even root.
        fs::create_dir(path.join("master.key.new")).unwrap();
        ring.add(&entropy).unwrap();
        let told = directory.replace(&ring).unwrap_err().to_string();
        assert!(told.contains("master.key: ") && told.contains("see that this user may read and write it"), "{told}");
        assert_eq!(fs::read(path.join(KEY_FILE)).unwrap(), before);
    }

    #[test]
    fn a_broken_key_file_is_refused_without_showing_it() {
        let (_parent, path) = fresh();
        let directory = DataDirectory::open(&path).unwrap();
        directory.key_ring(&SeededEntropy::new(1)).unwrap();
        let key_file = path.join(KEY_FILE);
        for (content, expected) in [
            ("pepper = sesame\n".to_owned(), "line 1 of the key file"),
            (String::new(), "has no line"),
            ("#".repeat(KEY_FILE_BYTES_MAX + 1), "larger than"),
        ] {
            fs::write(&key_file, &content).unwrap();
            let told = message(directory.key_ring(&SeededEntropy::new(1)));
            assert!(told.contains(expected) && !told.contains("sesame"), "{told}");
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_refused() {
        let (_parent, path) = fresh();
        fs::write(&path, "x").unwrap();
        assert!(message(DataDirectory::open(&path)).contains("is not a directory"));
    }
}
