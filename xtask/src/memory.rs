//! A folder for the temporary files of tests, in memory where there is room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// How much has to be free there, in bytes: the tests' databases and programs take a part of it.
const FREE_BYTES_MIN: u64 = 4 << 30;

/// A folder that is removed at the end, with what tests that were ended have left in it.
pub(crate) struct MemoryFolder(PathBuf);

impl MemoryFolder {
    /// `None` where there is no such place, or too little room.
    pub(crate) fn make() -> Option<Self> {
        let has_room = free_bytes(Path::new(MEMORY)).is_some_and(|free| free >= FREE_BYTES_MIN);
        let path = Path::new(MEMORY).join(format!("regrant-tests-{}", std::process::id()));
        (has_room && fs::create_dir(&path).is_ok()).then_some(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        // What is left takes memory until the next start of the machine, and breaks nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn free_bytes(path: &Path) -> Option<u64> {
    let output = Command::new("df").args(["--block-size=1", "--output=avail"]).arg(path).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    printed.lines().nth(1)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_bytes_of_a_folder_are_known_and_those_of_none_are_not() {
        assert!(free_bytes(Path::new("/")).is_some());
        assert_eq!(free_bytes(Path::new("/nowhere/at/all")), None);
    }

    #[test]
    fn a_folder_is_removed_with_what_is_in_it() {
        let Some(folder) = MemoryFolder::make() else { return };
        let path = folder.path().to_owned();
        fs::write(path.join("left"), "by a test").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
