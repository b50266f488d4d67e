use std::path::Path;

use crate::DataDirectoryError;
use crate::error::io_error;
use crate::move_note::{MOVED, MOVING, MoveNote, NOTE};
use crate::replace_file::{remove_leftover, replace_file, sync_directory_of};

impl MoveNote {
    /// Writes the note so that a crash leaves it, or the one before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), DataDirectoryError> {
        let path = directory.join(NOTE);
        let state = if self.is_done { MOVED } else { MOVING };
        replace_file(&path, format!("{state} {}\n", self.to).as_bytes()).map_err(|error| io_error(&path, error))
    }

    /// Takes the note away, for good.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove(directory: &Path) -> Result<(), DataDirectoryError> {
        let path = directory.join(NOTE);
        let removed = remove_leftover(&path).and_then(|()| sync_directory_of(&path));
        removed.map_err(|error| io_error(&path, error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_note_says_what_was_written_until_it_is_taken_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(MoveNote::read(path).unwrap(), None);
        for is_done in [false, true] {
            let note = MoveNote { to: "postgres://regrant@/run/postgresql:5432/regrant".to_owned(), is_done };
            note.write(path).unwrap();
            assert_eq!(MoveNote::read(path).unwrap(), Some(note));
        }
        for damaged in ["", "moved-to", "moved-to x", "sent-to x\n"] {
            fs::write(path.join(NOTE), damaged).unwrap();
            let told = MoveNote::read(path).unwrap_err().to_string();
            assert!(told.contains("store-moved is damaged") && !told.contains('\n'), "{told}");
        }
        MoveNote::remove(path).unwrap();
        MoveNote::remove(path).unwrap();
        assert_eq!(MoveNote::read(path).unwrap(), None);
    }
}
