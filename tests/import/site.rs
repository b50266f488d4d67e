//! A directory with a configuration, into which an old database is taken over, and the server that runs there then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, binary, serving};

/// A place to take over to.
pub(crate) struct Site {
    folder: TempDir,
}

/// What an import said.
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What an HTTP request was answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Site {
    /// A place that answers as `system`, with these lines behind the others of the configuration.
    pub(crate) fn new(system: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let config = format!(
            "[server]\nstand_in = \"{system}\"\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\ndata = \"data\"\n\
             plain_http = true\n{more}"
        );
        fs::write(folder.path().join("regrant.toml"), config).expect("the folder is ours");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn config(&self) -> PathBuf {
        self.path("regrant.toml")
    }

    /// `regrant import SYSTEM --from FROM` with further arguments.
    pub(crate) fn command(&self, system: &str, from: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(["import", system, "--from", from, "--config"]).arg(self.config()).args(arguments);
        command
    }

    /// Runs it.
    pub(crate) fn import(&self, system: &str, from: &str, arguments: &[&str]) -> Told {
        Told::of(&self.command(system, from, arguments).output().expect("the program starts"))
    }

    /// Runs it, and takes its report; it must have succeeded.
    #[track_caller]
    pub(crate) fn report(&self, system: &str, from: &str, arguments: &[&str]) -> Value {
        let told = self.import(system, from, &[arguments, &["--json"]].concat());
        assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
        serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {}", told.stdout))
    }

    /// Starts the server.
    pub(crate) fn serve(&self) -> Program {
        Program::run(&mut serving(&self.config()))
    }

    /// Starts the server, which refuses: what it says.
    pub(crate) fn refusal(&self) -> String {
        Program::spawn(&mut serving(&self.config())).wait().stderr
    }

    /// Runs a command of administration.
    #[track_caller]
    pub(crate) fn administer(&self, arguments: &[&str]) -> String {
        let output = Command::new(binary()).args(arguments).arg("--config").arg(self.config()).output();
        let told = Told::of(&output.expect("the program starts"));
        assert_eq!(told.code, 0, "{}", told.stderr);
        told.stdout
    }
}

impl Told {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8");
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A form, posted by the real `curl`.
pub(crate) fn post(url: &str, credentials: &str, form: &str) -> Answer {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "60", "-w", "\n%{http_code}", "--data", form, url]);
    if !credentials.is_empty() {
        command.args(["--user", credentials]);
    }
    let output = command.output().expect("there is curl");
    let text = String::from_utf8(output.stdout).expect("answers are UTF-8");
    let (body, status) = text.rsplit_once('\n').unwrap_or_else(|| panic!("no status: {text:?}"));
    Answer { status: status.parse().expect("curl writes the status last"), body: body.to_owned() }
}

impl Answer {
    /// A member of a 200.
    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        let body: Value = serde_json::from_str(&self.body).expect("answers are JSON");
        body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }
}

/// A count of a report.
#[track_caller]
pub(crate) fn count(report: &Value, kind: &str, of: &str) -> u64 {
    report["rows"][kind][of].as_u64().unwrap_or_else(|| panic!("no {of} of {kind}: {report}"))
}

/// The database of a SQLite file that a test makes.
pub(crate) fn sqlite(path: &Path, sql: &str) -> String {
    let connection = rusqlite::Connection::open(path).expect("the folder is ours");
    connection.execute_batch(sql).expect("the statements are right");
    path.display().to_string()
}
