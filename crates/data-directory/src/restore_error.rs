use std::path::{Path, PathBuf};

use regrant_engine::NODE_AWAITED_MILLISECONDS;
use regrant_store::OutsideError;

use crate::DataDirectoryError;
use crate::renewal::AnotherKey;

/// Why nothing was restored. What was in place is there, and where mark or journal were told already that another epoch begins, it does
/// not serve until the restore was done again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is nothing to restore.
    #[error("{} is not there; name the backup: regrant restore BACKUP{}", path.display(), or_what_was_kept(.kept.as_deref()))]
    NothingInPlace {
        /// Where the database should be.
        path: PathBuf,
        /// What a restore has moved away last, if there was one.
        kept: Option<PathBuf>,
    },
    /// The copy was damaged.
    #[error("{} is damaged: {fault}; name another backup", backup.display())]
    Unsound {
        /// The copy.
        backup: PathBuf,
        /// The first thing that is wrong with it.
        fault: String,
    },
    /// The copy cannot be put beside the database.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Backup(#[from] regrant_store_sqlite::BackupError),
    /// The copy cannot be used.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Store(#[from] regrant_store_sqlite::OpenError),
    /// The database cannot be used.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Database(#[from] regrant_store_postgres::OpenError),
    /// Nodes use the database.
    #[error(
        "{names} used the database a moment ago; stop all nodes, and run this again {} seconds after the last one",
        NODE_AWAITED_MILLISECONDS / 1000
    )]
    NodesThere {
        /// Which.
        names: String,
    },
    /// Mark or journal cannot be used.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The copy is of another store than mark or data directory say.
    #[error("this is a backup of another store than {}; name a backup of this one, or another data directory with --data", .0.display())]
    AnotherStore(PathBuf),
    /// The key file is of another store, or lacks a key.
    #[error(
        "master key {kid} of the backup is not the one in the key file; put the key file of this store into the data directory"
    )]
    AnotherKey {
        /// Its number.
        kid: u8,
    },
    /// The store has a journal, and nobody says where.
    #[error(
        "the store has a revocation journal, and it is not said where: name the configuration of the server with --config FILE, or \
         give up what the journal says with --without-journal"
    )]
    JournalNotNamed,
    /// The store has a journal, and it is not where it should be.
    #[error(
        "the store has a revocation journal, and {} is not there: put the journal back, or, when it is lost, give up what it says \
         with --without-journal", .0.display()
    )]
    JournalMissing(PathBuf),
    /// The journal lacks what came after the copy.
    #[error(
        "the journal begins after record {begins_after}, and the backup has the records up to {known} only: name those from before it \
         as well, where they are files with --earlier-journal FILE, or give up what they say with --without-journal"
    )]
    JournalGap {
        /// The record before the journal.
        begins_after: u64,
        /// The last record of the copy.
        known: u64,
    },
    /// The journal ends before what the copy has.
    #[error(
        "the journal ends with record {last}, and the backup has record {known}: put the newer journal back, or move this one away"
    )]
    JournalBehind {
        /// The last record of the journal.
        last: u64,
        /// The last record of the copy.
        known: u64,
    },
    /// The journal ends before what the mark knows of, as one does after which another was begun.
    #[error(
        "the journal ends with record {last}, and the mark says that there was record {marked}: name the one that was begun last in \
         store.journal, and those from before it, where they are files, with --earlier-journal FILE; or give up what it says with \
         --without-journal"
    )]
    JournalBehindMark {
        /// The last record of the journal.
        last: u64,
        /// The last record that the mark knows of.
        marked: u64,
    },
    /// Journals were named of which one does not go on where the one before it ends.
    #[error(
        "{} ends with record {last}, and the next journal begins after record {begins_after}: name the one between them too, with \
         --earlier-journal FILE", path.display()
    )]
    JournalsApart {
        /// The earlier one.
        path: PathBuf,
        /// Its last record.
        last: u64,
        /// The record before the next one.
        begins_after: u64,
    },
    /// An earlier journal was named, and not the present one.
    #[error(
        "name the journal of the server, which goes on where that of --earlier-journal ends, in store.journal of the configuration"
    )]
    EarlierJournalAlone,
    /// There is no number left.
    #[error("the store was restored 254 times, which is as often as its tokens can tell; begin a new store")]
    NoEpochLeft,
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
}

#[cfg(feature = "sqlite")]
impl From<regrant_store_sqlite::RenewError> for RestoreError {
    fn from(error: regrant_store_sqlite::RenewError) -> Self {
        use regrant_store_sqlite::RenewError;
        match error {
            RenewError::Store(error) => Self::Store(error),
            RenewError::Journal(error) | RenewError::Keys(error) => Self::Outside(error),
            _ => Self::Outside(OutsideError(error.to_string())),
        }
    }
}

impl From<AnotherKey> for RestoreError {
    fn from(AnotherKey(kid): AnotherKey) -> Self {
        Self::AnotherKey { kid: kid.0 }
    }
}

fn or_what_was_kept(kept: Option<&Path>) -> String {
    let kept = kept.map(|kept| {
        format!(". What was in place before a restore that broke off is {}, which can be named as one", kept.display())
    });
    kept.unwrap_or_default()
}
