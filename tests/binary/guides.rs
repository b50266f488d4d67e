//! The guides, line by line, as a reader would type them.

use serde_json::Value;

use crate::curl::bash;
use crate::program::{Program, binary, fresh_data};

const ADMINISTER: &str = include_str!("../../docs/guides/administer.md");
const LOG_IN: &str = include_str!("../../docs/guides/log-in-with-a-browser.md");

/// The shell lines of a guide.
fn lines(guide: &str) -> String {
    let blocks = guide.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a block ends")).collect()
}

#[test]
fn the_guide_to_the_login_does_what_it_says() {
    let (parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let script = lines(LOG_IN).replace("http://127.0.0.1:8080", &program.url);
    let told = bash(&format!("cd {} && {script}\necho; echo \"$BACK\"", parent.path().display()));
    let split = |text: &str, at: char| {
        let (before, after) = text.split_once(at).unwrap_or_else(|| panic!("{told}"));
        (before.to_owned(), after.to_owned())
    };
    let json =
        |members: &str| -> Value { serde_json::from_str(&format!("{members}}}")).unwrap_or_else(|_| panic!("{told}")) };

    let (userinfo, rest) = split(&told, '}');
    let userinfo = json(&userinfo);
    assert_eq!((&userinfo["name"], &userinfo["email"]), (&"Brent Shaffer".into(), &Value::Null), "{told}");
    let (refreshed, rest) = split(&rest, '}');
    let refreshed = json(&refreshed);
    assert_eq!(refreshed["scope"], "openid profile offline_access read", "{told}");
    let (after_logout, back) = split(&rest, '\n');
    assert_eq!(after_logout, "http://127.0.0.1:9999/?state=bye", "{told}");
    assert!(back.contains("code=rgc_") && back.contains("state=af0ifjsldkj") && back.contains("iss=http"), "{told}");
}

#[test]
fn every_line_of_the_guide_to_administration_does_what_it_says() {
    let (parent, _) = fresh_data();
    let _server = Program::start(&parent.path().join("regrant-data"), &[]);
    let programs = binary().parent().expect("a program lies in a directory").display().to_string();
    let script = lines(ADMINISTER);
    assert!(script.lines().count() > 30, "{script}");
    let told = bash(&format!(
        "cd {}; export PATH={programs}:$PATH; set -euo pipefail; {script}\necho done",
        parent.path().display()
    ));
    assert!(told.ends_with("\ndone\n") || told == "done\n", "{told}");
    for part in ["photos", "alice", "verdict", "malformed", "master", "ok    database"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for made in ["photos.secret", "copy.db", "regrant.bash", "man1/regrant-client-add.1"] {
        assert!(parent.path().join(made).metadata().is_ok_and(|file| file.len() > 0), "{made}");
    }
}
