//! A client of OAuth that keeps a valid access token at hand, against any server, and never loses a session to an accident.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//! use regrant_client::{
//!     FileStorage, IssuerIdentifier, LoopbackRedirect, OAuthClient, Provider, ReqwestTransport, TokenError, TokenManager,
//! };
//! use regrant_protocol::{ClientId, Scope};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Whom to ask, and who asks.
//! let transport = Arc::new(ReqwestTransport::new()?);
//! let provider = Provider::discover(&IssuerIdentifier::parse("https://id.example")?, &*transport).await?;
//! let client = OAuthClient::new(provider, ClientId::parse("reports")?, transport);
//! let tokens = TokenManager::new(client.clone(), FileStorage::new("/home/ada/.local/state/reports/token.json"));
//!
//! let token = match tokens.access_token().await {
//!     Err(TokenError::LogIn(why)) => {
//!         println!("{why}");
//!         let redirect = LoopbackRedirect::listen().await?;
//!         let login = client.authorization(&redirect.uri()?, &Scope::parse("read")?)?;
//!         println!("Open {}", login.url());
//!         let answer = redirect.answer(&login, Duration::from_secs(300)).await?;
//!         tokens.log_in(login.finish(&answer).await?).await?;
//!         tokens.access_token().await?
//!     }
//!     token => token?,
//! };
//! # drop(token);
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - **One exchange for all.** Tasks, managers and processes that share a [`Storage`] take turns by a lock of the system around
//!   reading, asking and writing; whoever waited reads again and finds the new token. Five programs that wake with a laptop make
//!   one request. A caller who goes away takes nothing with it: the exchange has a task of its own.
//! - **On disk first.** Nobody gets a token before it is written and synced. Before the first byte of a refresh is sent, a marker
//!   with the retry verifier is on disk ([`Pending`]): after a crash or a lost answer the same refresh token is sent again, with
//!   the proof that it comes from the same sender. At regrant that finds the session again; other servers ignore the proof.
//! - **Only the server ends a session.** A login is asked for when the server itself says `invalid_grant`, and at no other
//!   time: not for a page of HTML, a busy server, a full disk, or a lock that somebody else holds ([`classify`]). A refresh token
//!   that was refused is dropped, and only that one: a loser of a race never deletes the winner's.
//! - **Early, and not all at once.** A token is refreshed 60 s or a tenth of its life before its end, a little earlier by
//!   jitter, in the background while it still serves ([`plan`]). A refusal by an API goes the same way ([`TokenManager::invalidate`]).
//! - **Wrong clocks.** Ends are absolute and by the server's clock, which every answer's `Date` tells. Signatures are dated by it.
//! - **One refresh token, many targets.** Each resource server has an access token of its own, and nobody is given one that was
//!   asked for another ([`TokenManager::for_resource`]). The exchanges take turns, whatever they are for.
//!
//! # Ways to use it
//!
//! [`TokenManager`] gives one token; [`TokenLayer`] attaches it to the requests of a tower service, and sends one that was
//! answered 401 once more; [`ApiRequest`] does the same for any other HTTP client; [`BlockingTokenManager`] is for programs without
//! a runtime. The credential is in a [`FileStorage`], a [`MemoryStorage`] or a [`Storage`] of your own.
//!
//! A login is an authorization code with PKCE ([`OAuthClient::authorization`], with [`LoopbackRedirect`] on a desktop), a code that
//! a person enters on another device ([`OAuthClient::device_authorization`]), a password, or the client's own secret or key
//! ([`TokenManager::by_client_credentials`]). A client proves who it is by a secret or by a signature ([`PrivateKeyJwt`]), or not
//! at all. Tokens can be bound to a key that is made at the login and kept beside them, so that a stolen token is of no use
//! ([`OAuthClient::with_dpop`]).
//! An [`Observer`] is told when a person has to log in again, and why.
//!
//! # What it asks of you
//!
//! One file, one login: give each its own path, and never copy one. A credential of another server or client is neither sent
//! nor overwritten. Nothing between this client and the server may repeat a POST. An access token that another process has revoked or
//! removed is noticed when it is due, or when an API refuses it.
//!
//! # Features
//!
//! - `reqwest` (default): [`ReqwestTransport`]. Without it, bring a [`Transport`] of your own.
//! - `keyring`: `KeyringStorage`, whose file only the keyring of the operating system opens.
//! - `reqwest-middleware`: `TokenMiddleware`, which does for a `reqwest` client what [`TokenLayer`] does for a tower service.
//! - `metrics`: `MetricsObserver`, which counts through the `metrics` facade.

mod answer;
mod api_request;
mod authorization;
mod blocking;
mod credential;
mod credential_file;
mod demand;
mod device_authorization;
mod dpop;
mod exchange;
mod file_storage;
mod issuer_identifier;
#[cfg(feature = "keyring")]
mod keyring;
#[cfg(feature = "keyring")]
mod keyring_storage;
mod learned;
mod lineage;
mod locked_file;
mod loopback;
mod manager_state;
mod memory_storage;
#[cfg(feature = "metrics")]
mod metrics_observer;
mod nonces;
mod oauth_client;
mod observer;
mod pending;
mod plan;
mod private_file;
mod private_key_jwt;
mod provider;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
#[cfg(test)]
mod scripted;
#[cfg(feature = "keyring")]
mod sealed_credential;
mod storage;
mod target;
mod timer;
mod token;
mod token_error;
mod token_layer;
mod token_manager;
#[cfg(feature = "reqwest-middleware")]
mod token_middleware;
mod token_request;
mod token_type;
mod transport;
mod turn;

pub use answer::{Delivery, Failure, OAuthError, Temporary, Tokens, classify, clock_offset_milliseconds};
pub use api_request::ApiRequest;
pub use authorization::{Authorization, AuthorizationError};
pub use blocking::BlockingTokenManager;
pub use credential::{Access, Credential, Narrowed, Version};
pub use credential_file::CredentialError;
pub use demand::{Demand, Jitter, Proof, Renewal};
pub use device_authorization::{DeviceAuthorization, DeviceAuthorizationError};
pub use dpop::{Dpop, DpopKey};
pub use file_storage::FileStorage;
pub use issuer_identifier::{IssuerIdentifier, UrlError};
#[cfg(feature = "keyring")]
pub use keyring_storage::KeyringStorage;
pub use lineage::LineageId;
pub use loopback::LoopbackRedirect;
pub use memory_storage::MemoryStorage;
#[cfg(feature = "metrics")]
pub use metrics_observer::MetricsObserver;
pub use oauth_client::{Authentication, OAuthClient};
pub use observer::{Event, Observer};
pub use pending::Pending;
pub use plan::{LogInReason, Plan, Retry, plan};
pub use private_key_jwt::{AssertionAudience, PrivateKeyJwt};
pub use provider::{DiscoveryError, Provider};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::ReqwestTransport;
#[cfg(feature = "keyring")]
pub use sealed_credential::SealError;
pub use storage::{Storage, StorageError, StorageLock, Swap};
pub use target::Target;
pub use timer::{Timer, TokioTimer};
pub use token::{AccessToken, RefreshToken};
pub use token_error::TokenError;
pub use token_layer::{TokenLayer, TokenService, TokenServiceError};
pub use token_manager::{LogOut, TokenManager};
#[cfg(feature = "reqwest-middleware")]
pub use token_middleware::{NotSentAgain, TokenMiddleware};
pub use token_type::TokenType;
pub use transport::{RESPONSE_BYTES_MAX, RequestBody, Transport, TransportError};
