use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use regrant_crypto::{KEY_FILE_BYTES_MAX, SeededEntropy};
use regrant_engine::KeyFile;
use regrant_grant::Realm;
use regrant_protocol::SystemClock;
use regrant_store::Store;
use rustix::process::geteuid;

use crate::owner_only::owned_by;
use crate::{DATABASE, DataDirectory, DataDirectoryError, KEY_FILE, KnownStore, STORE_FILE, StoreKind};

fn message<T>(result: Result<T, DataDirectoryError>) -> String {
    result.err().map_or_else(String::new, |error| error.to_string())
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("data");
    (parent, path)
}

#[test]
fn a_new_directory_and_key_file_are_for_their_owner_only() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    directory.key_ring(&SeededEntropy::new(1)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(path.join(KEY_FILE)).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_directory_or_key_file_open_to_others_is_refused_with_the_command_that_mends_it() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    directory.key_ring(&SeededEntropy::new(1)).unwrap();
    fs::set_permissions(path.join(KEY_FILE), Permissions::from_mode(0o640)).unwrap();
    assert!(message(directory.key_ring(&SeededEntropy::new(1))).contains("run: chmod 600"));
    drop(directory);
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    assert!(message(DataDirectory::open(&path)).contains("run: chmod 700"));
}

#[test]
fn a_directory_of_another_user_is_refused_with_the_user_to_run_as() {
    let (_parent, path) = fresh();
    drop(DataDirectory::open(&path).unwrap());
    let we = geteuid().as_raw();
    assert!(owned_by(&path, we).is_ok());
    let told = message(owned_by(&path, we + 1));
    assert!(told.contains(&format!("run it as that user: sudo -u '#{we}'")), "{told}");
    if geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(1000), None).unwrap();
        assert!(message(DataDirectory::open(&path)).contains("belongs to the user of number 1000"));
    }
}

#[test]
fn a_key_file_that_a_crash_left_unfinished_goes_with_the_next_start() {
    let (_parent, path) = fresh();
    drop(DataDirectory::open(&path).unwrap());
    let unfinished = path.join("master.key.new");
    fs::write(&unfinished, "key 2 = …").unwrap();
    let directory = DataDirectory::open(&path).unwrap();
    assert!(!unfinished.exists());
    fs::write(&unfinished, "key 2 = …").unwrap();
    assert!(message(DataDirectory::open(&path)).contains("in use"));
    assert!(unfinished.exists(), "it is that of the process that has the directory open");
    drop(directory);
}

#[test]
fn a_key_file_is_written_through_no_link() {
    let (parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    let entropy = SeededEntropy::new(1);
    let ring = directory.key_ring(&entropy).unwrap();
    let precious = parent.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, path.join("master.key.new")).unwrap();
    directory.replace(&ring).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert!(fs::symlink_metadata(path.join(KEY_FILE)).unwrap().is_file());
}

#[test]
fn where_a_store_is_made_is_told_from_where_there_is_none() {
    let (_parent, path) = fresh();
    assert_eq!(DataDirectory::is_made(&path).ok(), Some(false));
    let directory = DataDirectory::open(&path).unwrap();
    assert_eq!(DataDirectory::is_made(&path).ok(), Some(false));
    drop(directory.store(&SeededEntropy::new(1), Arc::new(SystemClock)).unwrap());
    assert_eq!(DataDirectory::is_made(&path).ok(), Some(true));
    // A file where the directory should be.
    assert_eq!(DataDirectory::is_made(&path.join(DATABASE)).ok(), Some(false));
}

#[test]
fn a_directory_in_use_is_refused() {
    let (_parent, path) = fresh();
    let first = DataDirectory::open(&path).unwrap();
    assert!(message(DataDirectory::open(&path)).contains("is in use by a running regrant"));
    drop(first);
    assert!(DataDirectory::open(&path).is_ok());
}

#[test]
fn a_missing_key_file_beside_a_store_is_never_replaced() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    let entropy = SeededEntropy::new(1);
    directory.key_ring(&entropy).unwrap();
    drop(directory.store(&entropy, Arc::new(SystemClock)).unwrap());
    fs::remove_file(path.join(KEY_FILE)).unwrap();
    assert!(message(directory.key_ring(&entropy)).contains("restore the key file"));
    fs::remove_file(path.join(DATABASE)).unwrap();
    assert!(message(directory.key_ring(&entropy)).contains("restore the key file"), "its mark is there");
    assert!(!path.join(KEY_FILE).exists());
}

