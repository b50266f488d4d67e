use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use regrant_crypto::SeededEntropy;
use regrant_data_directory::{DATABASE, DataDirectory, MARK_FILE, OutsideFiles, Restoration, RestorePolicy, Restored};
use regrant_protocol::Timestamp;
use regrant_store_sqlite::back_up;
use tempfile::TempDir;

use crate::instance::{Instance, START_SECONDS};

/// A data directory, and mark and journal outside of it.
pub(super) struct Files {
    parent: TempDir,
    outside: OutsideFiles,
    /// Mark and journal as they were at the backup.
    then: Vec<(PathBuf, Vec<u8>)>,
}

impl Files {
    pub(super) fn make() -> Result<Self> {
        let parent = tempfile::tempdir()?;
        let elsewhere = parent.path().join("elsewhere");
        fs::create_dir(&elsewhere)?;
        let outside = OutsideFiles { mark: Some(elsewhere.join(MARK_FILE)), journal: Some(elsewhere.join("journal")) };
        Ok(Self { parent, outside, then: Vec::new() })
    }

    pub(super) fn back_up(&mut self) -> Result<()> {
        back_up(&self.database(), &self.backup())?;
        for path in [self.outside.mark.clone(), self.outside.journal.clone()].into_iter().flatten() {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            self.then.push((path, bytes));
        }
        Ok(())
    }

    /// The same in a directory of its own.
    pub(super) fn again(&self) -> Result<Self> {
        let parent = tempfile::tempdir()?;
        let here = |path: &Path| match path.strip_prefix(self.parent.path()) {
            Ok(below) => parent.path().join(below),
            Err(_) => path.to_owned(),
        };
        for directory in [self.data(), self.parent.path().join("elsewhere")] {
            DirBuilder::new().mode(0o700).create(here(&directory))?;
            for entry in fs::read_dir(&directory)? {
                let path = entry?.path();
                fs::copy(&path, here(&path))?;
            }
        }
        fs::copy(self.backup(), here(&self.backup()))?;
        let outside = OutsideFiles {
            mark: self.outside.mark.as_deref().map(here),
            journal: self.outside.journal.as_deref().map(here),
        };
        let then = self.then.iter().map(|(path, bytes)| (here(path), bytes.clone())).collect();
        Ok(Self { outside, then, parent })
    }

    pub(super) async fn open(&self, seed: u64) -> Result<Instance> {
        Instance::open_beside(&self.data(), &self.outside, seed).await
    }

    pub(super) fn put_back(&self) -> Result<()> {
        for suffix in ["-wal", "-shm"] {
            let log = self.data().join(format!("{DATABASE}{suffix}"));
            if log.exists() {
                fs::remove_file(log)?;
            }
        }
        fs::copy(self.backup(), self.database())?;
        Ok(())
    }

    pub(super) fn put_outside_back(&self) -> Result<()> {
        for (path, bytes) in &self.then {
            fs::write(path, bytes)?;
        }
        Ok(())
    }

    pub(super) fn lose_outside(&self) -> Result<()> {
        for (path, _) in &self.then {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    pub(super) fn forget_journal(&mut self) {
        self.outside.journal = None;
    }

    pub(super) fn restore(&self, policy: RestorePolicy, with_journal: bool, seed: u64) -> Result<Restored> {
        let outside =
            OutsideFiles { journal: self.outside.journal.clone().filter(|_| with_journal), ..self.outside.clone() };
        let backup = Some(self.backup());
        let restoration = Restoration { backup, policy, earlier_journals: Vec::new(), gives_up_journal: !with_journal };
        let now = Timestamp::from_seconds(START_SECONDS);
        Ok(DataDirectory::open(&self.data())?.restore(&restoration, &outside, &SeededEntropy::new(seed), now)?)
    }

    fn data(&self) -> PathBuf {
        self.parent.path().join("data")
    }

    fn database(&self) -> PathBuf {
        self.data().join(DATABASE)
    }

    fn backup(&self) -> PathBuf {
        Path::join(self.parent.path(), "backup.db")
    }
}
