//! The program `regrant-token` as its users have it: a process of its own, that logs in at a server of its own.

mod aws;
mod browser;
mod desk;
mod docker;
mod doctor;
mod elsewhere;
mod ends;
mod exec;
mod files;
mod get;
mod git;
mod guide;
mod kubectl;
mod login;
mod no_space;
mod processes;
#[expect(dead_code, reason = "the tests of the binary ask for more of it")]
#[path = "../binary/program.rs"]
mod program;
mod refusals;
mod secrets;
#[expect(dead_code, reason = "the tests of the library ask for more of it")]
#[path = "../client/socket.rs"]
mod socket;
mod stand_in;
