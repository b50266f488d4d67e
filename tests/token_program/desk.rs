use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regrant_tests::secret_in;
use serde_json::Value;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::program::{Program, fresh_data, neighbour};

/// A server, and a person's home with the program in it.
pub(crate) struct Desk {
    pub(crate) server: Program,
    home: TempDir,
    _data: TempDir,
}

/// What the program has come to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let (data, path) = fresh_data();
        Self { server: Program::start(&path, &[]), home: tempfile::tempdir().unwrap(), _data: data }
    }

    /// One at which the demo user has logged in under the profile `default`.
    pub(crate) fn logged_in() -> Self {
        let desk = Self::new();
        desk.log_in(&[]);
        desk
    }

    /// Logs the demo user in, with further arguments, by following the address that is shown.
    pub(crate) fn log_in(&self, arguments: &[&str]) -> Ended {
        let url = self.server.url.clone();
        let all = [&["login", &url, "--client-id", "TestApp", "--print-url"], arguments].concat();
        self.log_in_by(&mut self.command(&all))
    }

    /// Runs a command that shows an address to open, and opens it.
    pub(crate) fn log_in_by(&self, command: &mut Command) -> Ended {
        let ended = self.log_in_after(command, || {});
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    }

    /// The same, while the person does something else first; and whatever it comes to.
    pub(crate) fn log_in_after(&self, command: &mut Command, meanwhile: impl FnOnce()) -> Ended {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        let address = loop {
            let before = told.len();
            assert_ne!(errors.read_line(&mut told).unwrap(), 0, "it shows no address: {told}");
            if let Some(at) = told[before..].find(&format!("{}/authorize?", self.server.url)) {
                break told[before + at..].trim().to_owned();
            }
        };
        meanwhile();
        let page = Browser::default().log_in(&address);
        assert_eq!(page.status, 200, "{}", page.text_of_body());
        errors.read_to_string(&mut told).unwrap();
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        Ended { code: output.status.code().unwrap(), stdout, stderr: told }
    }

    /// The program with these arguments, in an environment with nothing in it but this home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(neighbour("regrant-token"));
        command.args(arguments);
        self.at_home(&mut command);
        command
    }

    /// Gives a command the environment of the person.
    pub(crate) fn at_home(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.home()).env("NO_PROXY", "127.0.0.1");
    }

    /// What the program does with these arguments, and nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// What it does with that on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        ended(&mut self.command(arguments), input)
    }

    /// What it prints, where it succeeds.
    #[track_caller]
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// What it prints as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let told = self.told(&[arguments, &["--json"]].concat());
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    /// The token that it prints.
    #[track_caller]
    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        let told = self.told(&[&["get"], arguments].concat());
        let token = told.strip_suffix('\n').unwrap_or_else(|| panic!("no whole line: {told:?}"));
        assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{told:?}");
        token.to_owned()
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file below the directory of the program.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.home().join(".local/state/regrant-token").join(path)
    }

    /// Changes a file of JSON.
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let path = self.file(path);
        let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }

    /// Has the access token of the profile `default` come two hours ago, and end after one.
    pub(crate) fn let_time_pass(&self) {
        self.change("tokens/default.json", |kept| {
            for name in ["received_at", "expires_at"] {
                kept[name] = (kept[name].as_i64().unwrap() - 2 * 3600 * 1000).into();
            }
        });
    }

    /// Whether the server takes an access token.
    pub(crate) fn is_good(&self, token: &str) -> bool {
        let answer = Browser::default()
            .get(&format!("{}/demo/hello", self.server.url), &[("authorization", &format!("Bearer {token}"))]);
        answer.status == 200
    }
}

/// What a command comes to with that on standard input. It must write no secret to standard error.
pub(crate) fn ended(command: &mut Command, input: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that does not read what it is told has its reasons.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(!stderr.lines().any(|line| secret_in(line).is_some()), "a secret: {stderr}");
    Ended { code: output.status.code().expect("it ends by itself"), stdout, stderr }
}
