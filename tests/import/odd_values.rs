//! Values that are no text or beyond all bounds, in servers that hold such: what is told, and that nothing else is lost by it.

use regrant_databases::Postgres;

use crate::bshaffer::{ROTATES, SCHEMA, refresh_row};
use crate::mariadb::Mariadb;
use crate::old_database::{DAY, utc};
use crate::site::{Site, count};

/// More users than a page has rows, so that one ends at each letter beyond ASCII.
const USERS: usize = 1100;

fn takes_over_the_rest(site: &Site, url: &str, password_file: &str, broken_keys: u64) {
    let arguments = ["--password-file", password_file, "--timezone", "UTC", "--on-error", "skip"];
    let report = site.report("bshaffer", url, &arguments);
    for (kind, taken_over, broken) in
        [("clients", 1, 1 + broken_keys), ("users", USERS as u64, 0), ("refresh tokens", 1, 0)]
    {
        assert_eq!(
            (count(&report, kind, "taken_over"), count(&report, kind, "broken")),
            (taken_over, broken),
            "{report}"
        );
    }
    let problems = report["problems"].to_string();
    assert!(problems.contains("column grant_types: it is longer than 1048576 bytes"), "{problems}");
    let told = "x'C3', column client_id: it is no UTF-8".replace("', column", "'\\\", column");
    assert_eq!(problems.contains(&told), broken_keys > 0, "{problems}");
}

/// One client, users with letters beyond ASCII, and a token.
fn rows() -> String {
    let users: Vec<String> = (0..USERS).map(|number| format!("('jörg {number:04}')")).collect();
    format!(
        "INSERT INTO oauth_clients VALUES ('testclient', 'testpass', '', NULL, NULL, NULL);
         INSERT INTO oauth_users (username) VALUES {};
         {}",
        users.join(", "),
        refresh_row("live", "testclient", "'jörg 0001'", &utc(DAY), "NULL")
    )
}

#[test]
fn mariadb_holds_bytes_and_other_alphabets() {
    let mariadb = Mariadb::start();
    let schema = SCHEMA
        .replace("client_id VARCHAR(80) NOT NULL, client_secret", "client_id VARBINARY(80) NOT NULL, client_secret")
        .replace("grant_types VARCHAR(80)", "grant_types LONGTEXT")
        .replace("username VARCHAR(80)", "username VARCHAR(80) CHARACTER SET latin1");
    mariadb.sql(&format!(
        "USE old; {schema} {}
         INSERT INTO oauth_clients VALUES (x'C3', 'secret', '', NULL, NULL, NULL);
         INSERT INTO oauth_clients VALUES ('long', 'secret', '', REPEAT('x', 2000000), NULL, NULL);",
        rows()
    ));
    takes_over_the_rest(&Site::new("bshaffer", ROTATES), &mariadb.url(), &mariadb.password_file(), 1);
}

#[test]
fn postgresql_holds_bytes_where_it_is_not_told_what_they_are() {
    let postgres = Postgres::start();
    let schema = SCHEMA.replace("grant_types VARCHAR(80)", "grant_types TEXT");
    let long = "INSERT INTO oauth_clients VALUES ('long', 'secret', '', repeat('x', 2000000), NULL, NULL);";
    postgres.sql(&format!("{schema} {} {long}", rows()));
    takes_over_the_rest(&Site::new("bshaffer", ROTATES), &postgres.url(), &postgres.password_file(), 0);

    postgres.sql("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    let key = "INSERT INTO oauth_clients VALUES (E'\\xC3', 'secret', '', NULL, NULL, NULL);";
    postgres.sql_in("bytes", &format!("SET client_encoding = 'SQL_ASCII'; {schema} {} {long} {key}", rows()));
    let url = postgres.url();
    let url = format!("{}/bytes", url.strip_suffix("/postgres").expect("it names the database last"));
    takes_over_the_rest(&Site::new("bshaffer", ROTATES), &url, &postgres.password_file(), 1);
}
