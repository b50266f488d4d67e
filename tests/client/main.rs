//! The token manager against the real server: what it must never lose, and never send.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bearer_layer;
mod clock;
mod concurrency;
mod crash;
mod login;
mod lost_answers;
mod processes;
mod race;
mod scene;
mod socket;
mod verdicts;
mod way;
