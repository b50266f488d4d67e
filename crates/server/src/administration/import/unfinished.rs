//! The note that an import has begun and not ended. While it lies in a data directory, no server starts there: it would refuse
//! those whose tokens are still to come.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use regrant_protocol::Timestamp;

/// The name of the note.
const FILE: &str = "import-unfinished";

/// The note of an import that goes on.
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Writes the note that `command` has begun, for good, before anything else is written.
    ///
    /// # Errors
    /// When it cannot be written, or there is a note of another import.
    pub(super) fn begin(data: &Path, command: &str, now: Timestamp) -> Result<Self> {
        let path = data.join(FILE);
        if read(&path)?.is_some() {
            refuse_another(data, command)?;
            return Ok(Self(path));
        }
        let write = || {
            let mut file = File::create(&path)?;
            writeln!(file, "{command}{BEGUN}{}", now.to_rfc3339())?;
            file.sync_all()?;
            File::open(data)?.sync_all()
        };
        write().with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    /// Takes the note away: the import has ended.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn end(self) -> Result<()> {
        fs::remove_file(&self.0).with_context(|| format!("{}: remove it by hand", self.0.display()))
    }
}

/// Refuses to import by `command` where another import has not ended: its note would be lost, and half of it be served.
///
/// # Errors
/// When there is a note of another.
pub(super) fn refuse_another(data: &Path, command: &str) -> Result<()> {
    let path = data.join(FILE);
    let Some(note) = read(&path)? else { return Ok(()) };
    let (other, _) = note.rsplit_once(BEGUN).unwrap_or((&note, ""));
    if other == command {
        return Ok(());
    }
    bail!(
        "another import into {} has not ended ({note}): run that one to its end first; or remove {} to leave it as it is",
        data.display(),
        path.display()
    )
}

/// Refuses to serve where an import has not ended.
///
/// # Errors
/// When there is a note of one.
pub(crate) fn refuse_to_serve(data: &Path) -> Result<()> {
    let path = data.join(FILE);
    match read(&path)? {
        Some(note) => bail!(
            "an import into {} has not ended ({note}): run it again, and it goes on; or remove {} to serve what there is",
            data.display(),
            path.display()
        ),
        None => Ok(()),
    }
}

/// The note, if there is one. An empty one is of an import that wrote nothing else.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(note) => Ok(Some(note.trim().to_owned()).filter(|note| !note.is_empty())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// What stands between the command and the time.
const BEGUN: &str = ", begun at ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_server_starts_while_an_import_has_not_ended() {
        let data = tempfile::tempdir().unwrap();
        refuse_to_serve(data.path()).unwrap();
        let now = Timestamp::from_seconds(1_800_000_000);
        let unfinished = Unfinished::begin(data.path(), "regrant import wso2 --from dump.sql", now).unwrap();
        let told = refuse_to_serve(data.path()).unwrap_err().to_string();
        assert!(told.contains("regrant import wso2 --from dump.sql, begun at 2027-01-15T08:00:00Z"), "{told}");
        unfinished.end().unwrap();
        refuse_to_serve(data.path()).unwrap();
    }

    #[test]
    fn another_import_does_not_begin_where_one_has_not_ended() {
        let data = tempfile::tempdir().unwrap();
        let now = Timestamp::from_seconds(1_800_000_000);
        let (one, other) = ("regrant import wso2 --from dump.sql", "regrant import wso2 --from dump.sql --tenant x");
        drop(Unfinished::begin(data.path(), one, now).unwrap());
        for refused in [refuse_another(data.path(), other), Unfinished::begin(data.path(), other, now).map(drop)] {
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("--from dump.sql, begun at 2027") && told.contains("to its end first"), "{told}");
        }
        refuse_another(data.path(), one).unwrap();
        Unfinished::begin(data.path(), one, now.plus_seconds(60)).unwrap().end().unwrap();
        Unfinished::begin(data.path(), other, now).unwrap();
        fs::write(data.path().join(FILE), "").unwrap();
        refuse_to_serve(data.path()).unwrap();
        Unfinished::begin(data.path(), one, now).unwrap();
        refuse_to_serve(data.path()).unwrap_err();
    }
}
