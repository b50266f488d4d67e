//! `regrant bench`: a short load from end to end. How fast it is says nothing here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{Program, binary, fresh_data};

/// A directory on the disk of the build: a temporary one may be in memory, which `bench` refuses.
fn on_disk(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).expect("a test may write where it was built");
    path
}

/// The lines of JSON that a short measurement prints.
fn measure(arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(binary());
    command.args(["bench", arguments[0], "--seconds", "1", "--warm-up", "0", "--chains", "2", "--json"]);
    let ended = Program::spawn(command.args(&arguments[1..])).wait();
    assert!(ended.status.success(), "{}", ended.stderr);
    ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[track_caller]
fn assert_good(load: &Value) {
    assert!(load["good"].as_u64() > Some(0) && load["failed"] == 0, "{load}");
}

#[test]
fn a_refresh_is_measured_from_an_empty_directory_to_the_table_and_nothing_is_left() {
    let directory = on_disk("bench-refresh");
    let lines = measure(&["refresh", "--access-token", "opaque", "--directory", directory.to_str().unwrap()]);
    assert!(lines[0]["sync_in_place_p50_microseconds"].as_f64() > Some(0.0), "{}", lines[0]);
    let loads: Vec<&Value> = lines.iter().filter(|line| line["load"].is_string()).collect();
    let shown: Vec<(&str, u64)> =
        loads.iter().map(|load| (load["load"].as_str().unwrap(), load["chains"].as_u64().unwrap())).collect();
    assert_eq!(shown, [("hello", 2), ("refresh", 2), ("refresh", 2), ("refresh", 1)]);
    [0, 1, 3].iter().for_each(|&load| assert_good(loads[load]));
    assert!(loads[1]["server_cpu_microseconds"].as_f64() > Some(0.0), "{}", loads[1]);
    assert!(loads[2]["rate"].as_f64() > Some(0.0), "{}", loads[2]);
    let goals: Vec<&str> = lines.iter().filter_map(|line| line["goal"].as_str()).collect();
    assert!(goals.contains(&"refreshes a second, opaque") && goals.contains(&"resident memory at rest"), "{goals:?}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "the directory of a measurement goes with it");
}

#[test]
fn one_token_that_is_used_at_once_has_one_successor() {
    let directory = on_disk("bench-at-once");
    let lines = measure(&["at-once", "--directory", directory.to_str().unwrap()]);
    let goal = lines.iter().find(|line| line["goal"] == "successors of a token used at once").expect("it is measured");
    assert_eq!((goal["measured"].as_f64(), &goal["met"]), (Some(1.0), &Value::from("reach")), "{lines:?}");
}

#[test]
fn what_each_of_many_grants_takes_is_told() {
    let directory = on_disk("bench-grants");
    let directory = directory.to_str().unwrap();
    let lines = measure(&["refresh", "--access-token", "opaque", "--grants", "2000", "--directory", directory]);
    let goal = |what: &str| lines.iter().find(|line| line["goal"] == what).and_then(|goal| goal["measured"].as_f64());
    let bytes = goal("bytes of a grant with all indexes").expect("it is measured");
    // The secrets alone, and what a table and two indexes add to a row and their keys; few grants leave pages half empty.
    assert!((64.0..1_000.0).contains(&bytes), "{bytes}");
    assert!(goal("start to first answer, with other grants") > Some(0.0), "{lines:?}");
    assert_eq!(goal("requests at 70 % of the peak that failed"), Some(0.0), "{lines:?}");
}

#[test]
fn every_other_load_is_answered() {
    let directory = on_disk("bench-others");
    for load in ["exchange", "client-credentials", "introspect", "revoke"] {
        let lines = measure(&[load, "--supply", "300", "--directory", directory.to_str().unwrap()]);
        let measured = lines.iter().find(|line| line["load"] == load).unwrap_or_else(|| panic!("{load}: {lines:?}"));
        assert_good(measured);
    }
}

#[test]
fn a_server_that_runs_already_is_measured_at_its_url() {
    let (folder, data) = fresh_data();
    let server = Program::start(&data, &[]);
    let [secret, password] = [("secret", "TestSecret"), ("password", "brent123")].map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    });
    let url = format!("{}/token", server.url);
    let client = ["--client-id", "TestClient", "--secret-file", &secret, "--basic"];
    let user = ["--username", "bshaffer", "--password-file", &password];
    let lines = measure(&[&["refresh", "--url", &url], &client[..], &user[..]].concat());
    assert_good(&lines[0]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let credentials = measure(&[&["client-credentials", "--url", &url], &client[..]].concat());
    assert_good(&credentials[0]);
}
