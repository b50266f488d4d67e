//! What is wrong with a source is told in one line, with table and key, and nothing half-done is left.

use std::fs;

use crate::bshaffer::{ROTATES, SCHEMA, ZONE, database, refresh_row};
use crate::old_database::{DAY, HOUR, token, wall};
use crate::site::{Site, count, post, sqlite};

#[test]
fn a_source_that_is_none_is_told_and_nothing_is_made() {
    let site = Site::new("bshaffer", "");
    fs::write(site.path("notes.txt"), "hello").expect("the folder is ours");
    let clients_only = "CREATE TABLE oauth_clients (client_id TEXT, client_secret TEXT, redirect_uri TEXT, grant_types TEXT, scope TEXT);";
    let older = SCHEMA.replace("grant_types VARCHAR(80), ", "");
    sqlite(&site.path("clients.sqlite"), clients_only);
    sqlite(&site.path("older.sqlite"), &older);
    sqlite(&site.path("good.sqlite"), SCHEMA);
    let path = |name: &str| site.path(name).display().to_string();
    let (nowhere, notes) = (path("nowhere.sqlite"), path("notes.txt"));
    let (clients, older, good) = (path("clients.sqlite"), path("older.sqlite"), path("good.sqlite"));
    let refused = "mysql://oauth@127.0.0.1:1/old";
    for (system, from, arguments, parts) in [
        ("bshaffer", &*nowhere, &[][..], &["nowhere.sqlite", "check the path"][..]),
        ("bshaffer", &*notes, &[], &["notes.txt"]),
        ("bshaffer", &*clients, &[], &["no table oauth_refresh_tokens", "oauth_clients", "oauth2-server-php 1.0"]),
        ("bshaffer", &*older, &[], &["oauth_clients", "no column grant_types", "oauth2-server-php 1.0"]),
        ("wso2", &*good, &[], &["IDN_OAUTH_CONSUMER_APPS", "WSO2 Identity Server 5.1"]),
        ("bshaffer", &*good, &["--timezone", "Europe/Berln"], &["Europe/Berln", "date.timezone"]),
        ("wso2", &*good, &["--timezone", "UTC"], &["--timezone says nothing about wso2"]),
        ("bshaffer", refused, &[], &["cannot connect to mysql://oauth@127.0.0.1:1/old"]),
        ("bshaffer", "mysql://oauth:hunter2@127.0.0.1:1/old", &[], &["has a password in it"]),
        ("bshaffer", "oracle://x/y", &[], &["oracle://", "postgres://"]),
    ] {
        let told = site.import(system, from, arguments);
        assert_eq!(told.code, 1, "{from}: {}", told.stdout);
        for part in parts {
            assert!(told.stderr.contains(part), "{from}: {part:?} is not in {:?}", told.stderr);
        }
        assert!(!told.stderr.contains("hunter2") && told.stdout.is_empty(), "{from}: {}", told.stdout);
        assert!(!site.data().exists(), "{from}: nothing is made");
    }
}

