//! Faults for the proofs to find: without them they could not be told from tests that see nothing.

use std::ffi::OsString;
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, thread};

use regrant_grant::Grant;
use regrant_store::StoreError;

use crate::job::Job;
use crate::transaction::Transaction;

/// How far the answers are ahead of the commit: what a disk may need for one.
const HEAD_START_MILLISECONDS: u64 = 2;

/// With `REGRANT_PLANTED_FAULT=answer-before-commit` in the environment, answers all `jobs` that have run, though
/// nothing is durable yet, and lets the answers get out.
pub(crate) fn answer_before_commit(jobs: &mut [Box<dyn Job>]) {
    if !is_planted("answer-before-commit") {
        return;
    }
    for job in jobs {
        std::mem::replace(job, Box::new(Answered)).answer(&Ok(()));
    }
    thread::sleep(Duration::from_millis(HEAD_START_MILLISECONDS));
}

/// With `REGRANT_PLANTED_FAULT=synchronous-normal` in the environment, what `synchronous` is set to and read back as, so
/// that a commit no longer waits for the disk.
pub(crate) fn unsafe_setting(pragma: &str) -> Option<(&'static str, &'static str)> {
    (pragma == "synchronous" && is_planted("synchronous-normal")).then_some(("NORMAL", "1"))
}

/// With `REGRANT_PLANTED_FAULT=copy-the-row` in the environment, copies every row that was read, with all its texts.
pub(crate) fn copy_the_row(row: Option<&Grant>) {
    if let Some(row) = row.filter(|_| is_planted("copy-the-row")) {
        let texts = [row.client.as_str(), row.subject.as_str(), row.scope.as_str()].map(str::to_owned);
        black_box((row.clone(), texts));
    }
}

fn is_planted(fault: &str) -> bool {
    static PLANTED: OnceLock<Option<OsString>> = OnceLock::new();
    PLANTED.get_or_init(|| env::var_os("REGRANT_PLANTED_FAULT")).as_ref().is_some_and(|planted| planted == fault)
}

/// What is left of a job that was answered already.
struct Answered;

impl Job for Answered {
    fn run(&mut self, _: &Transaction<'_>, _: Instant) -> bool {
        true
    }

    fn answer(self: Box<Self>, _: &Result<(), StoreError>) {}
}
