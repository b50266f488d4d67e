//! The store on a real PostgreSQL, which the tests start themselves.

mod faults;
mod following;
mod journal;
mod node;
mod nodes;
mod opening;
mod partitioned;
mod rollback;
mod suite;
mod tls;
