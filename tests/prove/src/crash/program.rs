use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long the program may take until it listens.
const START_SECONDS_MAX: u64 = 20;

/// The program, built.
#[derive(Clone, Debug)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// Builds it as it is given to people.
    pub(crate) fn build() -> Result<Self> {
        build("regrant", &[])
    }

    /// Builds it with what only proofs may have, beside the other.
    pub(crate) fn build_with_faults() -> Result<Self> {
        build("regrant-with-faults", &["--features", "failpoints,planted-faults"])
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

fn build(name: &str, arguments: &[&str]) -> Result<Program> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "regrant-server", "--bin", "regrant"])
        .args(["--message-format", "json"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    let (true, Some(built)) = (output.status.success(), executable) else { bail!("regrant cannot be built") };
    // The next build with other features takes the place of this one.
    let kept = built.with_file_name(format!("prove-{name}"));
    fs::copy(&built, &kept).with_context(|| format!("{} cannot be copied", built.display()))?;
    Ok(Program(kept))
}

/// The running program.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: Child,
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts the program on a data directory and waits until it listens; `None` when it died before. What it says goes
    /// to `log`.
    pub(crate) fn start(
        program: &Program,
        data: &Path,
        log: &Path,
        environment: &[(&str, String)],
    ) -> Result<Option<Self>> {
        Self::begin(spawn(&mut dev(program, data, environment), log)?)
    }

    /// Starts it so, and kills it so soon that it may not have come to listen.
    pub(crate) fn start_and_kill(program: &Program, data: &Path, log: &Path, after: Duration) -> Result<()> {
        kill_after(spawn(&mut dev(program, data, &[]), log)?, after)
    }

    /// Starts a node with this configuration file, and waits until it listens; `None` when it died before. What it says goes to
    /// `log`.
    pub(crate) fn serve(program: &Program, configuration: &Path, log: &Path) -> Result<Option<Self>> {
        Self::begin(spawn(&mut serve(program, configuration), log)?)
    }

    /// Starts a node so, and kills it so soon that it may not have come to listen.
    pub(crate) fn serve_and_kill(program: &Program, configuration: &Path, log: &Path, after: Duration) -> Result<()> {
        kill_after(spawn(&mut serve(program, configuration), log)?, after)
    }

    fn begin(mut process: Child) -> Result<Option<Self>> {
        let mut output = BufReader::new(process.stdout.take().context("the output is piped")?);
        let (said, heard) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = output.read_line(&mut line);
            // Nobody listens any more when it took too long.
            let _ = said.send(read.map(|_| (line, output)));
        });
        let Ok(line) = heard.recv_timeout(Duration::from_secs(START_SECONDS_MAX)) else {
            process.kill()?;
            bail!("the program did not listen within {START_SECONDS_MAX} s");
        };
        let (line, output) = line?;
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            process.wait()?;
            return Ok(None);
        };
        Ok(Some(Self { address: address.parse()?, process, _output: output }))
    }

    /// `kill -9`; returns when the process is dead.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Whether the process has died by itself.
    pub(crate) fn is_dead(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It outlives its owner when that one fails.
        let _ = self.kill();
    }
}

fn dev(program: &Program, data: &Path, environment: &[(&str, String)]) -> Command {
    let mut command = Command::new(&program.0);
    command
        .args(["dev", "--no-tour", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn serve(program: &Program, configuration: &Path) -> Command {
    let mut command = Command::new(&program.0);
    command.arg("serve").arg("--config").arg(configuration);
    command
}

fn kill_after(mut process: Child, after: Duration) -> Result<()> {
    thread::sleep(after);
    process.kill()?;
    process.wait()?;
    Ok(())
}

fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    let log = File::create(log).context("the log cannot be written")?;
    command.env("REGRANT_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    command.spawn().with_context(|| format!("{} cannot be started", command.get_program().display()))
}
