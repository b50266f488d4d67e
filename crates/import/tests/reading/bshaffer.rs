//! bshaffer's tables in SQLite, one trap after another.

use regrant_import::{
    Expiry, ForeignPassword, ForeignSecret, GrantTypes, Kind, Options, Reason, System, UserStanding, Zones, time_zone,
};
use regrant_protocol::{Scope, Secret, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::readings::{NOW, Readings, all, digest, only, options, read};

/// `Pdo::getBuildSql` of version 1.14.
const SCHEMA: &str = "
    CREATE TABLE oauth_clients (client_id VARCHAR(80) NOT NULL, client_secret VARCHAR(80), redirect_uri VARCHAR(2000),
      grant_types VARCHAR(80), scope VARCHAR(4000), user_id VARCHAR(80), PRIMARY KEY (client_id));
    CREATE TABLE oauth_access_tokens (access_token VARCHAR(40) NOT NULL, client_id VARCHAR(80) NOT NULL,
      user_id VARCHAR(80), expires TIMESTAMP NOT NULL, scope VARCHAR(4000), PRIMARY KEY (access_token));
    CREATE TABLE oauth_refresh_tokens (refresh_token VARCHAR(40) NOT NULL, client_id VARCHAR(80) NOT NULL,
      user_id VARCHAR(80), expires TIMESTAMP NOT NULL, scope VARCHAR(4000), PRIMARY KEY (refresh_token));
    CREATE TABLE oauth_users (username VARCHAR(80), password VARCHAR(80), first_name VARCHAR(80), last_name VARCHAR(80),
      email VARCHAR(80), email_verified BOOLEAN, scope VARCHAR(4000));
    CREATE TABLE oauth_scopes (scope VARCHAR(80) NOT NULL, is_default BOOLEAN, PRIMARY KEY (scope));
    INSERT INTO oauth_clients VALUES ('shop', 'TestSecret', 'https://shop.example/cb', NULL, NULL, NULL);";

/// A database of the schema and `rows`.
struct Database {
    directory: TempDir,
}

impl Database {
    fn with(rows: &str) -> Self {
        let database = Self { directory: tempfile::tempdir().unwrap() };
        let connection = Connection::open(database.directory.path().join("oauth.sqlite")).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.execute_batch(rows).unwrap();
        database
    }

    fn path(&self) -> String {
        self.directory.path().join("oauth.sqlite").display().to_string()
    }

    async fn read(&self, options: Options) -> Readings {
        read(System::Bshaffer, &self.path(), options).await.unwrap()
    }
}

async fn readings(rows: &str) -> Readings {
    Database::with(rows).read(options()).await
}

#[tokio::test]
async fn the_end_of_a_refresh_token_is_read_as_php_wrote_it() {
    let live = |seconds| format!("live, {:?}", Expiry::At(Timestamp::from_seconds(seconds)));
    let never = || format!("live, {:?}", Expiry::Never);
    let day = 86_400;
    let cases = [
        ("UTC", "2026-11-22 12:00:00", live(NOW.seconds() + day), "a day from now"),
        ("Europe/Berlin", "2026-11-22 13:00:00", live(NOW.seconds() + day), "… by a clock in Berlin"),
        ("America/New_York", "2026-11-22 07:00:00", live(NOW.seconds() + day), "… by one in New York"),
        ("Europe/Berlin", "2027-10-31 02:30:00", live(1_824_946_200), "an hour that is shown twice is the later one"),
        ("Europe/Berlin", "2027-03-28 02:30:00", live(1_806_197_400), "an hour that is skipped is after the gap"),
        ("UTC", "2026-11-21 12:00:00", "expired".to_owned(), "now is too late"),
        ("UTC", "2026-11-20 12:00:00", "expired".to_owned(), "yesterday"),
        ("UTC", "1970-01-01 00:00:00", never(), "the epoch is never"),
        ("America/New_York", "1969-12-31 19:00:00", never(), "… in New York"),
        ("Asia/Tokyo", "1970-01-01 09:00:00", never(), "… in Tokyo"),
        ("UTC", "1970-01-01 09:00:00", never(), "… in Tokyo, with the wrong zone named"),
        ("UTC", "0000-00-00 00:00:00", never(), "MySQL's zero date: never, or past 2038"),
        ("UTC", "1971-01-01 00:00:00", "expired".to_owned(), "long ago is no never"),
        ("UTC", "9999-12-31 23:59:59", live(253_402_300_799), "the last moment there is"),
        ("Asia/Tokyo", "9999-12-31 23:59:59", live(253_402_300_799), "… in Tokyo"),
        ("UTC", "1795262400", "expires: \"1795262400\" is no date".to_owned(), "seconds are no date"),
        ("UTC", "soon", "expires: \"soon\" is no date".to_owned(), "nor are words"),
    ];
    for (zone, expires, expected, why) in cases {
        let database =
            Database::with(&format!("INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', '{expires}', NULL)"));
        let zones = Zones { program: time_zone(zone).unwrap(), database: None };
        let readings = database.read(Options { zones, ..options() }).await;
        assert_eq!(readings.outcome(Kind::RefreshToken), expected, "{expires} in {zone}: {why}");
    }
}

#[tokio::test]
async fn no_access_token_lives_for_ever() {
    for expires in ["1970-01-01 00:00:00", "0000-00-00 00:00:00", "1969-12-31 19:00:00"] {
        let rows = format!("INSERT INTO oauth_access_tokens VALUES ('a', 'shop', 'u', '{expires}', NULL)");
        assert_eq!(readings(&rows).await.outcome(Kind::AccessToken), "expired", "{expires}");
    }
}

#[tokio::test]
async fn null_is_not_the_empty_text() {
    let cases = [
        ("NULL", "NULL", GrantTypes::All, None, "all grants, all scopes"),
        ("''", "''", GrantTypes::Listed(Vec::new()), Some(""), "no grants, no scopes"),
        (
            "'password refresh_token'",
            "' read  write '",
            GrantTypes::Listed(vec!["password".to_owned(), "refresh_token".to_owned()]),
            Some("read write"),
            "lists, with blanks to spare",
        ),
    ];
    for (grants, scope, expected_grants, expected_scope, why) in cases {
        let readings = readings(&format!(
            "UPDATE oauth_clients SET grant_types = {grants}, scope = {scope};
             INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', '2026-12-01 00:00:00', {scope})"
        ))
        .await;
        let expected_scope = expected_scope.map(|scope| Scope::parse(scope).unwrap());
        assert_eq!(only!(readings, Client).grant_types, expected_grants, "{why}");
        assert_eq!(only!(readings, Client).scope, expected_scope, "{why}");
        assert_eq!(only!(readings, RefreshToken).scope, expected_scope, "{why}");
    }
}

#[tokio::test]
async fn a_client_without_a_secret_is_public() {
    for (secret, expected) in [
        ("NULL", ForeignSecret::None),
        ("''", ForeignSecret::None),
        ("'s3cret'", ForeignSecret::Plain(Secret::new("s3cret".to_owned()))),
    ] {
        let readings = readings(&format!("UPDATE oauth_clients SET client_secret = {secret}")).await;
        let client = only!(readings, Client);
        assert_eq!((&client.secret, client.is_public), (&expected, expected == ForeignSecret::None), "{secret}");
    }
}

#[tokio::test]
async fn redirect_uris_that_cannot_be_registered_do_not_hinder_the_client() {
    let readings =
        readings("UPDATE oauth_clients SET redirect_uri = 'https://a.example/cb http://b.example/cb app://cb'").await;
    let client = only!(readings, Client);
    assert_eq!(client.redirect_uris.len(), 1);
    assert_eq!(client.refused_redirect_uris.len(), 2, "{:?}", client.refused_redirect_uris);
}

#[tokio::test]
async fn a_token_is_hashed_and_never_shown() {
    let token = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeed";
    let readings = readings(&format!(
        "INSERT INTO oauth_refresh_tokens VALUES ('{token}', 'shop', 'u', '2026-12-01 00:00:00', NULL);
         INSERT INTO oauth_access_tokens VALUES ('{token}x', 'shop', 'u', 'broken', NULL)"
    ))
    .await;
    assert_eq!(only!(readings, RefreshToken).digest, digest(token));
    assert!(!format!("{readings:?}").contains(token), "{readings:?}");
    assert!(
        readings.problems[0].to_string().contains(&digest(&format!("{token}x")).beginning()),
        "a row is still named"
    );
}

#[tokio::test]
async fn a_jwt_that_was_cut_off_is_a_problem() {
    // HS256, so that its 32 bytes of signature are 43 characters.
    let whole = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases =
        [(whole, false, "a whole one, in a column that was widened"), (&whole[..40], true, "cut off at 40 characters")];
    for (token, is_cut, why) in cases {
        let readings = readings(&format!(
            "INSERT INTO oauth_access_tokens VALUES ('{token}', 'shop', 'u', '2026-11-21 13:00:00', NULL)"
        ))
        .await;
        assert_eq!(readings.problems.iter().any(|problem| problem.is_truncation), is_cut, "{why}");
    }
}

#[tokio::test]
async fn tokens_of_clients_that_are_gone_are_left_out_and_of_users_that_are_gone_are_not() {
    let tokens = "INSERT INTO oauth_refresh_tokens VALUES ('1', 'gone', 'alice', '2026-12-01 00:00:00', NULL);
        INSERT INTO oauth_refresh_tokens VALUES ('2', 'shop', 'gone', '2026-12-01 00:00:00', NULL);";
    let cases = [
        ("", UserStanding::Elsewhere, "an empty table of users is not in use"),
        ("INSERT INTO oauth_users (username) VALUES ('alice');", UserStanding::Missing, "others are there"),
        ("INSERT INTO oauth_users (username) VALUES ('gone');", UserStanding::Known, "they are there"),
        ("INSERT INTO oauth_users (username) VALUES ('GONE');", UserStanding::Missing, "SQLite minds the case"),
    ];
    for (users, expected, why) in cases {
        let readings = readings(&format!("{tokens} {users}")).await;
        assert_eq!(readings.left_out_for(Kind::RefreshToken, &Reason::ClientMissing), 1, "{why}");
        assert_eq!(only!(readings, RefreshToken).user.as_ref().unwrap().standing, expected, "{why}");
    }
}

#[tokio::test]
async fn users_come_with_what_is_known_about_them() {
    let readings = readings(
        "INSERT INTO oauth_users VALUES
          ('alice', '5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8', 'Alice', 'Liddell', 'alice@example.com', 1, NULL)",
    )
    .await;
    let user = only!(readings, User);
    assert_eq!((user.subject.as_str(), user.username.as_str()), ("alice", "alice"));
    assert!(matches!(&user.password, ForeignPassword::Sha1Hex(_)));
    assert_eq!(user.profile.name.as_deref(), Some("Alice Liddell"));
    assert!(user.profile.email_verified);
}

#[tokio::test]
async fn a_broken_row_does_not_end_the_stream() {
    let readings = readings(
        "INSERT INTO oauth_clients VALUES ('caf\u{e9}', NULL, NULL, NULL, NULL, NULL);
         INSERT INTO oauth_clients VALUES ('bad scope', NULL, NULL, NULL, 'a\"b', NULL);
         INSERT INTO oauth_clients VALUES ('latin', CAST(X'FF' AS TEXT), NULL, NULL, NULL, NULL);
         INSERT INTO oauth_clients VALUES ('zebra', NULL, NULL, NULL, NULL, NULL);",
    )
    .await;
    assert_eq!(readings.records.len(), 2, "shop and zebra");
    let problems: Vec<String> = readings.problems.iter().map(ToString::to_string).collect();
    for words in
        ["\"café\", column client_id", "\"bad scope\", column scope", "\"latin\", column client_secret: it is no UTF-8"]
    {
        assert!(problems.iter().any(|problem| problem.contains(words)), "{words:?} in {problems:?}");
    }
}

#[tokio::test]
async fn rows_are_read_in_pages_and_each_once() {
    let database = Database::with(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
         INSERT INTO oauth_refresh_tokens SELECT 'token' || i, 'shop', 'u', '2026-12-01 00:00:00', NULL FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
         INSERT INTO oauth_users (username) SELECT 'user' || (i / 3) FROM n;",
    );
    let readings = database.read(options()).await;
    let count = |kind| readings.records.iter().filter(|record| record.kind() == kind).count();
    assert_eq!(count(Kind::RefreshToken), 1234);
    assert_eq!(count(Kind::User), 1100, "three users of one name, at the seams of pages too");
}

#[tokio::test]
async fn a_key_that_is_no_text_is_a_broken_row_wherever_it_stands_in_a_page() {
    let live = "INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', '2026-12-01 00:00:00', NULL);";
    for (what, keys) in [
        ("latin-1 as text", "CAST(X'FF' || CAST(printf('%04d', i) AS BLOB) AS TEXT)"),
        ("bytes", "X'FF' || CAST(printf('%04d', i) AS BLOB)"),
    ] {
        for count in [1, 499, 500, 1200] {
            let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
            let readings = readings(&format!(
                "{live} {numbers} INSERT INTO oauth_clients SELECT {keys}, NULL, NULL, NULL, NULL, NULL FROM n;
                 {numbers} INSERT INTO oauth_users (username) SELECT {keys} FROM n;"
            ))
            .await;
            let broken = |kind| readings.problems.iter().filter(|problem| problem.kind == kind).count();
            assert_eq!((broken(Kind::Client), broken(Kind::User)), (count, count), "{what}");
            assert_eq!(readings.records.len(), 2, "{what}: shop and its token, {count}");
            let first = readings.problems[0].to_string();
            assert!(first.contains(r#"oauth_clients "x'FF30303031'", column client_id: it is no UTF-8"#), "{first}");
        }
    }
}

#[tokio::test]
async fn keys_of_every_type_are_read_once() {
    // Columns without a type keep what they are given: numbers before texts before bytes.
    let readings = readings(
        "DROP TABLE oauth_refresh_tokens;
         CREATE TABLE oauth_refresh_tokens (refresh_token, client_id, user_id, expires, scope);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700),
           keys(key) AS (SELECT i FROM n UNION ALL SELECT 't' || i FROM n UNION ALL SELECT CAST('b' || i AS BLOB) FROM n)
         INSERT INTO oauth_refresh_tokens SELECT key, 'shop', 'u', '2026-12-01 00:00:00', NULL FROM keys;",
    )
    .await;
    assert_eq!(readings.records.iter().filter(|record| record.kind() == Kind::RefreshToken).count(), 2100);
}

#[tokio::test]
async fn a_value_that_is_too_long_is_a_broken_row_and_never_told_whole() {
    let long = 1024 * 1024 + 1;
    let readings = readings(&format!(
        "INSERT INTO oauth_clients VALUES ('long', NULL, NULL, CAST(zeroblob({long}) AS TEXT), NULL, NULL);
         INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', printf('%.*c', 500000, 'x'), NULL);
         INSERT INTO oauth_users VALUES ('alice', printf('%.*c', {long}, 'x'), NULL, NULL, NULL, 0, NULL),
           (printf('%.*c', 500000, 'y'), NULL, NULL, NULL, NULL, 0, NULL);"
    ))
    .await;
    let problems: Vec<String> = readings.problems.iter().map(ToString::to_string).collect();
    for words in [r#""long", column grant_types: it is longer than 1048576 bytes"#, "xx\" is no date"] {
        assert!(problems.iter().any(|problem| problem.contains(words)), "{words:?} in {problems:?}");
    }
    let users = all!(readings, User);
    assert!(matches!(&users[0].password, ForeignPassword::Unreadable { fault, .. } if fault.contains("longer")));
    let told: Vec<String> = users.iter().map(|user| user.origin.to_string()).chain(problems).collect();
    assert!(told.iter().all(|text| text.len() < 1000), "{told:?}");
    assert!(told[1].contains("yyy… (SHA-256 "), "{}", told[1]);

    let key = format!("INSERT INTO oauth_clients VALUES (printf('%.*c', {long}, 'z'), NULL, NULL, NULL, NULL, NULL)");
    let error = read(System::Bshaffer, &Database::with(&key).path(), options()).await.unwrap_err().to_string();
    assert!(error.contains("oauth_clients") && error.contains("key of more than"), "{error}");
}

#[tokio::test]
async fn a_user_whose_password_or_names_cannot_be_read_is_a_user() {
    let readings = readings(
        "INSERT INTO oauth_users VALUES
           ('alice', '5f4dcc3b5aa765d61d8327deb882cf99', CAST(X'4AFC' AS TEXT), 'Liddell', 'alice@example.com', 1, NULL),
           ('bob', CAST(X'FF' AS TEXT), NULL, NULL, NULL, NULL, NULL);",
    )
    .await;
    assert_eq!(readings.problems, []);
    let [alice, bob] = all!(readings, User)[..] else { panic!("{readings:?}") };
    assert_eq!(alice.remarks, ["the column first_name is left out: it is no UTF-8"]);
    assert_eq!((alice.profile.name.as_deref(), alice.profile.given_name.as_deref()), (Some("Liddell"), None));
    let unreadable = |fault: &str| ForeignPassword::Unreadable { column: "password", fault: fault.to_owned() };
    assert_eq!(alice.password, unreadable("it is neither SHA-1 nor bcrypt, phpass or Argon2"));
    assert_eq!(bob.password, unreadable("it is no UTF-8"));
}

#[tokio::test]
async fn tables_under_other_names_are_read() {
    let database = Database::with(
        "ALTER TABLE oauth_refresh_tokens RENAME TO my_tokens; INSERT INTO my_tokens VALUES ('r', 'shop', 'u', '2026-12-01 00:00:00', NULL)",
    );
    let error = read(System::Bshaffer, &database.path(), options()).await.unwrap_err().to_string();
    assert!(error.contains("oauth_refresh_tokens") && error.contains("my_tokens"), "{error}");
    let renamed_tables = [("oauth_refresh_tokens".to_owned(), "my_tokens".to_owned())].into();
    let readings = database.read(Options { renamed_tables, ..options() }).await;
    only!(readings, RefreshToken);
}

#[tokio::test]
async fn the_source_is_left_as_it_was() {
    let database =
        Database::with("INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', '2026-12-01 00:00:00', NULL)");
    let before = std::fs::read(database.path()).unwrap();
    database.read(options()).await;
    assert_eq!(std::fs::read(database.path()).unwrap(), before);
    let files = std::fs::read_dir(database.directory.path()).unwrap().count();
    assert_eq!(files, 1, "no journal beside it");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_without_writing_beside_it_is_told_with_what_to_do() {
    let database = Database::with("PRAGMA journal_mode = WAL; INSERT INTO oauth_scopes VALUES ('basic', 1)");
    // As in a directory that is not ours, for whoever the test runs as.
    std::os::unix::fs::symlink("nowhere/at-all", format!("{}-shm", database.path())).unwrap();
    let error = read(System::Bshaffer, &database.path(), options()).await.unwrap_err().to_string();
    assert!(error.contains("WAL mode") && error.contains("together with its -wal"), "{error}");
}

#[tokio::test]
async fn another_schema_is_named_with_what_is_missing() {
    let database = Database::with("ALTER TABLE oauth_clients DROP COLUMN grant_types");
    let error = read(System::Bshaffer, &database.path(), options()).await.unwrap_err().to_string();
    for words in ["oauth_clients", "grant_types", "redirect_uri", "oauth2-server-php 1.0 to 1.14"] {
        assert!(error.contains(words), "{words} in {error}");
    }
    let error = read(System::Wso2, &database.path(), options()).await.unwrap_err().to_string();
    assert!(error.contains("IDN_OAUTH_CONSUMER_APPS") && error.contains("oauth_clients"), "{error}");
    let error = read(System::Bshaffer, "/nowhere/oauth.sqlite", options()).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/oauth.sqlite"), "{error}");
}

#[tokio::test]
async fn the_same_token_twice_counts_once() {
    let readings = readings(
        "DROP TABLE oauth_refresh_tokens;
         CREATE TABLE oauth_refresh_tokens (refresh_token, client_id, user_id, expires, scope);
         INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', '2026-12-01 00:00:00', NULL);
         INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'u', '2026-12-02 00:00:00', NULL);",
    )
    .await;
    assert_eq!(readings.records.iter().filter(|record| record.kind() == Kind::RefreshToken).count(), 1);
}
