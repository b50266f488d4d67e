//! What an operator does to clients, users and grants. All of it is in force with the next request that is decided: every step
//! reads versions, cutoffs and whether client and user may have tokens.

mod clients;
mod grants;
mod operators;
mod users;

pub use grants::GrantEnd;

/// How often a change that is made of what was read is begun, when another node has changed the same meanwhile each time.
pub(crate) const ATTEMPTS_MAX: u32 = 5;
