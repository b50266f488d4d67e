//! The program `regrant` as a child process.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, panicking, spawn};
use std::time::Duration;

use regrant_tests::{secret_in, token_in};
use tempfile::TempDir;

/// How long a line, or the end, is waited for. It comes in well under a second; a busy machine gets a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// An address with a free port.
pub(crate) const FREE_PORT: &str = "127.0.0.1:0";

/// A running `regrant dev` or `regrant serve`, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    log: Receiver<String>,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    /// The lines with a secret in them.
    leaks: Arc<Mutex<Vec<String>>>,
    /// The URL it listens on, without a slash at the end.
    pub(crate) url: String,
}

/// What a program that has ended has written.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// Starts `regrant dev --no-tour` with a data directory and further arguments, and waits until it listens.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::run(command(data).arg("--no-tour").args(arguments))
    }

    /// Starts a command, and waits until it listens.
    pub(crate) fn run(command: &mut Command) -> Self {
        let mut program = Self::spawn(command);
        let first = program.line();
        let url = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("the first line is {first:?}"));
        program.url = url.to_owned();
        program
    }

    /// Starts a command that may end by itself.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (sender, lines) = channel();
        let output = child.stdout.take().expect("it is piped");
        let leaks = Arc::<Mutex<Vec<String>>>::default();
        let leaked = Arc::clone(&leaks);
        // The tour shows the commands of the demo with the secrets of the demo, and no token.
        let stdout = spawn(move || read_all(output, &sender, token_in, &leaked));
        let errors = child.stderr.take().expect("it is piped");
        let (log_sender, log) = channel();
        let leaked = Arc::clone(&leaks);
        let stderr = spawn(move || read_all(errors, &log_sender, secret_in, &leaked));
        Self { child, lines, log, stdout: Some(stdout), stderr: Some(stderr), leaks, url: String::new() }
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| self.give_up("wrote no further line"))
    }

    /// Waits for a line of the log with `part` in it, behind the last one that was waited for.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, part: &str) {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{part:?} is not in the log"));
            if line.contains(part) {
                return;
            }
        }
    }

    /// Asks the program to stop, as a service manager does, and waits until it has.
    pub(crate) fn terminate(self) -> Ended {
        self.signal("TERM");
        self.wait()
    }

    /// Sends the program a signal by its name, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$1\" \"$0\"", &pid, name]).status();
        assert!(sent.expect("there is a shell").success());
    }

    /// Ends the program as a power cut would.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().expect("the program can be killed");
        self.wait()
    }

    /// What it has written when it has ended.
    pub(crate) fn wait(mut self) -> Ended {
        // Standard output ends with the process.
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.give_up("did not end"),
            }
        }
        let status = self.child.wait().expect("the program ends");
        let read = |pipe: &mut Option<JoinHandle<String>>| pipe.take().expect("read once").join().expect("it is read");
        Ended { status, stdout: read(&mut self.stdout), stderr: read(&mut self.stderr) }
    }

    fn give_up(&mut self, what: &str) -> ! {
        let _ = self.child.kill();
        let stderr = self.stderr.take().and_then(|stderr| stderr.join().ok()).unwrap_or_default();
        panic!("the program {what}; its standard error: {stderr}")
    }
}

/// All of a pipe, of which each line is passed on when it comes, and noted where `secret` finds one in it.
fn read_all(
    pipe: impl Read,
    passed_on: &Sender<String>,
    secret: fn(&str) -> Option<&str>,
    leaks: &Mutex<Vec<String>>,
) -> String {
    let mut all = String::new();
    for line in BufReader::new(pipe).lines() {
        let line = line.expect("the program writes UTF-8");
        if secret(&line).is_some() {
            leaks.lock().expect("nobody fails with it").push(line.clone());
        }
        all.push_str(&line);
        all.push('\n');
        // The test may have stopped listening.
        let _ = passed_on.send(line);
    }
    all
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pipe in [self.stdout.take(), self.stderr.take()].into_iter().flatten() {
            let _ = pipe.join();
        }
        let leaks = self.leaks.lock().expect("nobody fails with it");
        // A test that fails already says why.
        assert!(leaks.is_empty() || panicking(), "the program wrote secrets: {leaks:?}");
    }
}

/// `regrant dev` on a free port with a data directory.
pub(crate) fn command(data: &Path) -> Command {
    listening(data, FREE_PORT)
}

/// `regrant dev` on an address with a data directory.
pub(crate) fn listening(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(binary());
    command.args(["dev", "--listen", listen, "--data"]).arg(data);
    command
}

/// What `regrant dev --no-tour` said that did not start with this address.
pub(crate) fn refusal(data: &Path, listen: &str) -> Ended {
    Program::spawn(listening(data, listen).arg("--no-tour")).wait()
}

/// A directory of the test, and the path of a data directory in it that does not exist yet.
pub(crate) fn fresh_data() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a test may write temporary files");
    let data = parent.path().join("data");
    (parent, data)
}

/// `regrant serve` with a configuration file.
pub(crate) fn serving(config: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(["serve", "--config"]).arg(config);
    command
}

/// Where the program lies.
pub(crate) fn binary() -> PathBuf {
    neighbour("regrant")
}

/// Where a program of this name lies that was built with the tests.
pub(crate) fn neighbour(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it lies");
    let profile = test.parent().and_then(Path::parent).expect("tests lie in target/PROFILE/deps");
    let binary = profile.join(name);
    assert!(
        binary.exists(),
        "{} is not there: run `cargo xtask test`, or `cargo build --bin {name}` in the workspace first",
        binary.display()
    );
    binary
}
