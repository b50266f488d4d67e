//! The stand-ins: each answers as its system does, by the cases in `docs/stand-ins/*.toml`. What the notation means is told
//! in `docs/stand-ins/README.md`.

mod browser;
mod case;
mod counts;
mod curl;
mod expected;
mod in_process;
mod memory;
mod message;
mod pages;
mod pattern;
#[expect(dead_code, reason = "the tests of the binary ask for more of it")]
#[path = "../binary/program.rs"]
mod program;
mod scene;
mod selection;
mod system;
mod wire;

use crate::scene::run_cases;

#[test]
fn regrant_answers_as_oauth2_server_php() {
    run_cases("bshaffer");
}

#[test]
fn regrant_answers_as_redcore() {
    run_cases("redcore");
}

#[test]
fn regrant_answers_as_wso2_identity_server() {
    run_cases("wso2");
}

#[test]
fn regrant_answers_as_dotauth() {
    run_cases("dotauth");
}

#[test]
fn regrant_answers_as_jiko() {
    run_cases("jiko");
}
