//! The targets, each a function `run` over any bytes.

pub(crate) mod access_token;
pub(crate) mod basic;
pub(crate) mod chunks;
pub(crate) mod client_settings;
pub(crate) mod connection;
pub(crate) mod decide;
pub(crate) mod form;
pub(crate) mod head;
pub(crate) mod issuer;
pub(crate) mod jwk;
pub(crate) mod jws;
pub(crate) mod key_file;
pub(crate) mod life;
pub(crate) mod resource;
pub(crate) mod retry;
pub(crate) mod scope;
pub(crate) mod stored_secret;
pub(crate) mod token;
