use std::any::Any;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use crate::credential_file::CredentialError;
use crate::{Credential, Version};

/// Where one credential is kept.
///
/// Its only write is a compare-and-swap, so that a loser of a race never overwrites the winner. What
/// [`Storage::compare_and_swap`] has confirmed survives a crash of the process and, where the storage is a disk, of the machine.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Keeps everybody else who uses this credential, in this process and in others, from an exchange until the guard is dropped.
    ///
    /// It is a lock of the system and ends with its process: no lease, and no file whose mere presence means anything.
    ///
    /// # Errors
    /// [`StorageError::Busy`] when somebody else holds it for longer than `wait`.
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError>;

    /// The credential as it was last written; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read. An unreadable credential is kept as it is.
    async fn load(&self) -> Result<Option<Credential>, StorageError>;

    /// Writes `new`, or removes the credential, if what is kept is still what `seen` says: a version, or nothing.
    ///
    /// # Errors
    /// When it cannot be written. Then either the old or the new one is kept, whole.
    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError>;
}

/// What became of a [`Storage::compare_and_swap`].
#[must_use = "a credential that changed meanwhile has to be read again"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// It is written, and on disk.
    Done,
    /// Somebody else was there first; nothing was written.
    Changed,
}

/// Holds a [`Storage::lock`] until it is dropped.
pub struct StorageLock(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Any + Send>);

impl StorageLock {
    /// The lock that ends when `guard` is dropped.
    #[must_use]
    pub fn new(guard: impl Any + Send) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for StorageLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageLock")
    }
}

/// Why a credential can be neither read nor written. None of these means that a person has to log in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Somebody else has held the lock for longer than one waits. Try again.
    #[error("another process is refreshing {0:?}, and has been for longer than one waits; try again")]
    Busy(PathBuf),
    /// The file system refused.
    #[error("cannot {action} {path:?}: {cause}")]
    File {
        /// What was attempted, such as `read`.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Somebody else than its owner could read the file.
    #[error("{path:?} may be read or written by others (mode {mode:o}); nothing was read: run chmod 600 on it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is kept there is not a credential; it was left alone.
    #[error("{path:?} was left as it is, because {cause}; move it away to log in anew")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: CredentialError,
    },
    /// More than is read again: a write would take the tokens that are there, and leave none.
    #[error(
        "{path:?} was left as it is, because the new credential has {bytes} bytes, and {} are the most; ask for less in a token",
        Credential::BYTES_MAX
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long the credential is.
        bytes: usize,
    },
    /// A file of another user, as it is after `sudo`: writing it would take it from its owner.
    #[error(
        "{path:?} belongs to user {owner}, and this program runs as user {user}; nothing was read: run it as that user"
    )]
    OtherOwner {
        /// The file.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id that this program runs with.
        user: u32,
    },
    /// A link, a directory, a device: a write would replace it by a file, and leave what it stands for behind.
    #[error("{path:?} is {kind}; nothing was read: give the path of the file itself")]
    NotPlain {
        /// What is no file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A file with other names: a write would leave old tokens under them, as in a copy.
    #[error(
        "{path:?} has {names} names (hard links), and a refresh would leave spent tokens under the others; nothing was read: remove those"
    )]
    Linked {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// The keyring does not give the key that the file is sealed with, because it is locked, say, or not there.
    #[error("the keyring has no key for {path:?} now: {cause}; the tokens are kept. Unlock the keyring, and try again")]
    Keyring {
        /// The file.
        path: PathBuf,
        /// What the keyring said.
        cause: String,
    },
    /// What is kept there is not a credential sealed by the keyring; it was left alone.
    #[cfg(feature = "keyring")]
    #[error("{path:?} was left as it is, because {cause}; move it away to log in anew")]
    Sealed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: crate::SealError,
    },
    /// A storage of the caller's own failed.
    #[error("the credential's storage failed: {0}")]
    Other(String),
}

impl StorageError {
    /// Whether the same call may succeed later: somebody else is at it, or the keyring is locked.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Keyring { .. })
    }
}
