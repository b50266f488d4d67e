//! The store in one SQLite file.
//!
//! One thread owns the only connection. It takes all steps that wait, runs each in a savepoint of its own, commits them
//! together, and only then answers: a refresh costs a share of one sync, and nobody hears of what is not durable.
//!
//! - [`SqliteStore::open`] makes or opens the file, and refuses one that it cannot keep its promises with: [`OpenError`].
//! - A step that fails or panics is rolled back alone; a commit that fails is a failure for all who were in it, and the
//!   connection is closed and opened again.
//! - After a failed sync nobody knows what is on the disk, and asking again may get a wrong answer: the store then
//!   refuses everything until the process is started again.

mod backup;
mod cap;
mod columns;
mod connection;
mod database;
mod endings;
mod examine;
mod failpoint;
mod family;
mod grants_of;
mod guard;
mod import;
mod integrity;
mod job;
mod migration;
mod moved;
mod open_error;
mod page;
#[cfg(feature = "planted-faults")]
mod planted_fault;
mod rows;
mod slice;
mod staged;
mod statements;
mod step;
mod store;
mod sweep;
mod transaction;
mod writer;

pub use backup::{BackupError, back_up};
pub use database::STEPS_PER_COMMIT_MAX;
pub use examine::{Examination, examine, has_journal, newest_epoch};
pub use failpoint::Failpoint;
pub use integrity::check_integrity;
pub use moved::{DepartingStore, MOVED_ROWS_TOGETHER};
pub use open_error::OpenError;
pub use staged::{RenewError, StagedStore};
pub use store::{Genesis, SqliteStore};
pub use writer::{CLOSING_MILLISECONDS_MAX, WAITING_STEPS_MAX};
