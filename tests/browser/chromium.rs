//! Chromium without a window, started through its WebDriver.

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use regrant_databases::folder_in_memory;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::webdriver::Session;

/// A Chromium with a profile of its own. It ends when it is dropped.
///
/// The fields are dropped in this order: the session ends before its driver, and both before their files go.
pub(crate) struct Chromium {
    session: Session,
    _driver: Driver,
    files: TempDir,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

impl Chromium {
    /// Starts a Chromium that was never used. It reaches nothing but this machine.
    pub(crate) fn start(scripts: Scripts) -> Self {
        Self::start_in(folder_in_memory(), scripts)
    }

    /// Starts a Chromium with the files that another has left.
    pub(crate) fn start_in(files: TempDir, scripts: Scripts) -> Self {
        let driver = Driver::start(files.path());
        let session = Session::begin(&driver.url, capabilities(&profile(&files), scripts));
        Self { session, _driver: driver, files }
    }

    /// Ends Chromium as a crash would, and returns its files.
    pub(crate) fn kill(self) -> TempDir {
        let lock = fs::read_link(profile(&self.files).join(LOCK)).expect("a running Chromium has locked its profile");
        let lock = lock.to_string_lossy();
        let (_, pid) = lock.rsplit_once('-').expect("the lock names host and process");
        let killed = Command::new("sh").args(["-c", "kill -KILL \"$0\"", pid]).status().expect("there is a shell");
        assert!(killed.success());
        // The next one would ask whether this process is still there.
        fs::remove_file(profile(&self.files).join(LOCK)).expect("the lock is left behind");
        self.files
    }
}

/// The link in a profile by which a Chromium says that it uses it.
const LOCK: &str = "SingletonLock";

fn profile(files: &TempDir) -> PathBuf {
    files.path().join("profile")
}

impl Deref for Chromium {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

fn capabilities(profile: &Path, scripts: Scripts) -> Value {
    const BLOCK: u8 = 2;
    let mut preferences = json!({ "credentials_enable_service": false });
    if scripts == Scripts::Off {
        preferences["profile.managed_default_content_settings.javascript"] = BLOCK.into();
    }
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "args": [
                format!("--user-data-dir={}", profile.display()),
                "--headless=new",
                "--no-sandbox", // it does not start as root with one
                "--disable-dev-shm-usage", // which is small in containers
                "--disable-gpu",
                "--disable-component-update",
                "--hide-scrollbars",
                "--no-proxy-server",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            ],
            "prefs": preferences,
        },
        "goog:loggingPrefs": { "browser": "ALL" },
    })
}

/// The process `chromedriver`.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    /// How long its port is waited for. It comes in well under a second; a busy machine gets a minute.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// How often it is started. It takes a free port of IPv4, and exits when somebody has the same port of IPv6.
    const STARTS_MAX: u32 = 5;

    /// Starts it; it and its Chromium leave their files in `files`.
    fn start(files: &Path) -> Self {
        let started = (0..Self::STARTS_MAX).find_map(|_| Self::start_once(files));
        started.expect("chromedriver finds a port")
    }

    /// Starts it; `None` when it exits before it has said its port.
    fn start_once(files: &Path) -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", files).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("chromedriver starts: `cargo xtask test` installs it");
        let output = process.stdout.take().expect("it is piped");
        let (sender, port) = channel();
        spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    // Nobody waits any more when it came too late.
                    let _ = sender.send(port.trim_end_matches('.').to_owned());
                }
            }
        });
        let mut driver = Self { process, url: String::new() };
        match port.recv_timeout(Self::PATIENCE) {
            Ok(port) => driver.url = format!("http://127.0.0.1:{port}"),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("chromedriver says no port in {:?}", Self::PATIENCE),
        }
        Some(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
