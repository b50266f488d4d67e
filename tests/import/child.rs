//! A server of another maker as a child process, ended with the test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::spawn;

/// A server that has begun to listen.
pub(crate) struct Server(Child);

impl Server {
    /// Starts a server that says `ready` in its log when it listens, `times` times.
    pub(crate) fn start(command: &mut Command, ready: &str, times: usize) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; run `cargo xtask test`, which installs it"));
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut told = String::new();
        for _ in 0..times {
            loop {
                let line = log.next().unwrap_or_else(|| panic!("{command:?} ended: {told}")).expect("it writes text");
                told.push_str(&line);
                told.push('\n');
                if line.contains(ready) {
                    break;
                }
            }
        }
        // It must not wait for somebody who reads on.
        spawn(move || log.for_each(drop));
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its workers end with it, which they would not if it were killed.
        let pid = self.0.id().to_string();
        let asked = Command::new("sh").args(["-c", "kill -QUIT \"$0\" 2>&1", &pid]).output();
        if asked.is_err() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Whether the tests run as root, as which servers refuse to run.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().expect("there is id").stdout.trim_ascii() == b"0"
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}{told}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).expect("it writes text")
}
