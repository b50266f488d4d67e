//! How a process dies: by its own `kill -9` at a step of an exchange, or by that of strace at a system call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use regrant_client::{
    Credential, RequestBody, Storage, StorageError, StorageLock, Swap, Transport, TransportError, Version,
};
use rustix::process::{Signal, getpid, kill_process};

use super::proxy::PROCESS;

/// A step on the way of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The marker is to be written.
    Marking,
    /// The marker is on disk, and nothing is sent.
    Marked,
    /// The request is on its way.
    Sent,
    /// The answer has come, and nothing of it is written.
    Answered,
    /// What has come of it is written, and nobody has used it.
    Kept,
}

impl Step {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 5] = [Self::Marking, Self::Marked, Self::Sent, Self::Answered, Self::Kept];

    /// Its name, in arguments and results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Marking => "marking",
            Self::Marked => "marked",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Kept => "kept",
        }
    }
}

/// The end of a process: the `nth` time that it comes to a step.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    /// Where.
    pub(crate) step: Step,
    /// How often it comes there before it dies, and the time that it dies at.
    pub(crate) nth: u32,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.step.name(), self.nth)
    }
}

impl std::str::FromStr for Death {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, nth) = text.split_once(':').ok_or("a death is written STEP:NTH")?;
        let step = Step::ALL.into_iter().find(|step| step.name() == name).ok_or("no such step")?;
        Ok(Self { step, nth: nth.parse().map_err(|_| "NTH is a number")? })
    }
}

/// A process that dies where it is told to.
pub(crate) struct Mortal {
    process: u32,
    death: Option<Death>,
    came: AtomicU32,
}

impl Mortal {
    /// The process with the number `process`.
    pub(crate) fn new(process: u32, death: Option<Death>) -> Arc<Self> {
        Arc::new(Self { process, death, came: AtomicU32::new(0) })
    }

    /// Whether this is the time to die at `step`.
    fn is_due(&self, step: Step) -> bool {
        let Some(death) = self.death.as_ref().filter(|death| death.step == step) else { return false };
        self.came.fetch_add(1, Ordering::SeqCst) + 1 == death.nth
    }

    fn reach(&self, step: Step) {
        if self.is_due(step) {
            die();
        }
    }
}

/// `kill -9` of this process: no destructor runs, nothing is flushed.
fn die() {
    let _ = kill_process(getpid(), Signal::KILL);
}

/// Storage of a process that dies.
pub(crate) struct MortalStorage {
    pub(crate) mortal: Arc<Mortal>,
    pub(crate) inner: Box<dyn Storage>,
}

#[async_trait]
impl Storage for MortalStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        self.inner.lock(wait).await
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        self.inner.load().await
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let is_marker = new.is_some_and(|new| new.pending.is_some());
        if is_marker {
            self.mortal.reach(Step::Marking);
        }
        let swap = self.inner.compare_and_swap(seen, new).await;
        if !is_marker {
            self.mortal.reach(Step::Kept);
        }
        swap
    }
}

/// The transport of a process that dies. It tells the proxy which process it is.
pub(crate) struct MortalTransport {
    pub(crate) mortal: Arc<Mortal>,
    pub(crate) inner: Arc<dyn Transport>,
}

#[async_trait]
impl Transport for MortalTransport {
    async fn send(&self, mut request: http::Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError> {
        self.mortal.reach(Step::Marked);
        request.headers_mut().insert(PROCESS, self.mortal.process.into());
        if self.mortal.is_due(Step::Sent) {
            tokio::spawn(async {
                tokio::time::sleep(UNDER_WAY).await;
                die();
            });
        }
        let answer = self.inner.send(request).await;
        self.mortal.reach(Step::Answered);
        answer
    }
}

/// How long after it was sent a request is under way: about when the server has it.
const UNDER_WAY: Duration = Duration::from_millis(2);
