//! Every start that is refused: exit code 1, and one line that says what to do.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::program::{FREE_PORT, Program, fresh_data, refusal};

/// Makes a store and stops.
fn made(data: &Path) {
    Program::start(data, &[]).terminate();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the file is ours");
}

/// Fails unless a start on a free port is refused with one line that has all of `expected` in it.
#[track_caller]
fn assert_refused(data: &Path, expected: &[&str]) {
    assert_address_refused(data, FREE_PORT, expected);
}

/// Fails unless a start on `listen` is refused with one line that has all of `expected` in it.
#[track_caller]
fn assert_address_refused(data: &Path, listen: &str, expected: &[&str]) {
    let ended = refusal(data, listen);
    let told = ended.stderr;
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert_eq!(ended.stdout, "", "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("regrant: "), "{told}");
    for part in expected {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let (_parent, data) = fresh_data();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        assert_address_refused(&data, address, &[address, "loopback only", "use 127.0.0.1:PORT"]);
    }
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let (_parent, data) = fresh_data();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_address_refused(&data, &address, &[&address, "choose another port, or 0"]);
}

#[test]
fn a_directory_in_use_is_refused_and_the_running_program_goes_on() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    assert_refused(&data, &["data", "is in use by a running regrant", "stop that one, or name another"]);
    crate::curl::log_in(&program.url).refresh_token();
}

#[test]
fn what_others_may_read_is_refused_with_the_command_that_mends_it() {
    let (_parent, data) = fresh_data();
    made(&data);
    for (path, broken, wanted) in
        [(data.clone(), 0o755, "700"), (data.join("master.key"), 0o644, "600"), (data.join("regrant.db"), 0o640, "600")]
    {
        let before = fs::metadata(&path).unwrap().permissions();
        set_mode(&path, broken);
        assert_refused(&data, &["is open to other users", &format!("run: chmod {wanted} {}\n", path.display())]);
        fs::set_permissions(&path, before).unwrap();
    }
    made(&data);
}

#[test]
fn a_path_that_cannot_be_a_directory_is_refused() {
    let (parent, data) = fresh_data();
    fs::write(&data, "x").unwrap();
    assert_refused(&data, &["is not a directory", "--data"]);
    assert_refused(&parent.path().join("data/below"), &["data/below"]);
}

#[test]
fn a_missing_key_file_is_refused_and_never_made_anew() {
    let (_parent, data) = fresh_data();
    made(&data);
    fs::remove_file(data.join("master.key")).unwrap();
    let moves_away = format!("move {} away", data.display());
    assert_refused(&data, &["master.key", "restore the key file", &moves_away]);
    assert!(!data.join("master.key").exists());
}

#[test]
fn a_key_file_that_is_none_is_refused_without_showing_it() {
    let (_parent, data) = fresh_data();
    made(&data);
    let key_file = data.join("master.key");
    let good = fs::read_to_string(&key_file).unwrap();
    let long = "#".repeat(64 * 1024);
    for (content, expected) in [
        ("", "restore the file"),
        ("pepper = sesame\n", "line 1 of the key file"),
        ("sesame\n", "line 1 of the key file"),
        (&long, "is larger than"),
    ] {
        fs::write(&key_file, content).unwrap();
        assert_refused(&data, &["master.key", expected]);
        assert!(!refusal(&data, FREE_PORT).stderr.contains("sesame"));
    }
    fs::write(&key_file, good.replace("key 1 =", "key 2 =")).unwrap();
    assert_refused(&data, &["master key 1", "copy the key file of another node of this store, or restore it"]);
    fs::write(&key_file, good).unwrap();
    made(&data);
}

#[test]
fn the_key_file_of_another_store_is_refused() {
    let (_parent, data) = fresh_data();
    let (_other_parent, other) = fresh_data();
    made(&data);
    made(&other);
    fs::copy(other.join("master.key"), data.join("master.key")).unwrap();
    assert_refused(&data, &["master key 1", "use the key file of this store"]);
}

#[test]
fn a_database_that_is_none_of_ours_or_newer_is_refused() {
    /// Where SQLite keeps `user_version`, which is our schema, and `application_id`.
    const USER_VERSION: std::ops::Range<usize> = 60..64;
    const APPLICATION_ID: std::ops::Range<usize> = 68..72;
    let (_parent, data) = fresh_data();
    made(&data);
    let database = data.join("regrant.db");
    let good = fs::read(&database).unwrap();
    let patched = |range: std::ops::Range<usize>, value: u32| {
        let mut bytes = good.clone();
        bytes[range].copy_from_slice(&value.to_be_bytes());
        bytes
    };
    for (content, expected) in [
        (b"this is a letter, and no database at all; ".repeat(100), "name another file, or move this one away"),
        (patched(APPLICATION_ID, 7), "name another file, or move this one away"),
        (patched(USER_VERSION, 99), "has schema 99"),
    ] {
        fs::write(&database, &content).unwrap();
        assert_refused(&data, &["regrant.db", expected]);
        assert_eq!(fs::read(&database).unwrap(), content, "a file that is refused is left as it is");
    }
    fs::write(&database, good).unwrap();
    made(&data);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let (_parent, data) = fresh_data();
    made(&data);
    fs::remove_file(data.join("master.key")).unwrap();
    fs::create_dir(data.join("master.key")).unwrap();
    set_mode(&data.join("master.key"), 0o700);
    assert_refused(&data, &["master.key"]);
}
