//! The rules: who gets which token, and why not.
//!
//! An [`AuthorizationServer`] is built from a store, a key ring, a clock and a source of randomness, and answers one
//! method per endpoint: [`AuthorizationServer::token`], [`AuthorizationServer::revoke`],
//! [`AuthorizationServer::introspect`], [`AuthorizationServer::userinfo`], [`AuthorizationServer::metadata`] and
//! [`AuthorizationServer::jwks`]. What a person does with a browser begins with [`AuthorizationServer::authorize`],
//! [`AuthorizationServer::account`] or [`AuthorizationServer::end_session`], and goes from [`Step`] to [`Step`].
//!
//! It opens no socket and no file, reads no environment, and has no clock of its own. What it refuses it refuses with a
//! [`Refusal`]: precise in the log, quiet to a stranger.

mod access_token;
mod administration;
mod allowed_origins;
mod browser;
mod claims_hook;
mod client_authentication;
mod client_credentials;
mod clients;
mod code;
mod configured_client;
mod context;
mod describe;
mod error;
mod failures;
mod hashing;
mod hooks;
mod id_token;
mod introspect;
mod keys;
mod observer;
mod password;
mod refresh;
mod refusal;
mod registration;
mod revoke;
mod server;
mod signing;
mod sweep;
mod token;
mod user_authentication;
mod userinfo;
#[cfg(test)]
mod world;

pub use administration::GrantEnd;
pub use browser::{
    AccountGrant, AccountNotice, AccountView, BROWSER_COOKIE_SECONDS, Browser, BrowserCookies, BrowserError,
    ClientPresentation, ConsentPrompt, ConsentScope, Cookie, CookieChange, ErrorPage, LogOutPrompt, LoginProblem,
    LoginPrompt, NEW_PASSWORD_CHARACTERS_MIN, Next, PasswordProblem, PostLogoutProblem, SESSION_SECONDS, Step,
};
pub use claims_hook::{ClaimsHook, ClaimsRequest, ClaimsUnavailable};
pub use client_authentication::AuthenticatedClient;
pub use configured_client::Kept;
pub use context::{BEGIN_SECONDS_MAX, REQUEST_ID_BYTES_MAX, RequestContext, RequestId};
pub use error::TokenError;
pub use failures::{
    ACCOUNT_FAILURE_BURST, ACCOUNT_FAILURE_INTERVAL_SECONDS, FAILURE_BURST, FAILURE_INTERVAL_SECONDS,
    SOURCE_FAILURE_BURST, SOURCE_FAILURE_INTERVAL_SECONDS,
};
pub use hashing::{HASHES_WAITING_MAX, Overloaded};
pub use hooks::Hooks;
pub use observer::{Event, Happening, LogInOutcome, Observer};
pub use refusal::Refusal;
pub use registration::{RegistrationError, Secrecy, broken_rules};
pub use server::{AuthorizationServer, OpenError, Parts};
pub use sweep::{
    SWEEP_FAILURE_PAUSE_SECONDS, SWEEP_PASS_PAUSE_SECONDS, SWEEP_ROWS_MAX, SWEEP_SLICE_PAUSE_MILLISECONDS,
    SweepOutcome, Sweeper,
};
pub use userinfo::UserInfoError;
