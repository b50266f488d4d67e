//! A disk that takes no further byte: the system's limit for the files of a process stands for it, which needs no rights.

use std::env;
use std::fs;
use std::process::Command;

use regrant_client::{FileStorage, Storage, StorageError};

use crate::scene::{Kind, Scene};

const FILE: &str = "REGRANT_TEST_FULL_DISK";
/// No file may have a byte, and who tries is told instead of being ended.
const LIMITED: &str = "trap '' XFSZ; ulimit -f 0; exec \"$0\" --exact full_disk::a_process_of_its_own --nocapture";

#[tokio::test]
async fn a_write_that_the_disk_refuses_is_told_and_leaves_the_tokens_as_they_were() {
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStorage::new(directory.path().join("token.json"));
    scene.logged_in(file.clone()).await;
    let before = fs::read(file.path()).unwrap();

    let mut limited = Command::new("sh");
    limited.args(["-c", LIMITED]).arg(env::current_exe().unwrap()).env(FILE, file.path());
    let output = limited.output().unwrap();
    assert!(output.status.success(), "{output:?}");

    assert_eq!(fs::read(file.path()).unwrap(), before);
    assert!(!directory.path().join("token.json.tmp").exists(), "what was begun is cleared away");
    assert!(scene.is_good(&scene.manager(file).access_token().await.unwrap()).await);
}

/// What happens on the disk that is full. Nothing, when the test runner starts it.
#[tokio::test]
async fn a_process_of_its_own() {
    let Ok(path) = env::var(FILE) else { return };
    let storage = FileStorage::new(&path);
    let kept = storage.load().await.unwrap().unwrap();
    let (seen, mut next) = (kept.version(), kept);
    next.failures += 1;
    let error = storage.compare_and_swap(Some(seen), Some(&next)).await.unwrap_err();
    let StorageError::File { action, cause, .. } = &error else { panic!("{error}") };
    assert!(*action == "write" && cause.contains("too large"), "{error}");
    assert_eq!(storage.load().await.unwrap().unwrap().version(), seen);
}
