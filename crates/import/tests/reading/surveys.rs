//! What a rehearsal tells.

use regrant_import::{ClockDoubt, Kind, Options, Reader, Reason, Source, Survey, System, Zones, survey, time_zone};
use rusqlite::Connection;

use crate::readings::{NOW, fixture, options};

async fn surveyed(rows: &str, options: Options) -> Survey {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("oauth.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE oauth_clients (client_id, client_secret, redirect_uri, grant_types, scope);
             CREATE TABLE oauth_refresh_tokens (refresh_token, client_id, user_id, expires, scope);
             CREATE TABLE oauth_access_tokens (access_token, client_id, user_id, expires, scope);
             CREATE TABLE oauth_users (username, password);
             INSERT INTO oauth_clients VALUES ('shop', 's', 'http://shop.example/cb', NULL, NULL);
             INSERT INTO oauth_users VALUES ('alice', NULL);",
        )
        .unwrap();
    connection.execute_batch(rows).unwrap();
    let source = Source::parse(&path.display().to_string(), None).unwrap();
    let mut reader = Reader::open(System::Bshaffer, &source, options).await.unwrap();
    survey(&mut reader).await.unwrap()
}

#[tokio::test]
async fn a_survey_counts_by_kind_and_reason() {
    let survey = surveyed(
        "INSERT INTO oauth_refresh_tokens VALUES ('1', 'shop', 'alice', '2026-12-01 00:00:00', NULL),
           ('2', 'shop', 'gone', '2026-12-02 00:00:00', NULL), ('3', 'shop', 'alice', '1970-01-01 00:00:00', NULL),
           ('4', 'shop', 'alice', '2026-01-01 00:00:00', NULL), ('5', 'gone', 'alice', '2026-12-01 00:00:00', NULL),
           ('1', 'shop', 'alice', '2026-12-01 00:00:00', NULL), ('6', 'shop', 'alice', 'soon', NULL);
         INSERT INTO oauth_access_tokens VALUES ('eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ', 'shop', 'alice', '2026-11-21 13:00:00', NULL);",
        options(),
    )
    .await;
    assert_eq!(survey.records, [(Kind::Client, 1), (Kind::User, 1), (Kind::RefreshToken, 3)].into());
    let left_out = [(Reason::Expired, 1), (Reason::ClientMissing, 1), (Reason::Duplicate, 1)];
    assert_eq!(survey.left_out, left_out.map(|(reason, count)| ((Kind::RefreshToken, reason), count)).into());
    assert_eq!(survey.broken, [(Kind::RefreshToken, 1), (Kind::AccessToken, 1)].into());
    assert_eq!((survey.truncated, survey.never_ending, survey.refused_redirect_uris), (1, 1, 1));
    assert_eq!(survey.orphans, [(Kind::RefreshToken, 1)].into());
    assert_eq!(survey.absent, [Kind::Scope]);
}

#[tokio::test]
async fn a_wrong_time_zone_is_suspected() {
    let row = |expires: &str| {
        format!(
            "INSERT INTO oauth_access_tokens VALUES ('a', 'shop', 'alice', '{expires}', NULL);
             INSERT INTO oauth_refresh_tokens VALUES ('r', 'shop', 'alice', '2026-12-01 00:00:00', NULL);"
        )
    };
    // A token that was issued now, by clocks in three places, read as each.
    let cases = [
        ("2026-11-21 13:00:00", "UTC", None, "in UTC"),
        ("2026-11-21 14:00:00", "Europe/Berlin", None, "in Berlin"),
        ("2026-11-21 14:00:00", "UTC", Some(ClockDoubt::Ahead { seconds: 3600 }), "in Berlin, read as UTC"),
        ("2026-11-21 08:00:00", "UTC", Some(ClockDoubt::Behind { seconds: 4 * 3600 }), "in New York, read as UTC"),
        ("9999-12-31 23:59:59", "UTC", None, "never, which says nothing"),
        ("2026-11-21 18:00:00", "UTC", Some(ClockDoubt::Ahead { seconds: 5 * 3600 }), "five hours east"),
    ];
    for (expires, zone, expected, why) in cases {
        let zones = Zones { program: time_zone(zone).unwrap(), database: None };
        let survey = surveyed(&row(expires), Options { zones, ..options() }).await;
        assert_eq!(survey.clock_doubt, expected, "{why}");
    }
    let said = ClockDoubt::Ahead { seconds: 5 * 3600 }.to_string();
    assert_eq!(said, "the newest access token would have been issued 5 h in the future: is --timezone right?");
}

#[tokio::test]
async fn a_survey_says_whether_the_zone_of_the_database_counts() {
    let source = Source::parse(&fixture("redcore-mysqldump.sql"), None).unwrap();
    let mut reader = Reader::open(System::Redcore, &source, options()).await.unwrap();
    assert!(reader.is_dumped_in_utc());
    let survey = survey(&mut reader).await.unwrap();
    assert_eq!(survey.newest_issue, Some(NOW.plus_seconds(-1800)));
}
