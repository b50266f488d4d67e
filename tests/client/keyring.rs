//! The keyring of a desktop: GNOME's, on a D-Bus session of its own.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use keyring_core::api::CredentialStoreApi as _;
use regrant_client::{KeyringStorage, Storage, StorageError, TokenError};

use crate::log::{Log, Secrets};
use crate::scene::{Kind, Scene};
use crate::way::Fate;

const PART: &str = "REGRANT_TEST_KEYRING";
const FILE: &str = "REGRANT_TEST_FILE";
const SERVICE: &str = "regrant-test";
/// The session: a keyring that is open, and this program once more.
const SESSION: &str =
    "printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec \"$0\" \"$@\"";
/// The keyring starts anew, and is given its password.
const UNLOCK: &str = "printf secret | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null";
const LOCK: &str = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
                    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null";

#[test]
fn tokens_live_through_a_keyring_that_is_locked_gone_and_back() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), Some("log in"));
    run(home.path(), None);
    run(home.path(), Some("log out"));
}

/// Runs a part of the test in a session of its own, or the one that has no session.
fn run(home: &Path, part: Option<&str>) {
    let own = env::current_exe().unwrap();
    let mut command = Command::new(if part.is_some() { "dbus-run-session".into() } else { own.clone() });
    if part.is_some() {
        command.args(["--", "sh", "-c", SESSION]).arg(own);
    }
    command.args(["--exact", "keyring::a_process_of_its_own", "--nocapture"]);
    command.env_clear().env("PATH", env::var_os("PATH").unwrap()).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    command.env(PART, part.unwrap_or("no session")).env(FILE, home.join("tokens/token.sealed"));
    let output = command.output().expect("dbus-run-session and gnome-keyring-daemon have to be installed");
    assert!(output.status.success(), "{part:?}: {output:?}");
}

/// What the parts do. Nothing, when the test runner starts it.
#[tokio::test]
async fn a_process_of_its_own() {
    let (Ok(part), Ok(file)) = (env::var(PART), env::var(FILE)) else { return };
    let log = Log::of_process();
    let storage = || KeyringStorage::new(&file, SERVICE);
    match part.as_str() {
        "log in" => {
            let secrets = log_in(&storage, &file).await;
            let text = log.text();
            assert!(text.contains("zbus"), "the library below speaks too: {text}");
            assert!(secrets.count() > 10);
            secrets.assert_not_in(&text);
        }
        "log out" => {
            let kept = storage().load().await.unwrap().expect("the keyring and the file have kept it");
            assert_eq!(storage().compare_and_swap(Some(kept.version()), None).await, Ok(regrant_client::Swap::Done));
            assert_eq!(storage().load().await, Ok(None));
        }
        _ => {
            let before = fs::read(&file).unwrap();
            let error = storage().load().await.unwrap_err();
            assert!(matches!(error, StorageError::Keyring { .. }) && error.is_temporary(), "{error}");
            assert!(storage().check().await.is_err());
            assert_eq!(fs::read(&file).unwrap(), before);
        }
    }
}

/// What a login and refreshes with a keyring must keep to themselves.
async fn log_in(storage: &impl Fn() -> KeyringStorage, file: &str) -> Secrets {
    storage().check().await.unwrap();
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(storage()).await;
    let mut secrets = Secrets::default();
    secrets.learn(&storage()).await;
    secrets.add_bytes(&key(file).await);
    for fates in [&[][..], &[Fate::LostAfter], &[Fate::Truncated, Fate::NotSent]] {
        secrets.sent(&scene);
        scene.server.clock.advance_seconds(3600);
        scene.way.next(fates);
        let token = manager.access_token().await.unwrap();
        assert!(scene.is_good(&token).await, "{fates:?}");
        assert_eq!(storage().load().await.unwrap().unwrap().access.unwrap().token, token, "another process has it");
        secrets.learn(&storage()).await;
    }

    shell(LOCK);
    let locked = scene.manager(storage()).access_token().await.unwrap_err();
    assert!(matches!(locked, TokenError::Storage(StorageError::Keyring { .. })) && locked.is_temporary(), "{locked}");
    scene.server.clock.advance_seconds(3600);
    let token = manager.access_token().await.expect("who has the key needs no keyring");
    shell(UNLOCK);
    assert_eq!(scene.manager(storage()).access_token().await, Ok(token));
    secrets.learn(&storage()).await;
    secrets
}

/// What the keyring keeps for the file.
async fn key(file: &str) -> Vec<u8> {
    let sealed: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let name = sealed["key"].as_str().unwrap().to_owned();
    let secret = tokio::task::spawn_blocking(move || {
        let store = zbus_secret_service_keyring_store::Store::new().unwrap();
        store.build(SERVICE, &name, None).unwrap().get_secret().unwrap()
    });
    let secret = secret.await.unwrap();
    assert_eq!(secret.len(), 32);
    secret
}

fn shell(script: &str) {
    assert!(Command::new("sh").args(["-c", script]).status().unwrap().success(), "{script}");
}
