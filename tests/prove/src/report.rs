//! Results: one line of JSON each, and whether all of them are as they should be.

use std::time::Instant;

use serde_json::{Map, Value};

/// The results of one run.
pub(crate) struct Report {
    failures: usize,
}

/// One result. What is not named here is added by the kind of proof, so that the count means something.
pub(crate) struct Entry {
    members: Map<String, Value>,
    began: Instant,
}

impl Report {
    /// A report without results.
    pub(crate) fn new() -> Self {
        Self { failures: 0 }
    }

    /// Whether every result so far was as it should be.
    pub(crate) fn is_proved(&self) -> bool {
        self.failures == 0
    }

    /// Prints `entry`, which tried `count` cases and found `violations`; `is_proved` says whether that is as it should be.
    ///
    /// A planted fault that was caught is no violation, one that was not caught is.
    #[expect(clippy::print_stdout, reason = "the lines are what this program is for")]
    pub(crate) fn close(&mut self, mut entry: Entry, count: usize, violations: usize) {
        let seconds = (entry.began.elapsed().as_secs_f64() * 100.0).round() / 100.0;
        entry.add("count", count);
        entry.add("violations", violations);
        entry.add("seconds", seconds);
        self.failures += violations;
        println!("{}", Value::Object(entry.members));
    }
}

impl Entry {
    /// Begins a result; its seconds count from here.
    #[expect(clippy::disallowed_methods, reason = "how long a proof takes is asked of the real clock")]
    pub(crate) fn begin(kind: &str, name: &str) -> Self {
        let mut members = Map::new();
        members.insert("kind".to_owned(), kind.into());
        members.insert("name".to_owned(), name.into());
        Self { members, began: Instant::now() }
    }

    /// Adds a member.
    pub(crate) fn add(&mut self, member: &str, value: impl Into<Value>) {
        self.members.insert(member.to_owned(), value.into());
    }
}
