//! From what was seen to what it means: a function of the observations and the time, and of nothing else.

mod metadata;
mod protection;
mod refresh;

#[cfg(test)]
mod tests;

use regrant_protocol::Timestamp;
use serde::Serialize;

use super::observations::{Observations, Tls};

/// One thing that was seen, and what it means for clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) grade: Grade,
    pub(crate) topic: &'static str,
    pub(crate) seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
}

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// It hurts some clients, or will.
    Warning,
    /// Sessions are lost or stolen by it, or clients cannot work.
    Bad,
}

/// What the observations mean at `now`.
pub(crate) fn findings(seen: &Observations, now: Timestamp) -> Vec<Finding> {
    if let Tls::Untrusted { .. } = seen.tls {
        return vec![protection::tls(&seen.tls, now)];
    }
    let mut findings = metadata::findings(&seen.issuer, &seen.documents);
    findings.push(protection::clock(seen.clock_offset_seconds));
    findings.push(protection::tls(&seen.tls, now));
    findings.extend(protection::keys(&seen.keys));
    findings.extend(refresh::findings(&seen.refresh));
    findings
}

impl Finding {
    fn good(topic: &'static str, seen: impl Into<String>) -> Self {
        Self { grade: Grade::Good, topic, seen: seen.into(), advice: None }
    }

    fn new(grade: Grade, topic: &'static str, seen: impl Into<String>, advice: &str) -> Self {
        Self { grade, topic, seen: seen.into(), advice: Some(advice.to_owned()) }
    }
}

impl Grade {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}
