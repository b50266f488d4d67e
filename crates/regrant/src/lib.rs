//! An OAuth 2.1 / OpenID Connect authorization server to embed, built around the refresh token: an honest client is never
//! logged out by an accident, and a thief never stays in.
//!
//! A [`Server`] is opened once in a process, and answers by its router for as long as the process runs:
//!
//! ```
//! use regrant::{ClientId, Secrecy, Server, SiteOptions, public_client};
//!
//! # async fn example(data: &std::path::Path) -> Result<axum::Router, Box<dyn std::error::Error>> {
//! let server = Server::builder("https://id.example").sqlite(data).open().await?;
//!
//! let app = public_client(&["https://app.example/callback"], "openid profile")?;
//! server.keep_client(&ClientId::parse("app")?, Secrecy::Public, app).await?;
//!
//! let site = server.site(SiteOptions::default());
//! let app = axum::Router::new()
//!     .route("/", axum::routing::get(|| async { "Hello!" }))
//!     .merge(server.router(&site));
//! # Ok(app)
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(example(&folder.path().join("regrant-data")))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a program may bring of its own:
//!
//! - **users and a login page**: name a [`LoginPage`] in [`SiteOptions`], and end its handler with [`Site::log_in_as`], which
//!   says who the user is; [`KnownUser`] is all that the server learns about them;
//! - **claims** in access tokens, asked for at every issue and refresh: a [`ClaimsHook`];
//! - **metrics, audit, alarms**: an [`Observer`] hears of everything that happens;
//! - **a store**: implement [`store::Store`], and let it pass [`store`]'s suite (feature `store-suite`);
//! - **an API**: [`Server`] tells by [`AuthorizationServer::inspect`] whether a bearer's access token is good.
//!
//! # Features
//!
//! - `axum` (default): the endpoints and pages as a router, [`Site`].
//! - `sqlite` (default): the store in one file, in a data directory with its key file and lock.
//! - `postgres`: the store of any number of servers, by `NeedsStore::postgres`; each has a data directory with the same key file.
//! - `store-suite`: the tests that every store must pass.
//!
//! # What to know before going live
//!
//! - The issuer is https, but for trying on one machine. TLS is the program's own, or a proxy's before it.
//! - Nothing between client and server repeats a POST, or holds one for longer than 10 s. An accept loop that knows better than
//!   the handler when a request began, or from where it came, says so with the request extensions [`FirstByte`] and axum's
//!   `ConnectInfo<SocketAddr>`; without the latter all failed attempts count for one address.
//! - Back up the key file and the database: each is useless without the other.

mod builder;
mod client;
mod following;
mod server;
mod sweeping;

#[cfg(feature = "postgres")]
pub mod postgres;
pub mod store;

pub use builder::{Builder, NeedsStore, StartError};
pub use client::{ClientError, confidential_client, public_client};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use regrant_data_directory::{DataDirectory, DataDirectoryError};
pub use server::Server;

// All that the methods of `AuthorizationServer`, the events and the pages name, beside what is named below.
pub use regrant_engine as engine;
#[cfg(feature = "axum")]
pub use regrant_pages as pages;
pub use regrant_protocol as protocol;

// What hooks and stores are written with.
pub use async_trait::async_trait;
pub use serde_json;

pub use regrant_crypto::{ClientSecret, KeyRing};
pub use regrant_engine::{
    AuthorizationServer, Browser, BrowserError, CLAIMS_SECONDS_MAX, ClaimsHook, ClaimsProblem, ClaimsRequest,
    ClaimsUnavailable, Event, Happening, Hooks, Kept, KnownUser, LogInOutcome, LoginProblem, Next, Observer, Refusal,
    RegistrationError, RequestContext, RequestId, SESSION_SECONDS, Secrecy, Step, TokenError,
};
pub use regrant_grant::{
    GrantId, OldAccessTokens, OnReuse, Policy, RedeemVerdict, RotationMode, ScopeNarrowing, Verdict,
};
#[cfg(feature = "axum")]
pub use regrant_http::{
    Caller, Dialect, Dialects, FirstByte, LoginPage, LoginPageError, Site, SiteOptions, Visitor, dialect,
};
#[cfg(feature = "axum")]
pub use regrant_pages::{Accent, Brand, Color, Logo, ScopeWords};
pub use regrant_protocol::{
    ActiveToken, ClientId, GrantType, Issuer, Lifetime, Params, Profile, RedirectUri, Resources, Scope, Secret,
    Subject, Timestamp, TokenEndpointAuthMethod, Username, WebOrigin,
};
pub use regrant_store::{AccessTokenFormat, ClientSettings, ConsentMode, IdTokenAlgorithm, OutlivesSession};
