//! The real program `regrant dev`, started as a process and asked over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::crash::Program;

/// How long an answer may take.
const ANSWER_SECONDS_MAX: u64 = 20;

/// A running `regrant dev`. Dropping it ends the process and waits for it.
pub(crate) struct DevServer {
    process: Child,
    address: String,
    /// Whatever it says later has to go somewhere.
    _output: BufReader<ChildStdout>,
}

/// What the program answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Whether there is a `Retry-After`.
    pub(crate) has_retry_after: bool,
    /// The body as JSON; null when it is none.
    pub(crate) json: serde_json::Value,
}

/// The program as it is given to people. It is built when it is asked for first.
pub(crate) fn program() -> Result<&'static Path> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    match BUILT.get() {
        Some(path) => Ok(path),
        None => {
            let path = Program::build()?.path().to_owned();
            Ok(BUILT.get_or_init(|| path))
        }
    }
}

/// The arguments of `regrant` for a server on `data`.
pub(crate) fn arguments(data: &Path) -> Vec<String> {
    let words = ["dev", "--no-tour", "--listen", "127.0.0.1:0", "--data"].map(str::to_owned);
    words.into_iter().chain([data.display().to_string()]).collect()
}

impl DevServer {
    /// Starts a server on `data`.
    pub(crate) fn start(data: &Path) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(arguments(data));
        Self::start_command(command)
    }

    /// Runs a command that is a server in the end, and waits until it listens. The error is what it said instead.
    pub(crate) fn start_command(mut command: Command) -> Result<Self> {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = spawned.context("the program cannot be started")?;
        let errors = process.stderr.take().context("standard error is a pipe")?;
        // Whoever does not read standard error stops a program that writes much of it.
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ = BufReader::new(errors).read_to_string(&mut text);
            text
        });
        let mut output = BufReader::new(process.stdout.take().context("standard output is a pipe")?);
        let mut line = String::new();
        while output.read_line(&mut line)? > 0 {
            if let Some((_, address)) = line.trim().split_once("listening on http://") {
                return Ok(Self { address: address.to_owned(), process, _output: output });
            }
            line.clear();
        }
        process.wait()?;
        let told = errors.join().map_err(|_| anyhow!("standard error cannot be read"))?;
        Err(anyhow!("{}", told.lines().last().unwrap_or("it ended and said nothing")))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A refresh token for the demo user.
    pub(crate) fn log_in(&self) -> Result<String> {
        let answer = self.token("grant_type=password&username=bshaffer&password=brent123")?;
        answer.refresh_token().with_context(|| format!("the login failed: {answer:?}"))
    }

    /// A refresh by the demo client.
    pub(crate) fn refresh(&self, token: &str) -> Result<Answer> {
        self.token(&format!("grant_type=refresh_token&refresh_token={token}"))
    }

    /// The public keys.
    pub(crate) fn jwks(&self) -> Result<Answer> {
        self.ask("GET", "/jwks", "")
    }

    fn token(&self, form: &str) -> Result<Answer> {
        self.ask("POST", "/token", &format!("{form}&client_id=TestClient&client_secret=TestSecret"))
    }

    fn ask(&self, method: &str, path: &str, form: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
        let length = form.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}",
            self.address
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text).context("the answer did not come")?;
        let (head, body) = text.split_once("\r\n\r\n").context("an answer has a head")?;
        Ok(Answer {
            status: head.split(' ').nth(1).context("an answer has a status")?.parse()?,
            has_retry_after: head.to_ascii_lowercase().contains("\r\nretry-after: "),
            json: serde_json::from_str(body).unwrap_or_default(),
        })
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        // strace passes this on to the program, which a kill would leave running.
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.process.id())]).status();
        let _ = self.process.wait();
    }
}

impl Answer {
    /// The refresh token of a 200.
    pub(crate) fn refresh_token(&self) -> Option<String> {
        self.json["refresh_token"].as_str().filter(|_| self.status == 200).map(str::to_owned)
    }

    /// Whether it says that nothing was decided, and when to come again.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.status == 503 && self.has_retry_after && self.json["error"] == "temporarily_unavailable"
    }
}
