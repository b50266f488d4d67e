//! Every statement on the tables, by what it is about. Columns are read in the order in which they stand here.

pub(crate) mod bulk;
pub(crate) mod client;
pub(crate) mod consent;
pub(crate) mod database;
pub(crate) mod grant;
pub(crate) mod high_water;
pub(crate) mod imported_token;
pub(crate) mod journal;
pub(crate) mod key;
pub(crate) mod moved;
pub(crate) mod session;
pub(crate) mod shared;
pub(crate) mod user;

#[cfg(test)]
mod plans;
