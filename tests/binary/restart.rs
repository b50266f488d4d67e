//! Stopping, being killed, and starting again.

use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread::spawn;

use crate::curl::{log_in, refresh, run};
use crate::program::{Program, fresh_data};

#[test]
fn after_kill_9_the_last_refresh_token_works_on_another_port() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let first = log_in(&program.url).refresh_token();
    let second = refresh(&program.url, &first).refresh_token();
    let old = program.url.clone();
    // The old port stays taken, so that the system gives another one.
    program.kill();
    let _taken = TcpListener::bind(old.trim_start_matches("http://"));

    let program = Program::start(&data, &[]);
    assert_ne!(program.url, old);
    assert_eq!(refresh(&program.url, &first).refresh_token(), second, "a retry across the crash");
    refresh(&program.url, &second).refresh_token();
    refresh(&program.url, &first).assert_invalid_grant();
}

#[test]
fn a_client_that_is_refreshing_while_the_program_is_killed_loses_nothing() {
    const REFRESHES_BEFORE_THE_KILL: usize = 12;
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let url = program.url.clone();
    let (answered, answers) = channel();
    let client = spawn(move || {
        let mut token = log_in(&url).refresh_token();
        loop {
            let form = format!("grant_type=refresh_token&refresh_token={token}");
            let answer = run(&format!("curl -u TestClient:TestSecret {url}/token -d '{form}'"));
            if answer.status != 200 {
                return token;
            }
            token = answer.refresh_token();
            // The test stops listening before it kills.
            let _ = answered.send(());
        }
    });
    answers.iter().take(REFRESHES_BEFORE_THE_KILL).for_each(drop);
    program.kill();
    let last = client.join().expect("the client ends when nobody answers");
    let program = Program::start(&data, &[]);
    refresh(&program.url, &last).refresh_token();
}

#[test]
fn sigterm_ends_the_program_with_0() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let token = log_in(&program.url).refresh_token();
    let ended = program.terminate();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let program = Program::start(&data, &[]);
    refresh(&program.url, &token).refresh_token();
}

#[test]
fn the_clients_have_the_settings_of_the_last_start() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &["--retry-window", "0", "--access-lifetime", "60"]);
    assert_eq!(log_in(&program.url).json["expires_in"], 60);
    program.terminate();
    let program = Program::start(&data, &[]);
    let login = log_in(&program.url);
    assert_eq!(login.json["expires_in"], 3600);
    let second = refresh(&program.url, &login.refresh_token()).refresh_token();
    assert_eq!(refresh(&program.url, &login.refresh_token()).refresh_token(), second);
}
