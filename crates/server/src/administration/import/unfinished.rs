//! The note that an import has begun and not ended. While it lies in a data directory, no server starts there: it would refuse
//! those whose tokens are still to come.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use regrant_import::System;
use regrant_protocol::Timestamp;

/// The name of the note.
const FILE: &str = "import-unfinished";

/// The note of an import that goes on.
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Writes the note, for good, before anything else is written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(data: &Path, system: System, from: &str, now: Timestamp) -> Result<Self> {
        let path = data.join(FILE);
        let write = || {
            let mut file = File::create(&path)?;
            writeln!(file, "regrant import {system} --from {from}, begun at {}", now.to_rfc3339())?;
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

/// Refuses to serve where an import has not ended.
///
/// # Errors
/// When there is a note of one.
pub(crate) fn refuse_to_serve(data: &Path) -> Result<()> {
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(note) => bail!(
            "an import into {} has not ended ({}): run it again, and it goes on; or remove {} to serve what there is",
            data.display(),
            note.trim(),
            path.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_server_starts_while_an_import_has_not_ended() {
        let data = tempfile::tempdir().unwrap();
        refuse_to_serve(data.path()).unwrap();
        let now = Timestamp::from_seconds(1_800_000_000);
        let unfinished = Unfinished::begin(data.path(), System::Wso2, "dump.sql", now).unwrap();
        let told = refuse_to_serve(data.path()).unwrap_err().to_string();
        assert!(told.contains("regrant import wso2 --from dump.sql, begun at 2027-01-15T08:00:00Z"), "{told}");
        unfinished.end().unwrap();
        refuse_to_serve(data.path()).unwrap();
    }
}
