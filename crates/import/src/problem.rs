//! Rows that are not taken over, and why.

use regrant_protocol::Timestamp;

use crate::{Kind, Origin, shortened};

/// A row that is broken. It ends nothing: the caller decides whether to stop or to go on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}, column {column}: {fault}; {remedy}")]
pub struct RowProblem {
    /// What the row would have become.
    pub kind: Kind,
    /// The row.
    pub origin: Origin,
    /// The column that is wrong.
    pub column: String,
    /// What is wrong with it, without any secret.
    pub fault: String,
    /// What to do.
    pub remedy: &'static str,
    /// Whether the column was too short for its token: see [`Survey::truncated`](crate::Survey::truncated).
    pub is_truncation: bool,
}

impl RowProblem {
    /// A row that is broken; of a `fault` that shows a long value, beginning and end are told.
    #[must_use]
    pub fn new(kind: Kind, origin: Origin, column: &str, fault: &str, remedy: &'static str) -> Self {
        Self { kind, origin, column: column.to_owned(), fault: shortened(fault), remedy, is_truncation: false }
    }
}

/// A row in good order that is left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What the row would have become.
    pub kind: Kind,
    /// The row.
    pub origin: Origin,
    /// Why.
    pub reason: Reason,
    /// When it ended, where it is [`Reason::Expired`] and the row says so.
    pub ended_at: Option<Timestamp>,
}

/// Why a row in good order is left behind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Reason {
    /// Its end has passed.
    #[error("expired")]
    Expired,
    /// Its state is one in which its system refuses it (WSO2).
    #[error("in state {0}")]
    DeadState(String),
    /// Its client is not in the database: nobody can present it.
    #[error("of a client that is not there")]
    ClientMissing,
    /// Another row, which its system finds first, carries the same token.
    #[error("the same token as another row")]
    Duplicate,
    /// It belongs to OAuth 1.0a.
    #[error("of OAuth 1.0a")]
    OtherProtocol,
}
