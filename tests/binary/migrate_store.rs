//! `regrant migrate-store`: the store of a server on SQLite moves to PostgreSQL.

mod breaks;
mod refusals;
mod site;
mod tokens;
