//! The guide to taking over: its four steps as a reader would type them, and every other line of it as far as it is understood.

use std::process::Command;

use crate::bshaffer::database;
use crate::old_database::token;
use crate::program::{Program, binary};
use crate::site::{Site, post, sqlite};

const GUIDE: &str = include_str!("../../docs/guides/take-over.md");

fn blocks() -> Vec<&'static str> {
    let blocks = GUIDE.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a block ends")).collect()
}

#[test]
fn the_four_steps_do_what_they_say() {
    let folder = tempfile::tempdir().expect("a test may write temporary files");
    sqlite(&folder.path().join("oauth.sqlite"), &database());
    let programs = binary().parent().expect("a program lies in a directory").display().to_string();
    let [configure, rehearse, import, serve, ..] = blocks()[..] else { panic!("there are four steps") };
    for (step, told) in [(configure, ""), (rehearse, "WOULD BE"), (import, "")] {
        let script =
            format!("set -e; export PATH={programs}:$PATH; {step}").replace("127.0.0.1:8080\"]", "127.0.0.1:0\"]");
        // The database of the test is five hours west of UTC the whole year.
        let script = script.replace("America/New_York", crate::bshaffer::ZONE);
        let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output();
        let output = output.expect("there is a shell");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(told), "{step}: {text}");
    }
    let report = std::fs::read_to_string(folder.path().join("report.txt")).expect("it was written");
    assert!(report.contains("TAKEN OVER"), "{report}");
    let words: Vec<&str> = serve.split_whitespace().collect();
    let program = Program::run(Command::new(binary()).args(&words[1..]).current_dir(folder.path()));
    let form = format!("grant_type=refresh_token&refresh_token={}", token("live"));
    post(&format!("{}/token", program.url), "testclient:testpass", &form).member("refresh_token");
}

#[test]
fn every_other_line_is_understood() {
    let site = Site::new("bshaffer", "");
    for line in blocks()[4..].iter().flat_map(|block| block.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["regrant", "import"], "{line}");
        let output = Command::new(binary()).args(&words[1..]).current_dir(site.path("")).output();
        // The database is not there; a line that is not understood ends with 2.
        assert_eq!(output.expect("the program starts").status.code(), Some(1), "{line}");
    }
}
