//! The revocation journal: a text file to which one line is added for everything that ends, outside the database.
//!
//! [`line`] is what a line says, [`scan`] finds the end of what is sound, and [`JournalFile`] adds and reads; [`JournalChain`] reads
//! several that follow one another.

mod chain;
mod file;
mod line;
mod scan;

pub(crate) use chain::JournalChain;
pub(crate) use file::JournalFile;
pub use line::JOURNAL_LINE_BYTES_MAX;
