//! Several servers on one PostgreSQL.

mod accounts;
mod backup;
mod cluster;
mod commands;
mod configuration;
mod faults;
mod keys;
mod point_in_time;
mod refused_starts;
mod restore;
mod tokens;
