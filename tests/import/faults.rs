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
            1,
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
        let problems = report["problems"].to_string();
        assert_eq!(count(&report, "refresh tokens", "taken_over"), 8, "{what}: {report}");
        assert_eq!(count(&report, kind, "broken"), broken, "{what}: {report}");
        assert!(place.iter().all(|part| problems.contains(part)), "{what}: {problems}");
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
        (&east, &["--on-error", "skip"], 0, "in the future"),
        (&west, &[], 1, "is --timezone right"),
        (&west, &["--timezone", "UTC"], 0, "is --timezone right"),
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
