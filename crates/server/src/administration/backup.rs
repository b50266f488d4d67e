//! `regrant backup`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use regrant_admin::{BackupTarget, BackupView};

use super::api::{AdminApi, run};
use super::output::Output;
use super::place::CommonOptions;

/// What `regrant backup` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BackupOptions {
    #[command(flatten)]
    common: CommonOptions,
    /// The file to write, which must not be there yet.
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  regrant backup /var/lib/regrant/backups/$(date -u +%Y%m%dT%H%M%SZ).db
  regrant backup --json copy.db

The server goes on meanwhile, and writes the file itself: let it write there. A copy of master.key has to be kept too, in
another place. To restore, stop the server and run regrant restore.";

/// Runs `regrant backup`: copies the database as it is at one moment, and checks the copy.
///
/// # Errors
/// Why there is no copy.
pub fn backup(options: BackupOptions) -> Result<()> {
    let BackupOptions { common, path } = options;
    let place = common.find()?;
    // The server may have been started somewhere else.
    let path = std::path::absolute(&path).with_context(|| path.display().to_string())?;
    let path = path.into_os_string().into_string().ok().context("the path is not UTF-8; choose another")?;
    run(async {
        let api = AdminApi::reach(&place).await?;
        let written: BackupView = api.post("/backup", &BackupTarget { path }).await?;
        // A service may have a /tmp of its own.
        let seen = fs::metadata(&written.path).map(|file| file.len());
        if !seen.as_ref().is_ok_and(|bytes| *bytes == written.bytes) {
            bail!(
                "the server wrote {} and read it back, but here there is no such file: the server has another view of the \
                 file system, as services with a private /tmp do; name a path below its data directory",
                written.path
            );
        }
        let told = format!("{} has {} bytes, and was read back whole. {}", written.path, written.bytes, written.note);
        Output { is_json: common.json }.done(&written, &told)
    })
}
