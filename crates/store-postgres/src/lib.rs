//! The store on PostgreSQL, for one node or several.
//!
//! Steps wait in lanes: steps on one grant one after another, those on others together. A lane reads what its steps are about
//! in one statement, lets their rules decide, and writes what they ask for in one transaction. A row is only written as the
//! version after the one that was read, and what a step relied on without writing it is read once more before the commit.
//! A step that another node was faster than travels alone, and locks its row first.
//!
//! - [`PostgresStore::open`] migrates and opens the database that an [`Address`] names, and refuses one that it cannot keep its
//!   promises with: [`OpenError`].
//! - What a node keeps in memory is counted when it is changed, and every node hears of it: one connection listens while
//!   somebody waits for that.
//! - A counter in the database tells how far it has come, and a mark outside it: a connection that leads to an earlier day is not used,
//!   and where there is no other, no node decides anything until the store was restored.
//! - What ends is in the journal before it is committed, where there is one. Such steps have a lane and connections of their own, as the
//!   journal may be slow or away, and nobody else waits with them.
//! - A connection whose state is not known is closed; who waited for it hears that the store is unavailable.
//! - No wait for a commit is ever cancelled: a commit that was cancelled while it waited for a standby is seen by everybody, and
//!   may be lost.

mod address;
mod alone;
mod arriving;
mod bulk;
mod cancel;
mod cap;
mod columns;
mod commit;
mod connect;
mod connection;
mod decision;
mod ending_lane;
mod endings;
mod examine;
mod examine_journal;
mod failure;
mod family;
mod grants_of;
mod guard;
mod id_bytes;
mod import;
mod journal;
mod lane;
mod listener;
mod look_up;
mod migration;
mod node_journal;
mod open_error;
mod page;
mod pool;
mod primary;
mod replay;
mod rows;
mod statements;
mod stopped;
mod store;
mod store_clock;
mod sweep;
mod tls;
mod together;
mod transaction;
mod witness;
mod write;

pub use address::{Address, AddressError};
pub use arriving::{ArrivalError, ArrivingRows, ArrivingStore};
pub use bulk::{BulkRows, RelationSize};
pub use connection::{COMMIT_MILLISECONDS_MAX, STATEMENT_MILLISECONDS_MAX};
pub use examine::{Copying, Examination, examine};
pub use examine_journal::{ExaminedJournal, FoundJournal, examine_journal};
pub use journal::JournalDatabase;
pub use lane::{STEPS_TOGETHER_MAX, WAITING_STEPS_MAX};
pub use migration::PendingMigration;
pub use open_error::OpenError;
pub use stopped::{RenewedStore, StoppedStore};
pub use store::{Genesis, PostgresStore, Settings};
pub use store_clock::TimeOfDay;
