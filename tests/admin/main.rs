//! The admin API: what operators ask, over its router, and by Schemathesis over a socket.

mod clients;
mod doors;
mod grants;
mod keys;
mod office;
mod program;
mod refusals;
mod schemathesis;
mod users;