#[test]
fn a_directory_remembers_its_store_and_opens_no_other() {
    let (parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    let (entropy, clock) = (SeededEntropy::new(1), Arc::new(SystemClock));
    directory.key_ring(&entropy).unwrap();
    let realm = directory.store(&entropy, clock.clone()).unwrap().identity().realm;
    let known = Some(KnownStore { kind: StoreKind::Sqlite, realm });
    assert_eq!(DataDirectory::known_store(&path).unwrap(), known);
    assert_eq!(fs::metadata(path.join(STORE_FILE)).unwrap().mode() & 0o777, 0o600);
    drop(directory.store(&entropy, clock.clone()).unwrap());

    // Gone, which a new one would hide.
    let kept = parent.path().join("kept");
    fs::rename(directory.database(), &kept).unwrap();
    let told = message(directory.store(&entropy, clock.clone()));
    assert!(told.contains("there is no store in") && told.contains("regrant restore"), "{told}");
    assert!(!directory.database().exists());
    // That of another server.
    let other = DataDirectory::open(&parent.path().join("other")).unwrap();
    drop(other.store(&SeededEntropy::new(2), clock.clone()).unwrap());
    fs::copy(other.database(), directory.database()).unwrap();
    assert!(message(directory.store(&entropy, clock.clone())).contains("is another store than"));
    // Back again.
    fs::rename(&kept, directory.database()).unwrap();
    drop(directory.store(&entropy, clock.clone()).unwrap());
    // One that is older than the file gets it.
    fs::remove_file(path.join(STORE_FILE)).unwrap();
    drop(directory.store(&entropy, clock).unwrap());
    assert_eq!(DataDirectory::known_store(&path).unwrap(), known);
}

/// As when its configuration has lost the URL of the database.
#[test]
fn beside_the_keys_of_a_node_no_database_is_made() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    let entropy = SeededEntropy::new(1);
    directory.remember_store(KnownStore { kind: StoreKind::Postgres, realm: Realm([1; 16]) }).unwrap();
    for told in [message(directory.key_ring(&entropy)), message(directory.store(&entropy, Arc::new(SystemClock)))] {
        assert!(told.contains("on PostgreSQL") && told.contains("set store.url"), "{told}");
        assert!(told.contains("move") && !told.contains('\n'), "{told}");
    }
    assert!(!directory.database().exists() && !path.join(KEY_FILE).exists());
}

#[test]
fn a_key_file_is_replaced_whole_and_stays_for_its_owner_only() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    let entropy = SeededEntropy::new(1);
    let mut ring = directory.key_ring(&entropy).unwrap();
    let (key_file, unfinished) = (path.join(KEY_FILE), path.join("master.key.new"));
    // As a crash before left it, and somebody's hand after it.
    fs::write(&unfinished, "#".repeat(KEY_FILE_BYTES_MAX)).unwrap();
    fs::set_permissions(&unfinished, Permissions::from_mode(0o644)).unwrap();
    ring.add(&entropy).unwrap();
    directory.replace(&ring).unwrap();
    assert_eq!(fs::read_to_string(&key_file).unwrap(), *ring.to_text());
    assert_eq!(fs::metadata(&key_file).unwrap().mode() & 0o777, 0o600);
    assert!(!unfinished.exists());
    assert_eq!(directory.key_ring(&entropy).unwrap().to_text(), ring.to_text());
}

#[test]
fn a_key_file_that_cannot_be_written_stays_as_it_was() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    let entropy = SeededEntropy::new(1);
    let mut ring = directory.key_ring(&entropy).unwrap();
    let before = fs::read(path.join(KEY_FILE)).unwrap();
    // A directory in the place of the file that is written first, which stops even root.
    fs::create_dir(path.join("master.key.new")).unwrap();
    ring.add(&entropy).unwrap();
    let told = directory.replace(&ring).unwrap_err().to_string();
    assert!(told.contains("master.key: ") && told.contains("see that this user may read and write it"), "{told}");
    assert_eq!(fs::read(path.join(KEY_FILE)).unwrap(), before);
}

#[test]
fn a_broken_key_file_is_refused_without_showing_it() {
    let (_parent, path) = fresh();
    let directory = DataDirectory::open(&path).unwrap();
    directory.key_ring(&SeededEntropy::new(1)).unwrap();
    let key_file = path.join(KEY_FILE);
    for (content, expected) in [
        ("pepper = sesame\n".to_owned(), "line 1 of the key file"),
        (String::new(), "has no line"),
        ("#".repeat(KEY_FILE_BYTES_MAX + 1), "larger than"),
    ] {
        fs::write(&key_file, &content).unwrap();
        let told = message(directory.key_ring(&SeededEntropy::new(1)));
        assert!(told.contains(expected) && !told.contains("sesame"), "{told}");
    }
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let (_parent, path) = fresh();
    fs::write(&path, "x").unwrap();
    assert!(message(DataDirectory::open(&path)).contains("is not a directory"));
}
