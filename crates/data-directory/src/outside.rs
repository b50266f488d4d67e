use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::key_file::KEY_FILE;
use crate::mark::MARK_FILE;

/// Where the files are by which a database that was put back to an earlier day is known, and what ended since is done again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutsideFiles {
    /// The high-water mark; `None` for [`MARK_FILE`] in the data directory.
    pub mark: Option<PathBuf>,
    /// The revocation journal; `None` for none.
    pub journal: Option<PathBuf>,
}

impl OutsideFiles {
    /// The mark of a data directory.
    #[must_use]
    pub fn mark_in(&self, directory: &Path) -> PathBuf {
        self.mark.clone().unwrap_or_else(|| directory.join(MARK_FILE))
    }

    /// What of key file, mark and journal lies in the same file system as the database in `directory`, and is lost and put back
    /// together with it.
    #[must_use]
    pub fn on_the_same_disk(&self, directory: &Path) -> Vec<PathBuf> {
        let device = |path: &Path| path.metadata().or_else(|_| parent(path).metadata()).ok().map(|found| found.dev());
        let of_database = device(directory);
        let files = [Some(directory.join(KEY_FILE)), Some(self.mark_in(directory)), self.journal.clone()];
        files.into_iter().flatten().filter(|path| device(path) == of_database).collect()
    }
}

/// What to do where a database is not that of its directory.
pub(crate) const PUT_BACK: &str =
    "put the database of this directory back, or a backup of it with `regrant restore BACKUP`";

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
