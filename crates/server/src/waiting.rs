//! A data directory that another process has open, waited for: commands have it for a moment only.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use regrant_data_directory::{DataDirectory, DataDirectoryError};
use tokio::time::sleep;

use crate::admin_socket::AdminSocket;
use crate::administration::unfinished;

/// How often a process that is about to answer, or a command that is about to end, is waited for.
pub(crate) const BUSY_PAUSES_MAX: u32 = 100;
/// How long each time.
pub(crate) const BUSY_PAUSE_MILLISECONDS: u64 = 50;

/// Opens a data directory to serve from it.
///
/// # Errors
/// When it cannot be opened, a server runs in it, something else has it open for longer than commands do, or an import into it has not
/// ended.
pub(crate) async fn open(path: &Path) -> Result<DataDirectory> {
    for _ in 0..BUSY_PAUSES_MAX {
        match DataDirectory::open(path) {
            Err(DataDirectoryError::InUse(_)) => {}
            opened => {
                let directory = opened?;
                unfinished::refuse_to_serve(path)?;
                return Ok(directory);
            }
        }
        if AdminSocket::connect(path).await.is_ok() {
            break;
        }
        sleep(Duration::from_millis(BUSY_PAUSE_MILLISECONDS)).await;
    }
    bail!(
        "{} is in use by a running regrant or a regrant command; stop that one, or name another directory with --data",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_is_had_as_soon_as_a_command_has_ended() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let command = DataDirectory::open(&path).unwrap();
        let (opened, ()) = tokio::join!(open(&path), async { drop(command) });
        opened.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_answers_is_not_waited_for() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let _server = DataDirectory::open(&path).unwrap();
        let _listens = AdminSocket::listen(&path).unwrap();
        let told = open(&path).await.err().unwrap().to_string();
        assert!(told.contains("is in use by a running regrant or a regrant command; stop that one"), "{told}");
    }
}
