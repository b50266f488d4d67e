//! Imports that are repeated, interrupted, or into a directory that is in use; and tokens that were used in between.

use std::fs;
use std::process::Stdio;

use crate::bshaffer::{DEAD, ROTATES, SCHEMA, ZONE, database, refresh_row};
use crate::old_database::{DAY, HOUR, token, utc, wall};
use crate::site::{Site, count, post, sqlite};

fn refresh(url: &str, token: &str) -> crate::site::Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    post(&format!("{url}/token"), "testclient:testpass", &form)
}

#[test]
fn an_import_that_is_repeated_adds_what_is_new_and_brings_nothing_back() {
    let site = Site::new("bshaffer", &format!("{ROTATES}[defaults]\nretry_window = 0\n"));
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    let program = site.serve();
    let next = refresh(&program.url, &token("live")).member("refresh_token");
    program.terminate();

    // The old server was started again, and gave out one token more.
    sqlite(&site.path("old.sqlite"), &refresh_row("later", "testclient", "'bshaffer'", &utc(DAY), "'basic'"));
    let report = site.report("bshaffer", &from, &["--timezone", ZONE]);
    for (kind, taken_over, known) in
        [("scopes", 0, 2), ("clients", 0, 3), ("users", 0, 1), ("refresh tokens", 1, 8), ("access tokens", 0, 3)]
    {
        assert_eq!(
            (count(&report, kind, "taken_over"), count(&report, kind, "known")),
            (taken_over, known),
            "{report}"
        );
    }
    assert_eq!(report["users_made_for_tokens"], 0, "{report}");

    let program = site.serve();
    refresh(&program.url, &token("later")).member("refresh_token");
    let third = refresh(&program.url, &next).member("refresh_token");
    // Whoever still has the token that was used before the import was repeated is a thief: the grant ends.
    let answer = refresh(&program.url, &token("live"));
    assert_eq!((answer.status, answer.body.as_str()), (400, DEAD));
    assert_ne!(refresh(&program.url, &third).status, 200, "reuse ended it");
}

#[test]
fn what_was_changed_here_stays_as_it_is_and_is_told() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    site.administer(&["client", "update", "testclient", "--name", "Renamed"]);
    site.administer(&["user", "update", "bshaffer", "--name", "Somebody Else"]);
    let report = site.report("bshaffer", &from, &["--timezone", ZONE]);
    let remarks = report["remarks"].to_string();
    for part in
        ["client testclient: it is here already, with other settings", "user bshaffer: the user is here already"]
    {
        assert!(remarks.contains(part), "{part:?} is not in {remarks}");
    }
    assert!(site.administer(&["client", "show", "testclient"]).contains("Renamed"));
    assert!(site.administer(&["user", "show", "bshaffer"]).contains("Somebody Else"));
}

#[test]
fn a_running_server_has_to_be_stopped_first() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    let program = site.serve();
    let told = site.import("bshaffer", &from, &["--timezone", ZONE]);
    assert_eq!(told.code, 1);
    assert!(told.stderr.contains("stop the server first"), "{}", told.stderr);
    assert_eq!(site.import("bshaffer", &from, &["--timezone", ZONE, "--dry-run"]).code, 0, "looking is no harm");
    program.terminate();
    site.report("bshaffer", &from, &["--timezone", ZONE]);
}

