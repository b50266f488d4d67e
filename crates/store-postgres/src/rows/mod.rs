//! How each thing that is kept becomes a row, and is read from one.

pub(crate) mod client;
pub(crate) mod consent;
pub(crate) mod grant;
pub(crate) mod high_water;
pub(crate) mod imported_token;
pub(crate) mod key;
pub(crate) mod last_sweep;
pub(crate) mod party;
pub(crate) mod session;
pub(crate) mod shared;
pub(crate) mod standing;
pub(crate) mod user;
