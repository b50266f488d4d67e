//! DotAuth's documents: dates, secrets and tokens in every spelling.

use regrant_import::{Expiry, Kind, System};
use regrant_protocol::Timestamp;
use rusqlite::Connection;

use crate::readings::{NOW, Readings, digest, only, options, read};

async fn readings(token: &str) -> Readings {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("marten.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE mt_doc_client (id TEXT, data TEXT); INSERT INTO mt_doc_client VALUES ('web', '{}');
             CREATE TABLE mt_doc_grantedtoken (id TEXT, data TEXT);",
        )
        .unwrap();
    connection.execute("INSERT INTO mt_doc_grantedtoken VALUES ('1', ?1)", [token]).unwrap();
    read(System::Dotauth, &path.display().to_string(), options()).await.unwrap()
}

#[tokio::test]
async fn a_refresh_token_never_ends_and_an_access_token_does() {
    let minutes_ago = |minutes: i64| Some(NOW.plus_seconds(-60 * minutes));
    let cases = [
        ("2026-11-21T11:45:00.0000000+00:00", minutes_ago(15), true, "as .NET writes it"),
        ("2026-11-21T12:45:00+01:00", minutes_ago(15), true, "in another zone"),
        ("2026-11-21T11:45:00Z", minutes_ago(15), true, "in RFC 3339"),
        ("2026-11-21 11:45:00.000", minutes_ago(15), true, "without an offset it is UTC"),
        ("2026-11-21T11:15:00Z", minutes_ago(45), false, "over for the access token, not for the refresh token"),
        ("0001-01-01T00:00:00+00:00", None, false, "a date that was never set"),
    ];
    for (created, issued_at, access_is_live, why) in cases {
        let readings = readings(&format!(
            r#"{{"clientId":"web","accessToken":"a","refreshToken":"r","expiresIn":1800,"scope":"offline","createDateTime":"{created}"}}"#
        ))
        .await;
        let token = only!(readings, RefreshToken);
        assert_eq!((token.digest, token.expires_at, token.issued_at), (digest("r"), Expiry::Never, issued_at), "{why}");
        let access = readings.records.iter().any(|record| record.kind() == Kind::AccessToken);
        assert_eq!(access, access_is_live, "{why}");
    }
}

#[tokio::test]
async fn members_are_read_in_either_spelling() {
    let readings = readings(
        r#"{"client_id":"web","access_token":"a","refresh_token":"r","expires_in":"1800","scope":"offline","create_date_time":"2026-11-21T11:45:00Z"}"#,
    )
    .await;
    assert_eq!(only!(readings, RefreshToken).digest, digest("r"));
    assert_eq!(only!(readings, AccessToken).expires_at, Some(Timestamp::from_seconds(NOW.seconds() + 900)));
}

#[tokio::test]
async fn the_user_is_found_in_the_claims_or_in_the_token_itself() {
    // {"sub":"alice"} and {"sub":"web"} as the middle of a JWT.
    let cases = [
        (r#""accessToken":"a","idTokenPayLoad":{"sub":"alice"}"#, Some("alice"), "claims of the ID token"),
        (r#""accessToken":"a","userInfoPayLoad":{"sub":"alice"}"#, Some("alice"), "claims of userinfo"),
        (r#""accessToken":"e30.eyJzdWIiOiJhbGljZSJ9.c2ln""#, Some("alice"), "the access token's own"),
        (r#""accessToken":"e30.eyJzdWIiOiJ3ZWIifQ.c2ln""#, None, "the client itself is no user"),
        (r#""accessToken":"a""#, None, "nobody"),
    ];
    for (members, expected, why) in cases {
        let readings =
            readings(&format!(r#"{{"clientId":"web","refreshToken":"r","scope":"offline",{members}}}"#)).await;
        let user = only!(readings, RefreshToken).user.as_ref();
        assert_eq!(user.map(|user| user.subject.as_str()), expected, "{why}");
    }
}
