use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use regrant_bench::Processes;
use rustix::process::{Pid, Signal, kill_process};

use crate::bench::bench_store::BenchStore;
use crate::bench::stage::ISSUER;

/// Names a fault that only a build for proofs has.
const PLANTED_FAULT: &str = "REGRANT_PLANTED_FAULT";

/// Its log, in the directory of the measurement.
const LOG: &str = "server.log";

/// A server in a process of its own, ended when this is dropped.
pub(super) struct ChildServer {
    child: Child,
    /// Without a slash at the end.
    pub(super) url: String,
}

impl ChildServer {
    /// `regrant serve` on the data directory `data` in `folder`, as it is without any configuration that is not needed.
    pub(super) fn regrant(folder: &Path, data: &Path, store: &BenchStore) -> Result<Self> {
        let config = configure(folder, data, store)?;
        Self::start(Command::new(own_program()?).arg("serve").arg("--config").arg(config), folder)
    }

    /// The same on one thread, with its instructions counted in the file `counts`.
    pub(super) fn counted(folder: &Path, data: &Path, counts: &Path) -> Result<Self> {
        let config = configure(folder, data, &BenchStore::Sqlite)?;
        let mut command = Command::new("valgrind");
        command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", counts.display()));
        command.arg(own_program()?).args(["serve", "--single-threaded", "--config"]).arg(config);
        Self::start(&mut command, folder)
    }
    /// The bare axum app.
    pub(super) fn bare(folder: &Path) -> Result<Self> {
        Self::start(Command::new(own_program()?).args(["bench", "bare"]), folder)
    }

    fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(folder.join(LOG))?;
        // What is measured is no matter of who measures.
        let settings = env::vars_os().map(|(name, _)| name).filter(|name| name != PLANTED_FAULT);
        for name in settings.filter(|name| name.to_string_lossy().starts_with("REGRANT_")) {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.context("the server that is to be measured cannot be started")?;
        let output = child.stdout.take().context("it is piped")?;
        // From here on it ends with this.
        let mut server = Self { child, url: String::new() };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let Some(url) = line.trim_end().strip_prefix("listening on ") else {
            let log = fs::read_to_string(folder.join(LOG)).unwrap_or_default();
            bail!("the server that is to be measured did not start: {line}{log}");
        };
        url.clone_into(&mut server.url);
        Ok(server)
    }

    /// Asks it to stop, and waits until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process has a number")?;
        kill_process(id, Signal::TERM).context("the server cannot be asked to stop")?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    /// Its process, and `others` that work for it.
    pub(super) fn processes(&self, others: &[u32]) -> Result<Processes> {
        Ok(Processes::new(&[&[self.child.id()], others].concat())?)
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // It is gone already, or ends now: nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the configuration, and tells where.
fn configure(folder: &Path, data: &Path, store: &BenchStore) -> Result<PathBuf> {
    let config = folder.join("regrant.toml");
    let text = format!(
        "[server]\nissuer = \"{ISSUER}\"\nlisten = [\"127.0.0.1:0\"]\nplain_http = true\ndata = {:?}\n{}",
        data.display().to_string(),
        store.to_toml(),
    );
    fs::write(&config, text).with_context(|| config.display().to_string())?;
    Ok(config)
}

fn own_program() -> Result<PathBuf> {
    env::current_exe().context("this program does not know where it lies")
}
