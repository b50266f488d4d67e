//! How each thing that is kept becomes a row, and is read from one.

pub(crate) mod client;
pub(crate) mod grant;
pub(crate) mod key;
pub(crate) mod listed_access_token;
pub(crate) mod user;

mod client_settings;