/// What is broken, its row, its kind, how many of that are left behind where it is skipped, and where it is said to be.
fn broken_rows() -> [(&'static str, String, &'static str, u64, [&'static str; 2]); 5] {
    let day = wall(DAY, -5);
    let token =
        |name: &str, user: &str, expires: &str, scope: &str| refresh_row(name, "testclient", user, expires, scope);
    [
        (
            "a date that is none",
            token("no date", "'bshaffer'", "soon", "NULL"),
            "refresh tokens",
            1,
            ["oauth_refresh_tokens", "column expires"],
        ),
        (
            "a scope that is none",
            token("no scope", "'bshaffer'", &day, "'ba\"sic'"),
            "refresh tokens",
            1,
            ["oauth_refresh_tokens", "column scope"],
        ),
        (
            "bytes that are no UTF-8",
            token("no text", "CAST(x'ff' AS TEXT)", &day, "NULL"),
            "refresh tokens",
            1,
            ["oauth_refresh_tokens", "column user_id"],
        ),
        (
            "a client that breaks a rule",
            format!("INSERT INTO oauth_clients VALUES ('long', '{}', '', NULL, NULL, NULL);", "x".repeat(1025)),
            "clients",
            1,
            ["oauth_clients", "column secret"],
        ),
        (
            "a password that is none",
            "INSERT INTO oauth_users VALUES ('eve', 'plain text', '', '', '', 0, NULL);".to_owned(),
            "users",
            0,
            ["oauth_users", "column password"],
        ),
    ]
}

#[test]
fn a_broken_row_stops_everything_or_is_skipped_alone() {
    for (what, row, kind, broken, place) in broken_rows() {
        let site = Site::new("bshaffer", ROTATES);
        let from = sqlite(&site.path("old.sqlite"), &(database() + &row));
        for dry in [true, false] {
            let arguments: &[&str] = if dry { &["--timezone", ZONE, "--dry-run"] } else { &["--timezone", ZONE] };
            let told = site.import("bshaffer", &from, arguments);
            assert_eq!(told.code, 1, "{what}");
            for text in [&told.stdout, &told.stderr] {
                assert!(place.iter().all(|part| text.contains(part)), "{what}: {place:?} is not in {text}");
                assert!(!text.contains(&token("no date")) && !text.contains("plain text"), "{what}: {text}");
            }
            assert!(told.stderr.contains("--on-error skip"), "{what}: {}", told.stderr);
            assert!(!site.data().join("regrant.db").exists(), "{what}: nothing is made");
        }
        let report = site.report("bshaffer", &from, &["--timezone", ZONE, "--on-error", "skip"]);
        let told = report["problems"].to_string() + &report["remarks"].to_string();
        assert_eq!(count(&report, "refresh tokens", "taken_over"), 8, "{what}: {report}");
        assert_eq!(count(&report, kind, "broken"), broken, "{what}: {report}");
        assert!(place.iter().all(|part| told.contains(part)), "{what}: {told}");
        let program = site.serve();
        let form = format!("grant_type=refresh_token&refresh_token={}", token("live"));
        post(&format!("{}/token", program.url), "testclient:testpass", &form).member("refresh_token");
    }
}

#[test]
fn a_wrong_time_zone_is_noticed() {
    // Nine hours east, read as UTC: everything would have been issued in the future, and the dead would live.
    let east = format!(
        "{SCHEMA} INSERT INTO oauth_clients VALUES ('testclient', 'testpass', '', NULL, NULL, NULL);
         INSERT INTO oauth_access_tokens VALUES ('{}', 'testclient', 'bshaffer', '{}', NULL);
         {}",
        token("access"),
        wall(HOUR, 9),
        refresh_row("expired for hours", "testclient", "'bshaffer'", &wall(-4 * HOUR, 9), "NULL")
    );
    // Five hours west, read as UTC: nobody would have used the server for hours.
    let west = format!(
        "{SCHEMA} INSERT INTO oauth_clients VALUES ('testclient', 'testpass', '', NULL, NULL, NULL);
         INSERT INTO oauth_access_tokens VALUES ('{}', 'testclient', 'bshaffer', '{}', NULL);
         {}",
        token("access"),
        wall(HOUR, -5),
        refresh_row("live", "testclient", "'bshaffer'", &wall(DAY, -5), "NULL")
    );
    for (database, arguments, code, part) in [
        (&east, &[][..], 1, "is --timezone right?"),
        (&east, &["--timezone", "UTC"], 1, "in the future"),
        (&east, &["--timezone", "Etc/GMT-9"], 0, ""),
        (&east, &["--on-error", "skip"], 1, "in the future"),
        (&east, &["--accept-clock"], 0, "in the future"),
        (&west, &[], 1, "is --timezone right"),
        (&west, &["--timezone", "UTC"], 1, "go on with --accept-clock"),
        (&west, &["--timezone", "UTC", "--dry-run"], 1, "would stop here"),
        (&west, &["--timezone", "UTC", "--accept-clock"], 0, "is --timezone right"),
        (&west, &["--timezone", "Etc/GMT+5"], 0, ""),
    ] {
        let site = Site::new("bshaffer", "");
        let from = sqlite(&site.path("old.sqlite"), database);
        let told = site.import("bshaffer", &from, arguments);
        assert_eq!(told.code, code, "{arguments:?}: {}{}", told.stdout, told.stderr);
        assert!((told.stdout + &told.stderr).contains(part), "{arguments:?}: {part:?}");
        assert_eq!(site.data().join("regrant.db").exists(), code == 0, "{arguments:?}");
    }
}

#[test]
fn a_key_that_is_no_text_takes_nothing_else_with_it() {
    let site = Site::new("bshaffer", ROTATES);
    // The last of its table, as bytes beyond ASCII are.
    let latin = "INSERT INTO oauth_clients VALUES (CAST(x'6aff' AS TEXT), 'secret', '', NULL, NULL, NULL);";
    let from = sqlite(&site.path("old.sqlite"), &(database() + latin));
    let told = site.import("bshaffer", &from, &["--timezone", ZONE]);
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stderr.contains(r#"oauth_clients "x'6AFF'", column client_id: it is no UTF-8"#), "{}", told.stderr);
    let report = site.report("bshaffer", &from, &["--timezone", ZONE, "--on-error", "skip"]);
    for (kind, taken_over, broken) in [("clients", 3, 1), ("refresh tokens", 8, 0), ("access tokens", 3, 0)] {
        assert_eq!(
            (count(&report, kind, "taken_over"), count(&report, kind, "broken")),
            (taken_over, broken),
            "{report}"
        );
    }
}

#[test]
fn tokens_go_on_whose_user_has_no_password_or_name_that_can_be_read() {
    let site = Site::new("bshaffer", ROTATES);
    let mut sql = database();
    for (user, password, name) in [
        ("md5", "'5f4dcc3b5aa765d61d8327deb882cf99'", "''"),
        ("latin", &*format!("'{}'", "a".repeat(40)), "CAST(x'4afc' AS TEXT)"),
    ] {
        sql.push_str(&format!("INSERT INTO oauth_users VALUES ('{user}', {password}, {name}, '', '', 0, NULL);"));
        sql.push_str(&refresh_row(user, "testclient", &format!("'{user}'"), &wall(DAY, -5), "NULL"));
    }
    let from = sqlite(&site.path("old.sqlite"), &sql);
    let arguments = ["--timezone", ZONE, "--on-error", "skip"];
    let rehearsed = site.report("bshaffer", &from, &[&arguments[..], &["--dry-run"]].concat());
    let report = site.report("bshaffer", &from, &arguments);
    assert_eq!(rehearsed["rows"], report["rows"], "a rehearsal counts what is done");
    assert_eq!(rehearsed["users_made_for_tokens"], report["users_made_for_tokens"]);
    assert_eq!((count(&report, "users", "taken_over"), count(&report, "refresh tokens", "taken_over")), (3, 10));
    let remarks = report["remarks"].to_string();
    for part in ["md5\\\": they have no password here: column password", "latin\\\": the column first_name is left out"]
    {
        assert_eq!(remarks.matches(part).count(), 1, "{part}: {remarks}");
    }
    let program = site.serve();
    for user in ["md5", "latin"] {
        let form = format!("grant_type=refresh_token&refresh_token={}", token(user));
        post(&format!("{}/token", program.url), "testclient:testpass", &form).member("refresh_token");
    }
}

#[test]
fn the_report_for_people_is_whole_and_speaks_of_one_as_of_one() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    for arguments in [&["--timezone", ZONE, "--dry-run"][..], &["--timezone", ZONE]] {
        let text = site.import("bshaffer", &from, arguments).stdout;
        for line in [
            "- access tokens: 1 of no user: its client gets another by itself\n",
            "- refresh tokens: 1 expired\n",
            "3 users whom only tokens name, made without a password\n",
            "1 refresh token that would never have ended: it ends with",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
        assert!(!text.contains('…') && !text.contains("stand_in"), "the configuration says it: {text}");
        assert!(!text.contains("does not look into it"), "{text}");
    }
    let again = site.import("bshaffer", &from, &["--timezone", ZONE, "--dry-run"]).stdout;
    assert!(again.contains("a rehearsal does not look into it"), "{again}");
}
