use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::statvfs;

use regrant_data_directory::{DATABASE, DataDirectory, KEY_FILE, LOCK_FILE, STORE_FILE};
use regrant_engine::EMERGENCY_KIDS_FROM;
use regrant_protocol::Kid;

use crate::admin_socket::ADMIN_SOCKET;

use crate::administration::place::Place;

use super::check::Check;

const DIRECTORY: &str = "data directory";
const KEYS: &str = "key file";

const LAST_KID: Kid = Kid(u8::MAX);

/// From this number of the newest master key on there is time to think of the end of the numbers.
const KID_TO_WARN_FROM: Kid = Kid(200);

/// Below this the disk is all but full.
const FREE_BYTES_MIN: u64 = 100 * 1024 * 1024;

/// Below this it is time to make room.
const FREE_BYTES_WISE: u64 = 1024 * 1024 * 1024;

/// Whose directory and files are, and who may read them; whether the data can be looked at further.
pub(super) fn check_directory(place: &Place, checks: &mut Vec<Check>) -> bool {
    let data = place.data.as_path();
    let is_made = match place.is_made() {
        Ok(true) => DataDirectory::check_owner(data).map(|()| true),
        other => other,
    };
    match is_made {
        Ok(true) => {}
        Ok(false) if place.is_store_known().is_ok_and(|is_known| !is_known) => {
            let data = data.display();
            let found =
                format!("the database is not in {data}; name the configuration that says where with --config FILE");
            checks.push(Check::fail(DIRECTORY, found));
            return false;
        }
        Ok(false) => {
            let found =
                format!("there are no data of a server in {}; name the directory with --data DIR", data.display());
            checks.push(Check::fail(DIRECTORY, found));
            return false;
        }
        // To read the database as another user would leave files of that user beside it.
        Err(error) => {
            checks.push(Check::fail(DIRECTORY, error.to_string()));
            return false;
        }
    }
    let before = checks.len();
    checks.extend(check_modes(data));
    checks.extend(check_owners(data, |metadata| metadata.uid()));
    if checks.len() == before {
        checks.push(Check::ok(DIRECTORY, format!("{} is for its owner only", data.display())));
    }
    true
}

fn check_modes(data: &Path) -> impl Iterator<Item = Check> {
    let files = [(data.to_owned(), 0o700), (data.join(DATABASE), 0o600), (data.join(KEY_FILE), 0o600)];
    files.into_iter().filter_map(|(path, wanted)| {
        let (mode, path) = (fs::metadata(&path).ok()?.mode() & 0o777, path.display());
        let found = format!("{path} is open to other users (mode {mode:03o}); run: chmod {wanted:03o} {path}");
        (mode & 0o077 != 0).then(|| Check::fail(DIRECTORY, found))
    })
}

/// What a command that ran as root may have left.
fn check_owners(data: &Path, owner_of: impl Fn(&Metadata) -> u32) -> Vec<Check> {
    let Ok(owner) = fs::metadata(data).map(|directory| directory.uid()) else { return Vec::new() };
    let wal = [format!("{DATABASE}-wal"), format!("{DATABASE}-shm")];
    let names =
        [DATABASE, KEY_FILE, LOCK_FILE, STORE_FILE, ADMIN_SOCKET].into_iter().chain(wal.iter().map(String::as_str));
    let strange = |name: &str| {
        let path = data.join(name);
        let found = owner_of(&fs::symlink_metadata(&path).ok()?);
        let path = path.display();
        (found != owner).then(|| {
            let found =
                format!("{path} belongs to user {found}, the directory to user {owner}; run: chown {owner} {path}");
            Check::fail(DIRECTORY, found)
        })
    };
    names.filter_map(strange).collect()
}

/// Whether the key file can be read, and how many rotations there are still.
pub(super) fn check_keys(data: &Path) -> Check {
    let ring = match DataDirectory::kept_keys(data) {
        Ok(ring) => ring,
        Err(error) => return Check::fail(KEYS, error.to_string()),
    };
    of_newest_kid(ring.newest().0, ring.iter().count())
}

fn of_newest_kid(newest: Kid, count: usize) -> Check {
    let found = format!(
        "it can be read; master keys in it: {count}, the newest number {newest} of at most {}. Keep a copy of it where \
         the backups are not",
        LAST_KID
    );
    if newest == LAST_KID {
        let used_up =
            "no number is left, so that master keys cannot be rotated even in an emergency; begin a new store";
        return Check::fail(KEYS, format!("{found}; {used_up}"));
    }
    if newest >= KID_TO_WARN_FROM {
        let few = format!("from number {EMERGENCY_KIDS_FROM} on only emergencies are left; rotate more seldom");
        return Check::warn(KEYS, format!("{found}; {few}"));
    }
    Check::ok(KEYS, found)
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

#[cfg(test)]
mod tests {
    use regrant_crypto::SystemEntropy;

    use super::super::check::State;
    use super::*;

    #[test]
    fn how_many_rotations_are_left_is_told_by_the_newest_number() {
        for (newest, state) in
            [(1, State::Ok), (199, State::Ok), (200, State::Warn), (254, State::Warn), (255, State::Fail)]
        {
            let check = of_newest_kid(Kid(newest), 1);
            assert_eq!(check.state, state, "{newest}");
            assert!(check.found.contains(&format!("number {newest} of at most 255")), "{}", check.found);
        }
    }

    #[test]
    fn a_file_of_another_user_than_the_directory_fails() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let directory = DataDirectory::open(&path).unwrap();
        directory.key_ring(&SystemEntropy).unwrap();
        assert_eq!(check_owners(&path, MetadataExt::uid).len(), 0);
        let found = check_owners(&path, |metadata| metadata.uid() + 1);
        assert_eq!(found.len(), 2, "the lock and the key file");
        assert!(found.iter().all(|check| check.state == State::Fail && check.found.contains("run: chown")));
    }
}
