//! Chromium logs in at the program, and runs the example app.

mod account;
mod browser_app;
mod chromium;
mod consent;
mod log_in;
mod log_out;
mod other_origins;
mod pages;
#[expect(dead_code, reason = "the tests of the binary ask for more of it")]
#[path = "../binary/program.rs"]
mod program;
mod scene;
mod site;
mod webdriver;
