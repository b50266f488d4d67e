//! A load generator for any OAuth server.
//!
//! A [`Load`] is some [`Chain`]s, each with one connection that is kept open, and a [`Pace`]. A chain knows what it sends next from
//! what it was answered last: [`Refreshing`] follows rotation. [`run`] keeps all of them busy on one thread, and tells what it
//! [`Measured`]: how many answers were good, how long they took since their requests were due, what went wrong by its kind, and
//! what the processes of the server used.
//!
//! Requests that come at a fixed rate are due by a schedule that no slow answer delays, so that who waits is counted.

mod alarms;
mod answer;
mod ask;
mod chain;
mod connection;
mod disk;
mod endpoint;
mod load;
mod measured;
mod pace;
mod process;
mod tally;
mod timer;
mod window;

pub use answer::{ANSWER_BYTES_MAX, Answer, Malformed};
pub use ask::ask;
pub use chain::{Chain, Heard, Refreshing, Repeating, Spending, Supply};
pub use connection::{Connection, Lost};
pub use disk::{DiskError, FileSystem, SyncTimes, file_system, measure_sync};
pub use endpoint::{Endpoint, EndpointError};
pub use load::{CONNECTIONS_MAX, GRACE_SECONDS, Load, LoadError, run};
pub use measured::Measured;
pub use pace::Pace;
pub use process::{Memory, NoSuchProcess, Processes, cpu_time};
