use std::env::temp_dir;

use rustix::fs::statvfs;
use tempfile::TempDir;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// How much has to be free there, in bytes. Containers often have 64 MB of it, which is less than one server takes.
const FREE_BYTES_MIN: u64 = 2 << 30;

/// A folder of a test's own, in memory where there is room: who works under a bound of time must not wait for a disk that others
/// are writing to.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn folder_in_memory() -> TempDir {
    let has_room = statvfs(MEMORY).is_ok_and(|memory| memory.f_bavail * memory.f_frsize >= FREE_BYTES_MIN);
    let place = if has_room { MEMORY.into() } else { temp_dir() };
    TempDir::new_in(place).expect("a test may write temporary files")
}
