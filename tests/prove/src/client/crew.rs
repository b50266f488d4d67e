use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use regrant_crypto::{SeededEntropy, random};

use super::death::{Death, Step};
use super::process::{Arguments, FAILED, SERVED};

/// The processes that share a credential: where one is killed, another takes over.
pub(crate) struct Crew {
    arguments: Arguments,
    chance: SeededEntropy,
    /// What keeps the processes alive; nothing any more when all are to end.
    alive: Mutex<Option<HashMap<u32, ChildStdin>>>,
    told: Mutex<Told>,
}

/// What became of the processes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How many processes there were; their numbers begin at 1.
    pub(crate) processes: u32,
    /// Which of them were killed, and where.
    pub(crate) killed: HashMap<u32, String>,
    /// How many tokens those have given out that lived to the end.
    pub(crate) served: u64,
    /// What no caller should have seen.
    pub(crate) complaints: Vec<String>,
}

/// How a process ends.
#[derive(Clone, Debug)]
enum End {
    /// At a step of an exchange.
    Step(Death),
    /// At the `nth` such system call on the credential's file, as strace sees it.
    Call(&'static str, u32),
}

/// The system calls between an answer and the disk.
const CALLS: [&str; 3] = ["write", "fsync", "rename"];
/// How many places there are to die at.
pub(crate) const PLACES: usize = Step::ALL.len() + CALLS.len();

impl Crew {
    /// A crew of processes with these arguments, but for their numbers and deaths.
    pub(crate) fn new(arguments: Arguments, seed: u64) -> Self {
        let chance = SeededEntropy::new(seed);
        Self { arguments, chance, alive: Mutex::new(Some(HashMap::new())), told: Mutex::default() }
    }

    /// Has one process after the other, until all are to end. For a thread of its own.
    pub(crate) fn keep_one_alive(&self) -> Result<()> {
        while locked(&self.alive).is_some() {
            self.live()?;
        }
        Ok(())
    }

    /// Ends all processes.
    pub(crate) fn end(&self) {
        locked(&self.alive).take();
    }

    /// What became of them.
    pub(crate) fn told(&self) -> Told {
        locked(&self.told).clone()
    }

    fn live(&self) -> Result<()> {
        let process = {
            let mut told = locked(&self.told);
            told.processes += 1;
            told.processes
        };
        let end = self.draw();
        let mut command = self.command(process, &end)?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no process")?;
        let stdin = child.stdin.take().context("standard input is a pipe")?;
        if let Some(alive) = locked(&self.alive).as_mut() {
            alive.insert(process, stdin);
        }
        let stdout = child.stdout.take().context("standard output is a pipe")?;
        for line in BufReader::new(stdout).lines() {
            self.hear(&line?);
        }
        let status = child.wait()?;
        if let Some(alive) = locked(&self.alive).as_mut() {
            alive.remove(&process);
        }
        let mut told = locked(&self.told);
        if is_killed(status) {
            told.killed.insert(process, end.place());
        } else if !status.success() {
            told.complaints.push(format!("process {process} ended with {status}"));
        }
        Ok(())
    }

    fn hear(&self, line: &str) {
        let mut told = locked(&self.told);
        if let Some(served) = line.strip_prefix(SERVED) {
            told.served += served.parse().unwrap_or(0);
        } else if let Some(failed) = line.strip_prefix(FAILED) {
            told.complaints.push(failed.to_owned());
        }
    }

    /// Five in eight die at a step, the others at a system call, all within their first few exchanges.
    fn draw(&self) -> End {
        let [kind, place, nth] = random(&self.chance).map(u32::from);
        let drawn = place as usize;
        match kind % 8 {
            0..=4 => End::Step(Death { step: Step::ALL[drawn % Step::ALL.len()], nth: 1 + nth % 3 }),
            _ => End::Call(CALLS[drawn % CALLS.len()], 1 + nth % 6),
        }
    }

    fn command(&self, process: u32, end: &End) -> Result<Command> {
        let program = env::current_exe().context("where is this program?")?;
        let mut arguments = Arguments { process, ..self.arguments.clone() };
        let mut command = match end {
            End::Step(death) => {
                arguments.death = Some(death.clone());
                Command::new(program)
            }
            End::Call(call, nth) => under_strace(&program, &arguments.file, call, *nth),
        };
        command.args(arguments.to_words()).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        Ok(command)
    }
}

impl End {
    fn place(&self) -> String {
        match self {
            Self::Step(death) => death.step.name().to_owned(),
            Self::Call(call, _) => (*call).to_owned(),
        }
    }
}

/// The program, killed as it comes to the `nth` such call on the temporary file beside `file`, or on their directory.
fn under_strace(program: &Path, file: &Path, call: &str, nth: u32) -> Command {
    let mut strace = Command::new("strace");
    // With --seccomp-bpf it would inject no signal.
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none"]);
    strace.args(["-e", &format!("trace={}", CALLS.join(",")), "-e", &format!("inject={call}:signal=KILL:when={nth}")]);
    let temporary = file.with_file_name(format!("{}.tmp", file.file_name().unwrap_or_default().display()));
    for path in [temporary.as_path(), file.parent().unwrap_or(file)] {
        strace.arg("-P").arg(path);
    }
    strace.arg("--").arg(program);
    strace
}

/// strace ends as the program that it runs has ended.
fn is_killed(status: ExitStatus) -> bool {
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL) || status.code() == Some(128 + SIGKILL)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
