use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

const BLOCK_BYTES: usize = 4096;

/// Where a directory lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Such as `ext4`.
    pub kind: String,
    /// The device, as the kernel names it.
    pub device: String,
}

impl FileSystem {
    /// Whether what is written there lies in memory alone, so that a sync costs nothing and keeps nothing.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        ["tmpfs", "ramfs", "devtmpfs"].contains(&self.kind.as_str())
    }
}

/// How long a sync of four kilobytes takes (fdatasync).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncTimes {
    /// Where the file has its length already: half take at most so long.
    pub in_place_p50: Duration,
    /// … and 99 of 100.
    pub in_place_p99: Duration,
    /// Where the file grows, as a new write-ahead log does.
    pub appended_p50: Duration,
}

/// The disk does not let itself be measured.
#[derive(Debug, thiserror::Error)]
#[error("{directory}: {error}; name a directory on a disk that this user may write to")]
pub struct DiskError {
    directory: String,
    error: io::Error,
}

/// Where `directory` lies, by the longest mount point above it.
///
/// # Errors
/// When there is no such directory.
pub fn file_system(directory: &Path) -> Result<FileSystem, DiskError> {
    let failed = |error| DiskError { directory: directory.display().to_string(), error };
    let path = fs::canonicalize(directory).map_err(failed)?;
    let mounts = fs::read_to_string("/proc/self/mounts").map_err(failed)?;
    let found = mounts_in(&mounts).filter(|(point, _)| path.starts_with(point)).max_by_key(|(point, _)| point.len());
    let unknown = FileSystem { kind: "unknown".to_owned(), device: "unknown".to_owned() };
    Ok(found.map_or(unknown, |(_, file_system)| file_system))
}

/// Mount points and what is there; of two at one place the later hides the earlier.
fn mounts_in(mounts: &str) -> impl Iterator<Item = (&str, FileSystem)> {
    mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
        Some((point, FileSystem { kind: kind.to_owned(), device: device.to_owned() }))
    })
}

/// Writes and syncs blocks in a file of its own in `directory`, `times` in place and `times` at the end.
///
/// # Errors
/// When the file cannot be written.
pub fn measure_sync(directory: &Path, times: u32) -> Result<SyncTimes, DiskError> {
    let measured = (|| {
        let path = directory.join("sync-times");
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
        let appended = sync_blocks(&file, times, u64::from)?;
        let in_place = sync_blocks(&file, times, |_| 0)?;
        fs::remove_file(&path)?;
        let at = |times: &Histogram<u64>, quantile| Duration::from_nanos(times.value_at_quantile(quantile));
        Ok(SyncTimes {
            in_place_p50: at(&in_place, 0.5),
            in_place_p99: at(&in_place, 0.99),
            appended_p50: at(&appended, 0.5),
        })
    })();
    measured.map_err(|error| DiskError { directory: directory.display().to_string(), error })
}

fn sync_blocks(file: &File, times: u32, place: impl Fn(u32) -> u64) -> io::Result<Histogram<u64>> {
    let mut taken = Histogram::new(3).expect("three digits are allowed");
    let mut block = [0; BLOCK_BYTES];
    for time in 0..times {
        // Another content each time: what is the same need not be written.
        block[..4].copy_from_slice(&time.to_be_bytes());
        let begun = Instant::now();
        file.write_all_at(&block, place(time) * BLOCK_BYTES as u64)?;
        file.sync_data()?;
        let nanoseconds = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        taken.record(nanoseconds).expect("it grows as it has to");
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_by_place() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\nbroken\n";
        let found: Vec<_> =
            mounts_in(mounts).map(|(point, mount)| (point, mount.kind.clone(), mount.is_memory())).collect();
        assert_eq!(found, [("/", "ext4".to_owned(), false), ("/dev/shm", "tmpfs".to_owned(), true)]);
    }

    #[test]
    fn syncing_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let times = measure_sync(directory.path(), 2).unwrap();
        assert!(times.in_place_p50 > Duration::from_nanos(100), "no disk is as fast: {times:?}");
        assert!(times.in_place_p50 <= times.in_place_p99);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(measure_sync(&directory.path().join("none"), 1).is_err());
    }
}
