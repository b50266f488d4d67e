//! One of the processes that share a credential: many threads ask for the access token, again and again.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use regrant_client::{FileStorage, LogInReason, ReqwestTransport, Storage, TokenError, TokenManager};
use regrant_protocol::Timestamp;
use tokio::runtime::{Builder, Handle};

use super::careless::{CarelessStorage, Fault};
use super::death::{Death, Mortal, MortalStorage, MortalTransport};
use super::fast_clock::FastClock;
use super::server::Registration;

/// The first argument of a process that shares a credential.
pub(crate) const COMMAND: &str = "client-process";
/// What begins the line with the number of tokens that were given out.
pub(crate) const SERVED: &str = "served ";
/// What begins a line about an error that no caller should see.
pub(crate) const FAILED: &str = "failed ";

/// How long a process waits for its turn to end.
const TURN: Duration = Duration::from_secs(60);
/// How long a thread uses its token.
const USE: Duration = Duration::from_millis(40);
/// How long a caller waits who does not wait.
const IMPATIENCE: Duration = Duration::from_millis(1);
/// One caller of so many does not wait.
const IMPATIENT: u64 = 8;

/// What a process is told.
#[derive(Parser, Clone, Debug)]
pub(crate) struct Arguments {
    /// Which process it is.
    #[arg(long)]
    pub(crate) process: u32,
    /// How many threads it has.
    #[arg(long)]
    pub(crate) threads: u32,
    /// Who the server is.
    #[arg(long)]
    pub(crate) issuer: String,
    /// Where tokens are asked for.
    #[arg(long)]
    pub(crate) token_endpoint: String,
    /// Whether the client has a secret.
    #[arg(long)]
    pub(crate) is_confidential: bool,
    /// Where the credential is.
    #[arg(long)]
    pub(crate) file: PathBuf,
    /// When the clock showed the right time, in milliseconds.
    #[arg(long)]
    pub(crate) clock_origin: i64,
    /// How many times as fast it runs.
    #[arg(long)]
    pub(crate) clock_factor: u32,
    /// Where the process dies.
    #[arg(long)]
    pub(crate) death: Option<Death>,
    /// What it does wrong.
    #[arg(long)]
    pub(crate) fault: Option<Fault>,
}

impl Arguments {
    /// The words that mean this, with the command before them.
    pub(crate) fn to_words(&self) -> Vec<String> {
        let mut words = vec![COMMAND.to_owned()];
        let mut add = |name: &str, value: String| words.extend([name.to_owned(), value]);
        add("--process", self.process.to_string());
        add("--threads", self.threads.to_string());
        add("--issuer", self.issuer.clone());
        add("--token-endpoint", self.token_endpoint.clone());
        add("--file", self.file.display().to_string());
        add("--clock-origin", self.clock_origin.to_string());
        add("--clock-factor", self.clock_factor.to_string());
        if let Some(death) = &self.death {
            add("--death", death.to_string());
        }
        if let Some(fault) = self.fault {
            add("--fault", fault.name().to_owned());
        }
        if self.is_confidential {
            words.push("--is-confidential".to_owned());
        }
        words
    }
}

/// Is such a process until standard input ends.
pub(crate) fn run(words: &[String]) -> ExitCode {
    match live(&Arguments::parse_from(words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{COMMAND}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was served is told on standard output")]
fn live(arguments: &Arguments) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no threads")?;
    let tokens = manager(arguments)?;
    let served = Arc::new(AtomicU64::new(0));
    for number in 0..arguments.threads {
        let (tokens, served, handle) = (tokens.clone(), Arc::clone(&served), runtime.handle().clone());
        thread::Builder::new().stack_size(STACK_BYTES).spawn(move || use_tokens(&tokens, &served, &handle, number))?;
    }
    let mut nothing = String::new();
    std::io::stdin().read_to_string(&mut nothing)?;
    // Who has the turn interrupts no exchange. Nothing is given back: another process may have its turn when this one has ended.
    let turn = runtime.block_on(FileStorage::new(&arguments.file).lock(TURN));
    println!("{SERVED}{}", served.load(Ordering::SeqCst));
    std::mem::forget(turn);
    // Threads and exchanges end where they are.
    std::process::exit(0);
}

/// What a thread needs that does little.
const STACK_BYTES: usize = 512 * 1024;

fn manager(arguments: &Arguments) -> Result<TokenManager> {
    let clock = FastClock::new(Timestamp::from_milliseconds(arguments.clock_origin), arguments.clock_factor);
    let mortal = Mortal::new(arguments.process, arguments.death.clone());
    let transport = MortalTransport { mortal: Arc::clone(&mortal), inner: Arc::new(ReqwestTransport::new()?) };
    let registration = Registration { issuer: arguments.issuer.clone(), is_confidential: arguments.is_confidential };
    let client = registration.client(&arguments.token_endpoint, Arc::new(transport), clock)?;
    let file = FileStorage::new(&arguments.file);
    let inner: Box<dyn Storage> = match arguments.fault {
        Some(fault) => Box::new(CarelessStorage::new(fault, file)),
        None => Box::new(file),
    };
    Ok(TokenManager::new(client, MortalStorage { mortal, inner }).with_timer(clock))
}

#[expect(clippy::print_stdout, reason = "an error is told on standard output")]
fn use_tokens(tokens: &TokenManager, served: &AtomicU64, handle: &Handle, number: u32) {
    for call in u64::from(number).. {
        let token = handle.block_on(async {
            let token = tokens.access_token();
            // One who goes away takes nothing with it.
            if call.is_multiple_of(IMPATIENT) {
                tokio::time::timeout(IMPATIENCE, token).await.ok()
            } else {
                Some(token.await)
            }
        });
        match token {
            None => {}
            Some(Ok(_)) => {
                served.fetch_add(1, Ordering::SeqCst);
            }
            // Somebody will log in; whether it was right to ask for that, the proxy knows.
            Some(Err(TokenError::LogIn(LogInReason::Refused(_)))) => {}
            Some(Err(error)) if error.is_temporary() => {}
            Some(Err(error)) => println!("{FAILED}{error}"),
        }
        thread::sleep(USE);
    }
}
