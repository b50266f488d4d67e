//! The store on a real PostgreSQL, which the tests start themselves.

mod bulk;
mod contention;
mod faults;
mod following;
mod gate;
mod holder;
mod journal;
mod lanes;
mod node;
mod nodes;
mod opening;
mod partitioned;
mod rollback;
mod slow_journal;
mod suite;
mod tls;
