//! Several servers on one PostgreSQL.

mod accounts;
mod backup;
mod cluster;
mod commands;
mod faults;
mod refused_starts;
mod restore;
mod tokens;
