//! `regrant serve` as a service of systemd: what it tells, and the unit that is shipped.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::program::{Program, binary, serving};

/// How long a message is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The socket of a service manager.
struct ServiceManager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl ServiceManager {
    fn new(folder: &Path) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket can be made");
        socket.set_read_timeout(Some(PATIENCE)).expect("it may wait");
        Self { socket, path }
    }

    /// The names of the next message, such as `READY`.
    fn hears(&self) -> Vec<String> {
        let mut message = [0; 1024];
        let bytes = self.socket.recv(&mut message).expect("the program tells something");
        let message = std::str::from_utf8(&message[..bytes]).expect("it is text");
        message.lines().map(|line| line.split('=').next().unwrap_or_default().to_owned()).collect()
    }
}

#[test]
fn the_service_manager_hears_when_the_server_is_ready_reloads_and_stops() {
    let folder = tempfile::tempdir().expect("a test may write temporary files");
    let config = folder.path().join("regrant.toml");
    let server =
        "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\ndata = \"data\"\nplain_http = true\n";
    fs::write(&config, server).expect("the folder is ours");
    let manager = ServiceManager::new(folder.path());
    let program = Program::run(serving(&config).env("NOTIFY_SOCKET", &manager.path));
    assert_eq!(manager.hears(), ["READY"]);
    program.signal("HUP");
    assert_eq!(manager.hears(), ["RELOADING", "MONOTONIC_USEC"]);
    assert_eq!(manager.hears(), ["READY"]);
    program.signal("TERM");
    assert_eq!(manager.hears(), ["STOPPING"]);
    assert_eq!(program.wait().status.code(), Some(0));
}

#[test]
fn systemd_understands_the_unit_and_finds_little_exposed() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd/regrant.service");
    let unit = fs::read_to_string(shipped).expect("the unit is shipped");
    let program = binary().display().to_string();
    assert!(unit.contains("/usr/local/bin/regrant "));
    let folder = tempfile::tempdir().expect("a test may write temporary files");
    let path = folder.path().join("regrant.service");
    fs::write(&path, unit.replace("/usr/local/bin/regrant", &program)).expect("the folder is ours");
    // Of 100; systemd's own words for up to 19 are "OK".
    for arguments in [&["verify"][..], &["security", "--offline=yes", "--threshold=20"]] {
        let analyzed = Command::new("systemd-analyze").args(arguments).arg(&path).output().expect("it is installed");
        let told = String::from_utf8_lossy(&analyzed.stderr);
        assert!(analyzed.status.success(), "{arguments:?}: {told}");
        assert!(arguments.len() > 1 || told.is_empty(), "{told}");
    }
}
