use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::statvfs;
use rustix::process::geteuid;

use regrant_data_directory::{DATABASE, DataDirectory, KEY_FILE};

use super::check::Check;

/// Below this the disk is all but full.
const FREE_BYTES_MIN: u64 = 100 * 1024 * 1024;

/// Below this it is time to make room.
const FREE_BYTES_WISE: u64 = 1024 * 1024 * 1024;

/// Who may read directory and files; whether there is anything.
pub(super) fn check_directory(data: &Path, checks: &mut Vec<Check>) -> bool {
    const NAME: &str = "data directory";
    if !DataDirectory::is_made(data) {
        let found = format!("there are no data of a server in {}; name the directory with --data DIR", data.display());
        checks.push(Check::fail(NAME, found));
        return false;
    }
    let before = checks.len();
    let files = [(data.to_owned(), 0o700), (data.join(DATABASE), 0o600), (data.join(KEY_FILE), 0o600)];
    for (path, wanted) in files {
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let (mode, path) = (metadata.mode() & 0o777, path.display());
        if mode & 0o077 != 0 {
            checks.push(Check::fail(
                NAME,
                format!("{path} is open to other users (mode {mode:03o}); run: chmod {wanted:03o} {path}"),
            ));
        }
        let (owner, we) = (metadata.uid(), geteuid().as_raw());
        if owner != we {
            let found = format!(
                "{path} belongs to user {owner}, and this is user {we}; run commands as the user of the server"
            );
            checks.push(Check::warn(NAME, found));
        }
    }
    if checks.len() == before {
        checks.push(Check::ok(NAME, format!("{} is for its owner only", data.display())));
    }
    true
}

/// Whether the key file can be read.
pub(super) fn check_keys(data: &Path) -> Check {
    const NAME: &str = "key file";
    match DataDirectory::kept_keys(data) {
        Ok(ring) => Check::ok(
            NAME,
            format!(
                "it can be read; master keys in it: {} of at most 255. Keep a copy of it where the backups are not",
                ring.iter().count()
            ),
        ),
        Err(error) => Check::fail(NAME, error.to_string()),
    }
}

/// How much room there is.
pub(super) fn check_disk(data: &Path) -> Check {
    const NAME: &str = "disk";
    match statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let found = format!("{} MiB are free", free / (1024 * 1024));
            match free {
                free if free < FREE_BYTES_MIN => Check::fail(
                    NAME,
                    format!("{found}; make room: without it nothing can be written, and every refresh is answered 503"),
                ),
                free if free < FREE_BYTES_WISE => Check::warn(NAME, format!("{found}; make room soon")),
                _ => Check::ok(NAME, found),
            }
        }
        Err(error) => Check::warn(NAME, format!("the free space is not known: {error}")),
    }
}
