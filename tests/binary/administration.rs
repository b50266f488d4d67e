//! The commands of administration, as operators type them: beside a running server, and without one.

mod clients;
mod doors;
mod grants;
mod keys;
mod many_grants;
mod operator;
mod secrets;
mod upkeep;
mod users;
