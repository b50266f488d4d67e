use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::mem::forget;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::spawn;

/// A server that has begun to listen.
pub struct Server {
    process: Child,
    /// On 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// How often a server is started: somebody may take its port before it does.
    const STARTS_MAX: u32 = 5;

    /// Starts a server that says `ready` in its log when it listens, by the command for a port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(command: impl Fn(u16) -> Command, ready: &str) -> Self {
        let mut told = String::new();
        for _ in 0..Self::STARTS_MAX {
            let port = free_port();
            match start_once(&mut command(port), ready) {
                Ok(process) => return Self { process, port },
                Err(log) => told = log,
            }
        }
        panic!("the server does not start: {told}");
    }

    /// Starts a server on the port of one that has ended.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_again(command: impl Fn(u16) -> Command, port: u16, ready: &str) -> Self {
        match start_once(&mut command(port), ready) {
            Ok(process) => Self { process, port },
            Err(log) => panic!("the server does not start again: {log}"),
        }
    }

    /// Stops it and its workers where they are. Nobody is told: what was sent to it waits, and connections stay open.
    pub fn pause(&self) {
        // The one that makes workers comes first.
        signal("STOP", &[self.process.id()]);
        signal("STOP", &self.workers());
    }

    /// Lets it go on after a pause.
    pub fn resume(&self) {
        signal("CONT", &self.processes());
    }

    /// Ends it and its workers where they are, as a machine ends that loses its power.
    pub fn kill(mut self) {
        self.pause();
        signal("KILL", &self.processes());
        // It is dead, or nobody can wait for it.
        let _ = self.process.wait();
    }

    fn processes(&self) -> Vec<u32> {
        [vec![self.process.id()], self.workers()].concat()
    }

    /// The processes that it has made and that have not ended.
    fn workers(&self) -> Vec<u32> {
        let pid = self.process.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
    }

    /// Lets it end after this process, however that ends, and removes `folder` then: for servers that are never dropped.
    ///
    /// # Panics
    /// When there is no shell.
    pub fn end_with_this_process(&self, folder: &Path) {
        let keeper = Command::new("sh")
            .args(["-c", r#"read -r _; kill -QUIT "$0"; while kill -0 "$0"; do sleep 0.1; done; rm -rf "$1""#])
            .arg(self.process.id().to_string())
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // It reads until the other end of its input is closed, which this process does when it ends.
        forget(keeper.expect("there is a shell"));
    }
}

/// Starts a server; what it said, when it ends instead.
fn start_once(command: &mut Command, ready: &str) -> Result<Child, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; run `cargo xtask test`, which installs it"));
    let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut told = String::new();
    while !told.contains(ready) {
        let Some(line) = log.next() else {
            let _ = child.wait();
            return Err(told);
        };
        told.push_str(&line.expect("it writes text"));
        told.push('\n');
    }
    // It must not wait for somebody who reads on.
    spawn(move || log.for_each(drop));
    Ok(child)
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        // Its workers end with it, which they would not if it were killed.
        if !signal("QUIT", &[self.process.id()]) {
            let _ = self.process.kill();
        }
        // It hears of nothing while it is paused.
        self.resume();
        let _ = self.process.wait();
    }
}

/// Sends a signal to processes, as far as they are there; whether it could be sent.
fn signal(name: &str, processes: &[u32]) -> bool {
    let processes = processes.iter().map(u32::to_string);
    Command::new("sh").args(["-c", "kill -s \"$0\" \"$@\" 2>&1", name]).args(processes).output().is_ok()
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Gives statements to a client of a database, and returns what it said.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn feed(client: &mut Command, statements: &str) -> String {
    let mut child = client
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{client:?}: {error}"));
    child.stdin.take().expect("it is piped").write_all(statements.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{statements}");
    String::from_utf8(output.stdout).expect("it writes text")
}

/// Whether the tests run as root, as which servers refuse to run.
///
/// # Panics
/// When nobody knows.
#[must_use]
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().expect("there is id").stdout.trim_ascii() == b"0"
}

/// Runs a command to its end.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}{told}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).expect("it writes text")
}
