//! The tests that span crates, and the harness that lets them read like scripts.
//!
//! ```no_run
//! # async fn script() {
//! use regrant_tests::TestServer;
//!
//! let server = TestServer::start().await;
//! let app = server.confidential("TestClient").register().await;
//! let first = app.log_in().await.refresh_token();
//! let second = app.refresh(&first).send().await.refresh_token();
//! server.clock.advance_seconds(3600);
//! app.refresh(&first).send().await.assert_refresh_token(&second);
//! # }
//! ```
//!
//! What people do with a browser:
//!
//! ```no_run
//! # async fn script() {
//! use regrant_tests::TestServer;
//!
//! let server = TestServer::start().await;
//! let app = server.public("TestApp").openid().redirect_uris(&["https://app.example/cb"]).register().await;
//! let mut browser = server.user_agent();
//! let request = app.authorization().with("scope", "openid profile");
//! let page = browser.reach_consent(&request).await.assert_consent_page();
//! let code = browser.allow(&page).await.redirect().code();
//! app.redeem(&code).send().await.assert_ok();
//! browser.authorize(&request.with("prompt", "none")).await.redirect();
//! # }
//! ```
//!
//! [`TestServer`] is the real authorization server on the real store, with a clock that the test moves and randomness
//! that repeats itself; its router is called without a socket. Every [`Answer`] was checked for what must hold
//! everywhere before the test sees it: `invariants.rs`.

mod answer;
mod authorization;
mod client;
mod fault;
mod html;
mod invariants;
mod jwt;
mod key_file;
mod leak;
mod request;
mod server;
mod token_text;
mod user_agent;

pub use answer::Answer;
pub use authorization::{AuthorizationRequest, CHALLENGE, Redirect, VERIFIER};
pub use client::{ClientBuilder, TestClient};
pub use fault::{Fault, FaultyStore};
pub use html::Form;
pub use jwt::unverified_claims;
pub use key_file::TestKeyFile;
pub use leak::{secret_in, token_in};
pub use request::{Request, at_once};
pub use server::{PASSWORD, START_SECONDS, Setup, TestServer, USERNAME};
pub use token_text::{flipped, with_bytes};
pub use user_agent::UserAgent;
