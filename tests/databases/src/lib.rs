//! Database servers that tests start for themselves, as whoever they run as, on free ports and in directories of their own. Those
//! that the system has are left alone.

mod archive;
mod memory;
mod postgres;
mod replication;
mod server;

pub use memory::folder_in_memory;
pub use postgres::{Database, Postgres};
pub use server::{Server, feed, is_root, run};
