//! Stores to be damaged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::examine::{Rows, rows};
use crate::instance::Instance;
use crate::ledger::Ledger;
use crate::power::write_files;
use crate::workload::Workload;

pub(super) const DATABASE: &str = "regrant.db";
pub(super) const LOG: &str = "regrant.db-wal";
pub(super) const LOG_INDEX: &str = "regrant.db-shm";
pub(super) const KEY_FILE: &str = "master.key";

/// The files of a data directory, by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// A store whose process was killed, the same after it was closed, and another that was killed.
pub(super) struct Stores {
    pub(super) killed: Files,
    pub(super) closed: Files,
    pub(super) other: Files,
    pub(super) ledger: Ledger,
    pub(super) before: Rows,
}

impl Stores {
    pub(super) fn make() -> Result<Self> {
        let folder = tempfile::tempdir().context("a proof may write temporary files")?;
        let (data, other) = (folder.path().join("data"), folder.path().join("other"));
        let ledger = work(&data, 70)?;
        work(&other, 80)?;
        let killed = read(&data)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let before = runtime.block_on(async {
            let instance = Instance::open(&data, 71).await?;
            rows(&instance, &ledger).await
        })?;
        let (closed, other) = (read(&data)?, read(&other)?);
        ensure!(killed.contains_key(LOG) && !closed.contains_key(LOG), "the log is there until the store is closed");
        Ok(Self { killed, closed, other, ledger, before })
    }
}

/// A store in which most grants were rotated often, some of them since the log was begun.
fn work(data: &Path, seed: u64) -> Result<Ledger> {
    let workload = Workload { data: data.to_owned(), seed, grants: 8, rounds: 48, rounds_before_restart: 24 };
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(workload.to_arguments()).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "the workload failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut ledger = Ledger::default();
    String::from_utf8_lossy(&output.stdout).lines().for_each(|line| ledger.note(line));
    Ok(ledger)
}

fn read(data: &Path) -> Result<Files> {
    let files = fs::read_dir(data)?.map(|entry| {
        let path = entry?.path();
        let name = path.file_name().context("an entry has a name")?.to_string_lossy().into_owned();
        Ok((name, fs::read(path)?))
    });
    files.collect()
}

/// Unlike after a power cut, the index of the log is there.
pub(super) fn write_all(data: &Path, files: &Files) -> Result<()> {
    let paths: BTreeMap<PathBuf, Vec<u8>> = files.iter().map(|(name, bytes)| (name.into(), bytes.clone())).collect();
    write_files(data, &paths)?;
    if let Some(index) = files.get(LOG_INDEX) {
        fs::write(data.join(LOG_INDEX), index)?;
        fs::set_permissions(data.join(LOG_INDEX), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    Ok(())
}
