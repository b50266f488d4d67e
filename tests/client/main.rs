//! The token manager against the real server: what it must never lose, and never send.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clock;
mod concurrency;
mod crash;
mod full_disk;
mod keyring;
mod log;
mod login;
mod lost_answers;
mod oidc_provider;
mod processes;
mod race;
mod scene;
mod silence;
mod socket;
mod token_layer;
mod token_middleware;
mod verdicts;
mod way;
