//! What was asked of one grant and what was answered, and when; and whether any order explains it.

mod judge;
mod linearizability;
mod simulation;
mod spoil;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::SeededEntropy;
use regrant_grant::{GrantId, REFRESH_PREFIX, TokenParts};
use regrant_protocol::{Clock, SystemClock};
use serde_json::Value;

pub(crate) use judge::Judge;

use crate::report::{Entry, Report};
use crate::scale::Scale;

const KIND: &str = "history";

/// T-42, the judge itself: histories that happened are accepted, histories that cannot have happened are not. What the
/// other kinds of proof record they give to the same judge.
pub(crate) fn run(scale: Scale, seed: u64, report: &mut Report) {
    let histories = match scale {
        Scale::Ci => 2_000,
        Scale::Night => 20_000,
        Scale::Gate => 200_000,
    };
    let mut entry = Entry::begin(KIND, "simulated");
    let chance = SeededEntropy::new(seed);
    let mut judge = Judge::default();
    for number in 0..histories {
        judge.hear(&simulation::history(seed.wrapping_add(number)), &chance);
    }
    judge.describe(&mut entry);
    let violations = judge.violations();
    tell(&mut entry, &violations);
    report.close(entry, usize::try_from(histories).unwrap_or(usize::MAX), violations.len());
}

/// Adds what was found to a result, as far as a reader can take it in.
pub(crate) fn tell(entry: &mut Entry, violations: &[String]) {
    if !violations.is_empty() {
        entry.add("found", violations.iter().take(VIOLATIONS_TOLD_MAX).cloned().collect::<Vec<_>>());
    }
}

/// How many violations are told in words.
const VIOLATIONS_TOLD_MAX: usize = 3;

/// Everything that was asked of one grant, in any order.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// The generation of the grant before the first operation.
    pub(crate) generation: u32,
    /// What was asked and answered.
    pub(crate) operations: Vec<Operation>,
}

/// One request, from before it was sent until its answer was there, or could not come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// When it was about to be sent, in nanoseconds of a [`Stopwatch`].
    pub(crate) invoked: u64,
    /// When it was answered; without an answer, when the process that might have answered was dead.
    pub(crate) completed: u64,
    /// What was asked.
    pub(crate) call: Call,
    /// What was answered.
    pub(crate) outcome: Outcome,
}

/// What is asked of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A refresh with the token of this generation.
    Refresh(u32),
    /// Its end: a revocation, or a change of client or user after which this sender may not refresh any more.
    End,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A 200 to a refresh.
    Refreshed(Successor),
    /// A refresh was refused for good.
    Refused,
    /// The end was acknowledged.
    Ended,
    /// Nobody knows: no answer came, or a 503. It may have happened before `completed`, or not at all.
    Unknown,
}

/// What a 200 to a refresh carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Successor {
    /// The generation of its refresh token.
    pub(crate) generation: u32,
    /// A digest of its refresh token and of the `jti` of its access token.
    pub(crate) digest: u64,
}

/// The answer to a login or refresh, read.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    /// The refresh token.
    pub(crate) refresh_token: String,
    /// The grant it names.
    pub(crate) grant: GrantId,
    /// What a history keeps of it.
    pub(crate) successor: Successor,
}

impl Tokens {
    /// Reads the tokens of a token endpoint's 200; `None` when a part is missing or not ours.
    pub(crate) fn new(refresh_token: &str, access_token: &str) -> Option<Self> {
        let head = TokenParts::parse(REFRESH_PREFIX, refresh_token).ok()?.head;
        let payload = URL_SAFE_NO_PAD.decode(access_token.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let mut hasher = DefaultHasher::new();
        (refresh_token, claims.get("jti")?.as_str()?).hash(&mut hasher);
        let successor = Successor { generation: head.generation.0, digest: hasher.finish() };
        Some(Self { refresh_token: refresh_token.to_owned(), grant: head.grant, successor })
    }

    /// The tokens of a grant that was taken over from another system, before its first refresh.
    pub(crate) fn imported(refresh_token: String, grant: GrantId) -> Self {
        Self { refresh_token, grant, successor: Successor { generation: 0, digest: 0 } }
    }

    /// The generation of the refresh token.
    pub(crate) fn generation(&self) -> u32 {
        self.successor.generation
    }
}

/// The one clock of a run's histories.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts at zero.
    pub(crate) fn start() -> Self {
        Self(SystemClock.monotonic())
    }

    /// Nanoseconds since the start.
    pub(crate) fn nanoseconds(&self) -> u64 {
        let passed = SystemClock.monotonic().duration_since(self.0);
        u64::try_from(passed.as_nanos()).expect("no run takes five hundred years")
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        SystemClock.monotonic().duration_since(self.0).as_secs_f64()
    }
}
