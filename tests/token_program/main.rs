//! The program `regrant-token` as its users have it: a process of its own, that logs in at a server of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aws;
mod browser;
mod desk;
mod docker;
mod doctor;
mod elsewhere;
mod ends;
mod exec;
mod files;
mod foreign;
mod get;
mod git;
mod guide;
mod keyring;
mod kubectl;
mod login;
mod no_space;
mod oidc_provider;
mod processes;
#[expect(dead_code, reason = "the tests of the binary ask for more of it")]
#[path = "../binary/program.rs"]
mod program;
mod refusals;
mod secrets;
mod sessions;
#[expect(dead_code, reason = "the tests of the library ask for more of it")]
#[path = "../client/socket.rs"]
mod socket;
mod stand_in;
mod words;
