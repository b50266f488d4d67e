//! The rules: who gets which token, and why not.
//!
//! An [`AuthorizationServer`] is built from a store, a key ring, a clock and a source of randomness, and answers one
//! method per endpoint: [`AuthorizationServer::token`], [`AuthorizationServer::revoke`],
//! [`AuthorizationServer::introspect`], [`AuthorizationServer::metadata`] and [`AuthorizationServer::jwks`].
//!
//! It opens no socket and no file, reads no environment, and has no clock of its own. What it refuses it refuses with a
//! [`Refusal`]: precise in the log, quiet to a stranger.

mod access_token;
mod client_authentication;
mod client_credentials;
mod clients;
mod context;
mod describe;
mod error;
mod failures;
mod hashing;
mod introspect;
mod keys;
mod password;
mod refresh;
mod registration;
mod revoke;
mod server;
mod signing;
mod token;

pub use client_authentication::AuthenticatedClient;
pub use context::{BEGIN_SECONDS_MAX, RequestContext};
pub use error::{Refusal, TokenError};
pub use failures::{FAILURE_BURST, FAILURE_INTERVAL_SECONDS};
pub use hashing::{HASHES_WAITING_MAX, Overloaded};
pub use registration::{RegistrationError, Secrecy};
pub use server::{AuthorizationServer, OpenError, Parts};
