//! Named places on the way of a request at which a test lets the process die.

/// A place that a request, or the start of the program, passes. Without the feature `failpoints`, which is never a
/// default, [`Failpoint::reach`] is nothing.
///
/// With it, `REGRANT_FAILPOINT=NAME` or `NAME:COUNT` in the environment ends the process where the place is reached, or
/// reached for the `COUNT`th time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failpoint {
    /// At the start, the file is a store.
    Migrated,
    /// At the start, the log was copied into the file.
    CheckpointedAtStart,
    /// The head of a request was read.
    RequestArrived,
    /// The client is authenticated, and the store is asked for a step.
    StepAsked,
    /// The step waits for its turn.
    StepQueued,
    /// The steps that are committed together were taken.
    BatchTaken,
    /// The transaction was begun.
    Begun,
    /// What a step is about was read.
    RowRead,
    /// The rule has decided.
    Decided,
    /// What the rule asked for was written.
    RowWritten,
    /// All steps of the transaction have run.
    BeforeCommit,
    /// The transaction is durable, and nobody heard of it.
    AfterCommit,
    /// One of those who wait was answered.
    FirstAnswered,
    /// All of those who wait were answered.
    AllAnswered,
    /// The log is about to be copied into the file.
    BeforeCheckpoint,
    /// The log was copied into the file.
    AfterCheckpoint,
    /// The engine has the answer of the store, and makes the tokens from it.
    StepAnswered,
    /// The response is made.
    ResponseMade,
    /// The response is about to be written to the socket.
    BeforeResponseWrite,
    /// The response was written to the socket.
    AfterResponseWrite,
}

impl Failpoint {
    /// Every place, in the order in which a request passes them.
    pub const ALL: [Self; 20] = [
        Self::Migrated,
        Self::CheckpointedAtStart,
        Self::RequestArrived,
        Self::StepAsked,
        Self::StepQueued,
        Self::BatchTaken,
        Self::Begun,
        Self::RowRead,
        Self::Decided,
        Self::RowWritten,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::FirstAnswered,
        Self::AllAnswered,
        Self::BeforeCheckpoint,
        Self::AfterCheckpoint,
        Self::StepAnswered,
        Self::ResponseMade,
        Self::BeforeResponseWrite,
        Self::AfterResponseWrite,
    ];

    /// Its name in the environment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Migrated => "migrated",
            Self::CheckpointedAtStart => "checkpointed_at_start",
            Self::RequestArrived => "request_arrived",
            Self::StepAsked => "step_asked",
            Self::StepQueued => "step_queued",
            Self::BatchTaken => "batch_taken",
            Self::Begun => "begun",
            Self::RowRead => "row_read",
            Self::Decided => "decided",
            Self::RowWritten => "row_written",
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::FirstAnswered => "first_answered",
            Self::AllAnswered => "all_answered",
            Self::BeforeCheckpoint => "before_checkpoint",
            Self::AfterCheckpoint => "after_checkpoint",
            Self::StepAnswered => "step_answered",
            Self::ResponseMade => "response_made",
            Self::BeforeResponseWrite => "before_response_write",
            Self::AfterResponseWrite => "after_response_write",
        }
    }

    /// Says that this place was reached.
    #[cfg(not(feature = "failpoints"))]
    #[inline(always)]
    pub const fn reach(self) {}

    /// Says that this place was reached, and may be the end of the process. No destructor runs and nothing is flushed:
    /// what is left is what `kill -9` leaves.
    #[cfg(feature = "failpoints")]
    pub fn reach(self) {
        if armed::is_hit(self.name()) {
            std::process::abort();
        }
    }
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::env;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        hits_left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    pub(super) fn is_hit(name: &str) -> bool {
        let armed = ARMED.get_or_init(|| env::var("REGRANT_FAILPOINT").ok().map(|text| read(&text)));
        armed
            .as_ref()
            .filter(|armed| armed.name == name)
            .is_some_and(|armed| armed.hits_left.fetch_sub(1, Ordering::SeqCst) == 1)
    }

    fn read(text: &str) -> Armed {
        let (name, count) = text.split_once(':').unwrap_or((text, "1"));
        let hits_left = count.parse().expect("REGRANT_FAILPOINT is NAME or NAME:COUNT");
        Armed { name: name.to_owned(), hits_left: AtomicU64::new(hits_left) }
    }
}
