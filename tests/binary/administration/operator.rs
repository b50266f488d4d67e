//! An operator at a shell, in a directory with a data directory.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, binary, fresh_data};

/// An operator, and the demo server whose data they look after.
pub(super) struct Operator {
    parent: TempDir,
    pub(super) data: PathBuf,
    pub(super) server: Option<Program>,
}

/// Whether a server runs while commands are typed.
pub(super) const WAYS: [bool; 2] = [true, false];

impl Operator {
    /// With a server that has served, and does still if `is_served`.
    pub(super) fn new(is_served: bool) -> Self {
        let (parent, data) = fresh_data();
        let server = Program::start(&data, &[]);
        let mut operator = Self { parent, data, server: Some(server) };
        if !is_served {
            operator.stop();
        }
        operator
    }

    /// Stops the server.
    pub(super) fn stop(&mut self) {
        let ended = self.server.take().expect("it runs").terminate();
        assert!(ended.status.success(), "{}", ended.stderr);
    }

    /// Starts the server again.
    pub(super) fn start(&mut self) {
        self.server = Some(Program::start(&self.data, &[]));
    }

    /// Where the server listens.
    pub(super) fn url(&self) -> &str {
        &self.server.as_ref().expect("it runs").url
    }

    /// The working directory.
    pub(super) fn folder(&self) -> &Path {
        self.parent.path()
    }

    /// `regrant` with these arguments and the data directory, not yet started; nothing is on its standard input.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments, self.folder());
        command.arg("--data").arg(&self.data);
        command
    }

    /// What `regrant` says to these arguments.
    #[track_caller]
    pub(super) fn types(&self, arguments: &[&str]) -> Told {
        Told::of(self.command(arguments).output())
    }

    /// The same with something on standard input.
    #[track_caller]
    pub(super) fn pipes(&self, input: &str, arguments: &[&str]) -> Told {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // A program that refuses its arguments does not read.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        Told::of(child.wait_with_output())
    }

    /// The same on a terminal, where a person sees each prompt and types a line. What the terminal shows.
    #[track_caller]
    pub(super) fn types_on_terminal(&self, dialogue: &[(&str, &str)], arguments: &[&str]) -> Told {
        let typed = arguments.iter().map(|argument| format!("'{argument}'")).collect::<Vec<_>>().join(" ");
        let line = format!("{} {typed} --data {}", binary().display(), self.data.display());
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(self.folder());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("there is a terminal to be had");
        let (mut keyboard, mut screen) =
            (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        let mut shown = Vec::new();
        for (prompt, input) in dialogue {
            let before = shown.len();
            while !String::from_utf8_lossy(&shown[before..]).contains(prompt) {
                let mut byte = [0];
                screen
                    .read_exact(&mut byte)
                    .unwrap_or_else(|_| panic!("no {prompt:?}: {}", String::from_utf8_lossy(&shown)));
                shown.extend(byte);
            }
            keyboard.write_all(format!("{input}\n").as_bytes()).expect("somebody reads");
        }
        screen.read_to_end(&mut shown).expect("the terminal ends with the program");
        drop(keyboard);
        let told = Told::of(child.wait_with_output());
        Told { stdout: String::from_utf8(shown).expect("it writes UTF-8"), ..told }
    }

    /// The answer as JSON.
    #[track_caller]
    pub(super) fn asks(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.types(&arguments).ok().json()
    }
}

/// `regrant` with these arguments and no others, in a directory, and with nothing that the environment says.
pub(super) fn bare(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).stdin(File::open("/dev/null").expect("it is there"));
    command
}

/// What a command has said.
pub(super) struct Told {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Told {
    pub(super) fn of(output: std::io::Result<Output>) -> Self {
        let output = output.expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails unless the command did what it was asked for.
    #[track_caller]
    pub(super) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless the words to the person have all of `parts`.
    #[track_caller]
    pub(super) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {:?}", self.stderr);
        }
        self
    }

    /// Fails unless the data have all of `parts`.
    #[track_caller]
    pub(super) fn shows(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stdout.contains(part), "{part:?} is not in {:?}", self.stdout);
        }
        self
    }

    /// Fails unless the command was refused with this exit code and one message with all of `parts`, and printed no data.
    #[track_caller]
    pub(super) fn refused(self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        self.says(parts);
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
