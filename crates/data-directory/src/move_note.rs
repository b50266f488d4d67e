use std::fs;
use std::io;
use std::path::Path;

use crate::DataDirectoryError;
use crate::error::io_error;

/// The note that the store of this directory moves to another database, or has. Where it lies, SQLite is not served.
pub(crate) const NOTE: &str = "store-moved";

/// What such a note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MoveNote {
    /// Where to.
    pub(crate) to: String,
    /// Whether the store is there. Otherwise it may be, and whoever moves it has to look.
    pub(crate) is_done: bool,
}

impl MoveNote {
    /// The note in a data directory, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, or says something else.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, DataDirectoryError> {
        let path = directory.join(NOTE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(&path, error)),
        };
        let note = text.strip_suffix('\n').and_then(|line| line.split_once(' ')).and_then(|(state, to)| {
            let is_done = [(MOVING, false), (MOVED, true)].into_iter().find(|(word, _)| *word == state)?.1;
            Some(Self { to: to.to_owned(), is_done })
        });
        note.map(Some).ok_or_else(|| DataDirectoryError::MoveNote(path.display().to_string()))
    }
}

/// Refuses to serve from SQLite where the store has moved, or may have.
///
/// # Errors
/// When there is a note.
#[cfg(feature = "sqlite")]
pub(crate) fn refuse_moved(directory: &Path) -> Result<(), DataDirectoryError> {
    let place = || directory.display().to_string();
    match MoveNote::read(directory)? {
        None => Ok(()),
        Some(MoveNote { to, is_done: true }) => Err(DataDirectoryError::StoreMoved { directory: place(), to }),
        Some(MoveNote { to, is_done: false }) => Err(DataDirectoryError::StoreMoving { directory: place(), to }),
    }
}

/// Refuses to serve from PostgreSQL where it is not known whether the store has moved: where it has not, another would be made.
///
/// # Errors
/// When there is a note of a move that has not ended.
#[cfg(feature = "postgres")]
pub(crate) fn refuse_moving(directory: &Path) -> Result<(), DataDirectoryError> {
    match MoveNote::read(directory)? {
        Some(MoveNote { to, is_done: false }) => {
            Err(DataDirectoryError::StoreMoving { directory: directory.display().to_string(), to })
        }
        Some(MoveNote { is_done: true, .. }) | None => Ok(()),
    }
}

pub(crate) const MOVING: &str = "moving-to";
pub(crate) const MOVED: &str = "moved-to";
