use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// The file of the audit trail: readable by its owner alone, and only ever appended to.
#[derive(Clone, Debug)]
pub(crate) struct AuditFile(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: Mutex<File>,
}

impl AuditFile {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = Mutex::new(append(path)?);
        Ok(Self(Arc::new(Opened { path: path.to_owned(), file })))
    }

    /// Goes on in the file that has the name now.
    ///
    /// # Errors
    /// When it cannot be opened; then it goes on where it was.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let file = append(&self.0.path)?;
        *self.0.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
        Ok(())
    }
}

impl Write for &AuditFile {
    /// A line comes in one write, and one write appends it whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.file.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for AuditFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(MODE).open(path)
}

/// Who may read a new file: its owner.
const MODE: u32 = 0o600;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn lines_are_appended_and_follow_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
        fs::write(&path, "before\n").unwrap();
        let file = AuditFile::open(&path).unwrap();
        (&file).write_all(b"one\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        (&file).write_all(b"two\n").unwrap();
        file.reopen().unwrap();
        (&file).write_all(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&moved).unwrap(), "before\none\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert!(AuditFile::open(&folder.path().join("none/audit.log")).is_err());
    }
}
