use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::curl::{log_in, refresh};
use crate::program::{Program, fresh_data};
use crate::serve::{Site, client};

use super::operator::{Operator, Told, WAYS, bare};

#[test]
fn a_backup_begins_where_the_store_was_and_replaces_nothing() {
    for is_served in WAYS {
        let mut operator = Operator::new(true);
        let first = log_in(operator.url()).refresh_token();
        let second = refresh(operator.url(), &first).refresh_token();
        if !is_served {
            operator.stop();
        }
        let told =
            operator.types(&["backup", "copy.db"]).ok().says(&["copy.db has", "was read back whole", "key file"]);
        assert_eq!(told.stdout, "");
        let copy = operator.folder().join("copy.db");
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        operator.types(&["backup", "copy.db"]).refused(1, &["is there already", "name another"]);
        operator.types(&["backup", "nowhere/copy.db"]).refused(1, &["nowhere/copy.db"]);
        let other = operator.asks(&["backup", "other.db"]);
        assert_eq!(other["bytes"], fs::metadata(operator.folder().join("other.db")).unwrap().len());

        let (_parent, restored) = fresh_data();
        fs::create_dir(&restored).unwrap();
        fs::set_permissions(&restored, Permissions::from_mode(0o700)).unwrap();
        fs::copy(&copy, restored.join("regrant.db")).unwrap();
        for name in ["master.key", "demo"] {
            fs::copy(operator.data.join(name), restored.join(name)).unwrap();
        }
        let server = Program::start(&restored, &[]);
        refresh(&server.url, &second).refresh_token();
    }
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_new_server_and_changes_nothing() {
    for is_served in WAYS {
        let operator = Operator::new(is_served);
        let told = operator.types(&["doctor"]).ok();
        assert!(
            told.stdout.lines().all(|line| line.starts_with("ok ") || line.contains("grant type password")),
            "{}",
            told.stdout
        );
        let checks = operator.asks(&["doctor"]);
        let names: Vec<&str> =
            checks["checks"].as_array().unwrap().iter().filter_map(|check| check["name"].as_str()).collect();
        for name in ["data directory", "clock", "disk", "key file", "database", "server", "keys", "clients"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
    }
}

#[test]
fn an_operator_says_that_the_clock_is_right_and_is_asked_first() {
    for is_served in WAYS {
        let when = if is_served { "within a minute" } else { "when the server runs" };
        let operator = Operator::new(is_served);
        operator.types(&["trust-clock"]).refused(1, &["as the clock of this machine says?", "say --yes"]);
        operator.types(&["trust-clock", "--yes"]).ok().says(&["the clock is taken for right", when]);
        if is_served {
            assert_eq!(operator.asks(&["trust-clock", "--yes"]), serde_json::Value::Null);
        }
    }
}

#[test]
fn the_doctor_fails_for_what_has_to_be_mended_and_says_how() {
    let operator = Operator::new(false);
    let (key_file, database) = (operator.data.join("master.key"), operator.data.join("regrant.db"));
    let fails = |parts: &[&str]| {
        let told = operator.types(&["doctor"]);
        assert_eq!(told.code, Some(1), "{}", told.stdout);
        told.shows(parts).says(&["failed"]);
    };
    fs::set_permissions(&operator.data, Permissions::from_mode(0o755)).unwrap();
    fails(&["fail  data directory", "run: chmod 700"]);
    fs::set_permissions(&operator.data, Permissions::from_mode(0o700)).unwrap();

    let keys = fs::read(&key_file).unwrap();
    fs::remove_file(&key_file).unwrap();
    fails(&["fail  key file", "restore the key file"]);
    assert!(!key_file.exists());
    fs::write(&key_file, "pepper = sesame\n").unwrap();
    fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
    fails(&["fail  key file", "line 1"]);
    fs::write(&key_file, keys).unwrap();

    let good = fs::read(&database).unwrap();
    let mut torn = good.clone();
    let middle = torn.len() / 2;
    torn[middle..].fill(0);
    fs::write(&database, &torn).unwrap();
    fails(&["fail  database", "restore a backup"]);
    assert_eq!(fs::read(&database).unwrap(), torn, "it is looked at, and not opened");
    fs::write(&database, good).unwrap();
    operator.types(&["doctor"]).ok();
}

#[test]
fn the_doctor_looks_at_the_configuration_and_at_the_certificate_of_the_server() {
    let site = Site::new();
    site.start().terminate();
    let folder = site.path("");
    let told = Told::of(bare(&["doctor"], &folder).output()).ok();
    told.shows(&["ok    configuration   it is good, for https://id.example", "none runs; the store can be opened"]);

    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["other.example".to_owned()]).unwrap();
    fs::write(site.path("tls.crt"), cert.pem()).unwrap();
    fs::write(site.path("tls.key"), signing_key.serialize_pem()).unwrap();
    site.configure("", &format!("[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n{}", client("app")));
    let told = Told::of(bare(&["doctor"], &folder).output());
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    told.shows(&["fail  certificate     it is not for id.example", "but for: other.example"]).says(&["1 check failed"]);
    fs::write(site.path("regrant.toml"), "[server]\nisuer = \"x\"\n").unwrap();
    let told = Told::of(bare(&["doctor"], &folder).output());
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    told.shows(&["fail  configuration", "did you mean issuer"]);
}

#[test]
fn what_is_wrong_with_a_token_is_said_in_a_sentence_without_the_token() {
    for is_served in WAYS {
        let mut operator = Operator::new(true);
        let first = log_in(operator.url()).refresh_token();
        let second = refresh(operator.url(), &first).refresh_token();
        let third = refresh(operator.url(), &second).refresh_token();
        if !is_served {
            operator.stop();
        }
        for (token, verdict) in
            [(&first, "reuse_detected"), (&third, "rotated"), (&"rgr_nonsense".to_owned(), "malformed")]
        {
            let told = operator.pipes(&format!("{token}\n"), &["explain"]).ok().shows(&["verdict", verdict]);
            assert!(!told.stdout.contains(token.as_str()), "{}", told.stdout);
            let json = operator.pipes(token, &["explain", "--json"]).ok().json();
            assert_eq!(json["verdict"], verdict, "{json}");
        }
        operator.types(&["explain"]).refused(1, &["there is nothing on standard input"]);
        operator.pipes("0123456789abcdef", &["explain"]).refused(1, &["0123456789abcdef"]);
        let told =
            operator.types_on_terminal(&[("request id: ", &first)], &["explain"]).ok().shows(&["reuse_detected"]);
        assert!(!told.stdout.contains(&first), "{}", told.stdout);
        if !is_served {
            operator.start();
        }
        refresh(operator.url(), &third).refresh_token();
    }
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let told = Told::of(bare(&["completions", shell], folder.path()).output()).ok();
        told.shows(&["rotate-secret", "set-password", "redirect-uris"]);
    }
    Told::of(bare(&["completions", "tcsh"], folder.path()).output()).refused(2, &["tcsh"]);
    Told::of(bare(&["man", "nowhere"], folder.path()).output()).refused(1, &["nowhere"]);
    Told::of(bare(&["man", "."], folder.path()).output()).ok();
    for (page, part) in [
        ("regrant", "doctor"),
        ("regrant-client-add", "redirect"),
        ("regrant-grant-revoke", "client photos"),
        ("regrant-key-withdraw", "key set"),
        ("regrant-trust-clock", "clock"),
    ] {
        let page = fs::read_to_string(folder.path().join(format!("{page}.1"))).expect(page);
        assert!(page.replace('\\', "").contains(part), "{part}: {page}");
    }
}

#[test]
fn help_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    for command in
        [&["client", "--help"][..], &["user", "add", "--help"], &["grant", "revoke", "--help"], &["backup", "--help"]]
    {
        Told::of(bare(command, folder.path()).output()).ok().shows(&["Examples:\n  ", "regrant "]);
    }
}
