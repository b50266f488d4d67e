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
//! [`TestServer`] is the real authorization server on the real store, with a clock that the test moves and randomness
//! that repeats itself; its router is called without a socket. Every [`Answer`] was checked for what must hold
//! everywhere before the test sees it: `invariants.rs`.

mod answer;
mod client;
mod fault;
mod invariants;
mod jwt;
mod request;
mod server;
mod token_text;

pub use answer::Answer;
pub use client::{ClientBuilder, TestClient};
pub use fault::{Fault, FaultyStore};
pub use jwt::unverified_claims;
pub use request::Request;
pub use server::{PASSWORD, START_SECONDS, Setup, TestServer, USERNAME};
pub use token_text::{flipped, with_bytes};
