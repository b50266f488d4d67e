//! A database file of SQLite, and the logs beside it without which it lacks what was written last.

use std::fs;
use std::io;
use std::path::Path;

use crate::replace_file::{beside, remove_leftover, sync_directory_of};

/// What SQLite writes beside a database, behind its name.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Whether neither a database nor a log of one has this name.
pub(crate) fn is_free(path: &Path) -> bool {
    !path.exists() && LOGS.iter().all(|log| !beside(path, log).exists())
}

/// Whether the file is a log of a database, by its name.
pub(crate) fn is_log(name: &str) -> bool {
    LOGS.iter().any(|log| name.ends_with(log))
}

/// Gives a database another name, its logs with it, for good. At no moment is there a database without its log: a crash leaves both
/// under the old name or under the new one, with some of the logs under the other as well, which are taken away when this is done
/// again. A database that is not there has the other name already.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let logs = || LOGS.iter().map(|log| (beside(from, log), beside(to, log)));
    if from.exists() {
        for (from, to) in logs().filter(|(from, _)| from.exists()) {
            remove_leftover(&to)?;
            fs::hard_link(from, to)?;
        }
        sync_directory_of(to)?;
        fs::rename(from, to)?;
    }
    for (from, to) in logs().filter(|(from, _)| from.exists()) {
        if to.exists() {
            remove_leftover(&from)?;
        } else {
            fs::rename(from, to)?;
        }
    }
    sync_directory_of(to)
}

/// Removes a database with its logs, the logs first.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    LOGS.iter().try_for_each(|log| remove_leftover(&beside(path, log)))?;
    remove_leftover(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_that_was_broken_off_is_finished_and_no_log_is_lost() {
        for (why, left) in [
            ("nothing was done", ["regrant.db", "regrant.db-wal"].as_slice()),
            ("its log has both names", &["regrant.db", "regrant.db-wal", "kept-wal"]),
            ("the database has its new name", &["kept", "regrant.db-wal", "kept-wal"]),
            ("all was done", &["kept", "kept-wal"]),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            for name in left {
                fs::write(path(name), if name.ends_with("wal") { "log" } else { "database" }).unwrap();
            }
            assert!(!is_free(&path("kept")) || why == "nothing was done", "{why}");
            rename(&path("regrant.db"), &path("kept")).unwrap();
            assert!(is_free(&path("regrant.db")), "{why}");
            assert_eq!(fs::read(path("kept")).unwrap(), b"database", "{why}");
            assert_eq!(fs::read(path("kept-wal")).unwrap(), b"log", "{why}");
            remove(&path("kept")).unwrap();
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{why}");
        }
    }

    #[test]
    fn a_database_is_not_moved_before_its_log_has_the_new_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("regrant.db"), "database").unwrap();
        fs::write(path("regrant.db-wal"), "log").unwrap();
        // Nothing takes its place, and so the log cannot get the name.
        fs::create_dir(path("kept-wal")).unwrap();
        assert!(rename(&path("regrant.db"), &path("kept")).is_err());
        assert!(path("regrant.db").exists() && path("regrant.db-wal").exists() && !path("kept").exists());
    }
}