#[test]
fn an_import_that_was_killed_keeps_the_server_from_starting_until_it_has_been_run_again() {
    const TOKENS: usize = 60_000;
    const BYTES_OF_SOME_COMMITS: u64 = 1_000_000;
    let site = Site::new("bshaffer", ROTATES);
    let end = utc(DAY);
    let mut sql =
        format!("{SCHEMA} BEGIN; INSERT INTO oauth_clients VALUES ('testclient', 'testpass', '', NULL, NULL, NULL);");
    for number in 0..TOKENS {
        sql.push_str(&refresh_row(&number.to_string(), "testclient", "'alice'", &end, "NULL"));
    }
    sql.push_str("COMMIT;");
    let from = sqlite(&site.path("old.sqlite"), &sql);
    let mut importing = site.command("bshaffer", &from, &["--timezone", "UTC"]);
    let mut child = importing.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let unfinished = site.data().join("import-unfinished");
    let database = site.data().join("regrant.db");
    while !(unfinished.exists() && database.metadata().is_ok_and(|file| file.len() > BYTES_OF_SOME_COMMITS)) {
        assert!(child.try_wait().expect("it is ours").is_none(), "it ended before it could be killed");
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");

    let told = site.refusal();
    assert!(told.contains("has not ended") && told.contains("run it again"), "{told}");
    let report = site.report("bshaffer", &from, &["--timezone", "UTC"]);
    let (taken_over, known) =
        (count(&report, "refresh tokens", "taken_over"), count(&report, "refresh tokens", "known"));
    assert_eq!(taken_over + known, TOKENS as u64);
    assert!(taken_over > 0 && known > 0, "{taken_over} {known}");
    let program = site.serve();
    for number in [0, TOKENS / 2, TOKENS - 1] {
        refresh(&program.url, &token(&number.to_string())).member("refresh_token");
    }
}

#[test]
fn nothing_is_taken_over_for_a_user_who_is_somebody_else_here() {
    let site = Site::new("bshaffer", ROTATES);
    let end = utc(DAY);
    let clients = |names: &[&str]| {
        let row =
            |name: &&str| format!("INSERT INTO oauth_clients VALUES ('{name}', 'testpass', '', NULL, NULL, NULL);");
        format!("{SCHEMA}{}", names.iter().map(row).collect::<String>())
    };
    let user =
        |name: &str| format!("INSERT INTO oauth_users (username, password) VALUES ('{name}', '{}');", "a".repeat(40));
    // A user who is called as a client is becomes user:shop, which is the name of a user of the other database.
    let one = format!(
        "{}{}{}",
        clients(&["testclient", "shop"]),
        user("shop"),
        refresh_row("of-shop", "testclient", "'shop'", &end, "NULL")
    );
    let other = format!(
        "{}{}{}{}",
        clients(&["testclient"]),
        user("user:shop"),
        refresh_row("of-another", "testclient", "'user:shop'", &end, "NULL"),
        refresh_row("of-nobody", "testclient", "'user:user:shop'", &end, "NULL"),
    );
    site.report("bshaffer", &sqlite(&site.path("one.sqlite"), &one), &["--timezone", "UTC"]);
    let report = site.report("bshaffer", &sqlite(&site.path("other.sqlite"), &other), &["--timezone", "UTC"]);
    assert_eq!(count(&report, "refresh tokens", "taken_over"), 1, "{report}");
    assert!(report["remarks"].to_string().contains("user user:shop"), "{report}");

    let program = site.serve();
    refresh(&program.url, &token("of-shop")).member("refresh_token");
    refresh(&program.url, &token("of-nobody")).member("refresh_token");
    assert_eq!(refresh(&program.url, &token("of-another")).status, 400);
}

#[test]
fn another_import_does_not_begin_where_one_has_not_ended() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    let note = site.data().join("import-unfinished");
    fs::write(&note, "regrant import redcore --from old.sql, begun at 2026-11-21T12:00:00Z\n")
        .expect("the folder is ours");
    let told = site.import("bshaffer", &from, &["--timezone", ZONE]);
    assert_eq!(told.code, 1);
    for part in ["regrant import redcore --from old.sql", "to its end first", "import-unfinished"] {
        assert!(told.stderr.contains(part), "{part:?} is not in {}", told.stderr);
    }
    assert!(site.refusal().contains("redcore"), "the note stays");
}

#[test]
fn a_user_who_was_removed_here_stays_removed_and_their_tokens_are_counted_as_left_out() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    let end = wall(HOUR, -5);
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    site.administer(&["user", "remove", "bshaffer", "--yes"]);
    let more: String = ["one", "two"]
        .map(|name| {
            let token = token(name);
            format!("INSERT INTO oauth_access_tokens VALUES ('{token}', 'testclient', 'bshaffer', '{end}', NULL);")
        })
        .concat();
    sqlite(&site.path("old.sqlite"), &more);
    let report = site.report("bshaffer", &from, &["--timezone", ZONE]);
    let remarks = report["remarks"].to_string();
    assert!(remarks.contains("was removed here") && !remarks.contains("login name"), "{remarks}");
    for (kind, known, left_out) in [("refresh tokens", 2, 6), ("access tokens", 2, 3)] {
        let of_left_out = &report["rows"][kind]["left_out"]["of a user that is left out"];
        assert_eq!((count(&report, kind, "known"), of_left_out.as_u64()), (known, Some(left_out)), "{kind}: {report}");
        assert_eq!(count(&report, kind, "taken_over"), 0, "{kind}: {report}");
    }
}

#[test]
fn tokens_that_were_taken_over_in_another_time_zone_are_told() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", "Etc/GMT+4", "--accept-clock"]);
    let report = site.report("bshaffer", &from, &["--timezone", ZONE]);
    assert!(report["remarks"].to_string().contains("with another end"), "{report}");
    let site = Site::new("bshaffer", ROTATES);
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    let report = site.report("bshaffer", &from, &["--timezone", ZONE]);
    assert!(!report["remarks"].to_string().contains("with another end"), "{report}");
}
