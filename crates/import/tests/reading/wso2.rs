//! WSO2's tables: pairs of tokens, hashes, units, states and partitions.

use std::fs;

use regrant_import::{Expiry, ForeignPassword, ForeignSecret, Kind, Reason, System, TokenDigest, UserStanding};
use regrant_protocol::{Lifetime, Scope, Timestamp};
use rusqlite::Connection;

use crate::readings::{NOW, Readings, all, digest, only, options, read};

/// `dbscripts/h2.sql` of 7.x, without what is not read.
const SCHEMA: &str = "
    CREATE TABLE IDN_OAUTH_CONSUMER_APPS (ID INTEGER NOT NULL, CONSUMER_KEY VARCHAR(255), CONSUMER_SECRET VARCHAR(2048),
      USERNAME VARCHAR(255), TENANT_ID INTEGER DEFAULT 0, USER_DOMAIN VARCHAR(50), APP_NAME VARCHAR(255),
      OAUTH_VERSION VARCHAR(128), CALLBACK_URL VARCHAR(2048), GRANT_TYPES VARCHAR(1024), APP_STATE VARCHAR(25) DEFAULT 'ACTIVE',
      USER_ACCESS_TOKEN_EXPIRE_TIME BIGINT DEFAULT 3600, APP_ACCESS_TOKEN_EXPIRE_TIME BIGINT DEFAULT 3600,
      REFRESH_TOKEN_EXPIRE_TIME BIGINT DEFAULT 84600, ID_TOKEN_EXPIRE_TIME BIGINT DEFAULT 3600, PRIMARY KEY (ID));
    CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID VARCHAR(255), ACCESS_TOKEN VARCHAR(2048), REFRESH_TOKEN VARCHAR(2048),
      CONSUMER_KEY_ID INTEGER, AUTHZ_USER VARCHAR(100), TENANT_ID INTEGER, USER_DOMAIN VARCHAR(50), USER_TYPE VARCHAR(25),
      GRANT_TYPE VARCHAR(50), TIME_CREATED TIMESTAMP, REFRESH_TOKEN_TIME_CREATED TIMESTAMP, VALIDITY_PERIOD BIGINT,
      REFRESH_TOKEN_VALIDITY_PERIOD BIGINT, TOKEN_SCOPE_HASH VARCHAR(32), TOKEN_STATE VARCHAR(25) DEFAULT 'ACTIVE',
      TOKEN_STATE_ID VARCHAR(128) DEFAULT 'NONE', SUBJECT_IDENTIFIER VARCHAR(255), ACCESS_TOKEN_HASH VARCHAR(512),
      REFRESH_TOKEN_HASH VARCHAR(512), PRIMARY KEY (TOKEN_ID));
    CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_SCOPE (TOKEN_ID VARCHAR(255), TOKEN_SCOPE VARCHAR(100), TENANT_ID INTEGER,
      PRIMARY KEY (TOKEN_ID, TOKEN_SCOPE));
    CREATE TABLE IDN_OIDC_PROPERTY (ID INTEGER PRIMARY KEY, TENANT_ID INTEGER, CONSUMER_KEY VARCHAR(255),
      PROPERTY_KEY VARCHAR(255), PROPERTY_VALUE VARCHAR(2047));
    CREATE TABLE UM_TENANT (UM_ID INTEGER PRIMARY KEY, UM_DOMAIN_NAME VARCHAR(255));
    INSERT INTO IDN_OAUTH_CONSUMER_APPS (ID, CONSUMER_KEY, CONSUMER_SECRET, OAUTH_VERSION, CALLBACK_URL, GRANT_TYPES)
      VALUES (1, 'app', 'secret', 'OAuth-2.0', 'https://app.example/cb', 'authorization_code refresh_token');
    INSERT INTO IDN_OAUTH2_ACCESS_TOKEN VALUES ('t1', 'access-1', 'refresh-1', 1, 'alice', -1234, 'PRIMARY',
      'APPLICATION_USER', 'password', '2026-11-21 11:30:00', '2026-11-21 11:30:00', 3600000, 86400000, 'x', 'ACTIVE', 'NONE',
      'alice', NULL, NULL);
    INSERT INTO IDN_OAUTH2_ACCESS_TOKEN_SCOPE VALUES ('t1', 'openid', -1234), ('t1', 'email', -1234);";

async fn readings(change: &str) -> Readings {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("identity.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection.execute_batch(change).unwrap();
    read(System::Wso2, &path.display().to_string(), options()).await.unwrap()
}

#[tokio::test]
async fn a_row_is_two_tokens() {
    let readings = readings("").await;
    let refresh = only!(readings, RefreshToken);
    let access = only!(readings, AccessToken);
    let issued = NOW.plus_seconds(-1800);
    assert_eq!(refresh.digest, digest("refresh-1"));
    assert_eq!(refresh.client.as_str(), "app");
    assert_eq!(refresh.scope, Some(Scope::parse("email openid").unwrap()));
    assert_eq!((refresh.issued_at, refresh.expires_at), (Some(issued), Expiry::At(issued.plus_seconds(86_400))));
    assert_eq!((access.digest, access.expires_at), (digest("access-1"), Some(issued.plus_seconds(3600))));
}

#[tokio::test]
async fn which_of_the_two_tokens_is_live_depends_on_state_and_times() {
    let end = |seconds: i64| format!("{:?}", NOW.plus_seconds(seconds));
    let refresh = |seconds| format!("live, At({})", end(seconds));
    let access = |seconds| format!("live, Some({})", end(seconds));
    let expired = || "expired".to_owned();
    let dead = |state: &str| format!("in state {state}");
    let day = 84_600;
    let cases = [
        ("TOKEN_STATE = 'ACTIVE'", refresh(day), access(1800), "live"),
        ("TOKEN_STATE = 'EXPIRED'", refresh(day), expired(), "EXPIRED is said of the access token"),
        ("TOKEN_STATE = 'INACTIVE'", dead("INACTIVE"), dead("INACTIVE"), "rotated"),
        ("TOKEN_STATE = 'REVOKED'", dead("REVOKED"), dead("REVOKED"), "revoked"),
        ("TOKEN_STATE = 'GRACEFULLY_ROTATED'", dead("GRACEFULLY_ROTATED"), dead("GRACEFULLY_ROTATED"), "rotated"),
        ("VALIDITY_PERIOD = 60000", refresh(day), expired(), "milliseconds: the access token lived for a minute"),
        ("REFRESH_TOKEN_VALIDITY_PERIOD = 86400", expired(), access(1800), "milliseconds, not a day"),
        ("REFRESH_TOKEN_VALIDITY_PERIOD = -1000", "live, Never".to_owned(), access(1800), "less than nothing is never"),
        ("VALIDITY_PERIOD = -1", refresh(day), "live, None".to_owned(), "… of an access token too"),
        ("REFRESH_TOKEN = NULL", String::new(), access(1800), "no refresh token at all"),
        (
            "CONSUMER_KEY_ID = 7",
            "of a client that is not there".to_owned(),
            "of a client that is not there".to_owned(),
            "an orphan",
        ),
        (
            "REFRESH_TOKEN_TIME_CREATED = '0000-00-00 00:00:00'",
            "REFRESH_TOKEN_TIME_CREATED: \"0000-00-00 00:00:00\" is no date".to_owned(),
            access(1800),
            "no date",
        ),
        (
            "REFRESH_TOKEN_VALIDITY_PERIOD = NULL",
            "REFRESH_TOKEN_VALIDITY_PERIOD: it is NULL".to_owned(),
            access(1800),
            "no validity",
        ),
    ];
    for (change, expected_refresh, expected_access, why) in cases {
        let readings = readings(&format!("UPDATE IDN_OAUTH2_ACCESS_TOKEN SET {change}")).await;
        assert_eq!(readings.outcome(Kind::RefreshToken), expected_refresh, "{change}: {why}");
        assert_eq!(readings.outcome(Kind::AccessToken), expected_access, "{change}: {why}");
    }
}

#[tokio::test]
async fn a_token_is_found_by_its_hash_and_needs_no_key() {
    let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let by_hash = TokenDigest::from_bytes(regrant_crypto::sha256(b"test"));
    let json = format!(r#"{{"hash":"{hex}","algorithm":"SHA-256"}}"#);
    let reversed = format!(r#"{{"algorithm":"SHA-256","hash":"{hex}"}}"#);
    let cipher = "w8PD".repeat(64);
    let cases = [
        (format!("REFRESH_TOKEN_HASH = '{json}'"), Some(by_hash), "hash beside the plaintext"),
        (format!("REFRESH_TOKEN_HASH = '{reversed}'"), Some(by_hash), "members the other way round"),
        (
            format!("REFRESH_TOKEN = '{cipher}', REFRESH_TOKEN_HASH = '{json}'"),
            Some(by_hash),
            "hash beside a ciphertext",
        ),
        (format!("REFRESH_TOKEN = '{json}', REFRESH_TOKEN_HASH = '{json}'"), Some(by_hash), "hash in both columns"),
        (format!("REFRESH_TOKEN = '{json}'"), Some(by_hash), "hash in place of the token"),
        ("REFRESH_TOKEN_HASH = NULL".to_owned(), Some(digest("refresh-1")), "no hash, but the token"),
        (format!("REFRESH_TOKEN = '{cipher}'"), None, "a ciphertext alone"),
        (r#"REFRESH_TOKEN_HASH = '{"hash":"00","algorithm":"MD5"}'"#.to_owned(), None, "another algorithm"),
        (
            r#"REFRESH_TOKEN_HASH = '{"hash":"00","algorithm":"SHA-256"}'"#.to_owned(),
            None,
            "a hash that is not all there",
        ),
        ("REFRESH_TOKEN_HASH = 'what?'".to_owned(), None, "no hash at all"),
        ("TOKEN_ID = CAST(X'FF' AS TEXT)".to_owned(), None, "a row that its scopes cannot be found by"),
    ];
    for (change, expected, why) in cases {
        let readings = readings(&format!("UPDATE IDN_OAUTH2_ACCESS_TOKEN SET {change}")).await;
        let found = all!(readings, RefreshToken).into_iter().map(|token| token.digest).next();
        assert_eq!(found, expected, "{why}: {:?}", readings.problems);
        assert_eq!(readings.problems.is_empty(), expected.is_some(), "{why}");
    }
}

#[tokio::test]
async fn of_several_rows_with_one_refresh_token_the_newest_counts() {
    let again = |state: &str, created: &str| {
        format!(
            "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN SELECT 't0', 'access-0', REFRESH_TOKEN, CONSUMER_KEY_ID, AUTHZ_USER,
             TENANT_ID, USER_DOMAIN, USER_TYPE, GRANT_TYPE, '{created}', REFRESH_TOKEN_TIME_CREATED, VALIDITY_PERIOD,
             REFRESH_TOKEN_VALIDITY_PERIOD, TOKEN_SCOPE_HASH, '{state}', 'x', SUBJECT_IDENTIFIER, NULL, NULL
             FROM IDN_OAUTH2_ACCESS_TOKEN"
        )
    };
    let cases = [
        ("INACTIVE", "2026-11-21 11:00:00", Some("t1"), "the rotated row is older: renewRefreshToken=false"),
        ("ACTIVE", "2026-11-21 11:00:00", Some("t1"), "both are live, the first is older"),
        ("ACTIVE", "2026-11-21 11:45:00", Some("t0"), "both are live, the first is newer"),
        ("REVOKED", "2026-11-21 11:45:00", None, "the newest is revoked"),
    ];
    for (state, created, expected, why) in cases {
        let readings = readings(&again(state, created)).await;
        let live: Vec<&str> = all!(readings, RefreshToken).into_iter().map(|token| token.origin.key.as_str()).collect();
        assert_eq!(live, expected.into_iter().collect::<Vec<_>>(), "{why}");
    }
}

#[tokio::test]
async fn the_user_is_name_store_and_tenant() {
    let users = "CREATE TABLE UM_USER (UM_ID INTEGER, UM_USER_ID TEXT, UM_USER_NAME TEXT, UM_USER_PASSWORD TEXT,
        UM_SALT_VALUE TEXT, UM_TENANT_ID INTEGER);
        INSERT INTO UM_USER VALUES (1, 'uuid', 'alice', 'aGFzaA==', 'c2FsdA==', -1234), (2, 'uuid2', 'bob', 'h', 's', 1);
        INSERT INTO UM_TENANT VALUES (1, 'example.com');";
    let cases = [
        ("USER_DOMAIN = 'PRIMARY'", Some(("alice", UserStanding::Known)), "of the primary store"),
        ("AUTHZ_USER = 'carol'", Some(("carol", UserStanding::Missing)), "not there"),
        ("USER_DOMAIN = 'LDAP'", Some(("LDAP/alice", UserStanding::Elsewhere)), "of another store"),
        (
            "USER_DOMAIN = 'FEDERATED'",
            Some(("FEDERATED/alice", UserStanding::Elsewhere)),
            "of another identity provider",
        ),
        ("AUTHZ_USER = 'bob', TENANT_ID = 1", Some(("bob@example.com", UserStanding::Known)), "of another tenant"),
        (
            "TENANT_ID = 1",
            Some(("alice@example.com", UserStanding::Missing)),
            "the same name in another tenant is another",
        ),
        ("USER_TYPE = 'APPLICATION'", None, "the application itself"),
    ];
    for (change, expected, why) in cases {
        let readings = readings(&format!("{users} UPDATE IDN_OAUTH2_ACCESS_TOKEN SET {change}")).await;
        let user = only!(readings, RefreshToken).user.as_ref();
        assert_eq!(user.map(|user| (user.subject.as_str(), user.standing)), expected, "{why}");
        let user = all!(readings, User).into_iter().next();
        assert!(matches!(user.unwrap().password, ForeignPassword::Wso2 { .. }));
    }
}

#[tokio::test]
async fn applications_count_in_seconds_and_defaults_in_milliseconds_are_noticed() {
    let year = 31_536_000;
    let cases = [
        ("REFRESH_TOKEN_EXPIRE_TIME = 84600", Some(Lifetime::from_seconds(84_600)), 0, "WSO2's default"),
        ("REFRESH_TOKEN_EXPIRE_TIME = 0", None, 0, "the server's own"),
        (
            "REFRESH_TOKEN_EXPIRE_TIME = 84600000, USER_ACCESS_TOKEN_EXPIRE_TIME = 3600000",
            Some(Lifetime::from_seconds(84_600)),
            1,
            "milliseconds",
        ),
        ("REFRESH_TOKEN_EXPIRE_TIME = 31536000", Some(Lifetime::from_seconds(year)), 0, "a year is a year"),
        ("REFRESH_TOKEN_EXPIRE_TIME = -1", Some(Lifetime::Never), 0, "never"),
    ];
    for (change, expected, remarks, why) in cases {
        let readings = readings(&format!("UPDATE IDN_OAUTH_CONSUMER_APPS SET {change}")).await;
        let client = only!(readings, Client);
        assert_eq!((client.lifetimes.refresh_token, client.remarks.len()), (expected, remarks), "{why}");
    }
}

#[tokio::test]
async fn secrets_and_properties_of_an_application_are_taken_over() {
    let readings = readings(
        "CREATE TABLE IDN_OAUTH_CONSUMER_SECRETS (SECRET_ID TEXT PRIMARY KEY, CONSUMER_KEY_ID INTEGER, SECRET_VALUE TEXT,
           CREATED_TIME TIMESTAMP, EXPIRY_TIME BIGINT);
         INSERT INTO IDN_OAUTH_CONSUMER_SECRETS VALUES ('a', 1, 'older', '2026-01-01 00:00:00', NULL),
           ('b', 1, 'newer', '2026-02-01 00:00:00', NULL), ('c', 1, 'over', '2026-03-01 00:00:00', 1);
         INSERT INTO IDN_OIDC_PROPERTY VALUES (1, -1234, 'app', 'renewRefreshToken', 'false'),
           (2, -1234, 'app', 'bypassClientCredentials', 'true'), (3, -1234, 'app', 'tokenEndpointAuthMethod', 'none');
         INSERT INTO IDN_OAUTH_CONSUMER_APPS (ID, CONSUMER_KEY, OAUTH_VERSION) VALUES (2, 'old', 'OAuth-1.0a');",
    )
    .await;
    let client = only!(readings, Client);
    let plain = |text: &str| ForeignSecret::Plain(regrant_protocol::Secret::new(text.to_owned()));
    assert_eq!((&client.secret, &client.other_secret), (&plain("newer"), &plain("older")));
    assert_eq!((client.rotation.renews, client.rotation.extends), (Some(false), None));
    assert!(client.is_public);
    assert_eq!(client.auth_method.as_deref(), Some("none"));
    assert_eq!(readings.left_out_for(Kind::Client, &Reason::OtherProtocol), 1);
}

#[tokio::test]
async fn partitions_and_tables_of_refresh_tokens_alone_are_read_too() {
    let readings = readings(
        "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_A AS SELECT * FROM IDN_OAUTH2_ACCESS_TOKEN;
         UPDATE IDN_OAUTH2_ACCESS_TOKEN_A SET TOKEN_ID = 't2', REFRESH_TOKEN = 'refresh-2', ACCESS_TOKEN = 'access-2';
         CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_SCOPE_A (TOKEN_ID TEXT, TOKEN_SCOPE TEXT, TENANT_ID INTEGER);
         INSERT INTO IDN_OAUTH2_ACCESS_TOKEN_SCOPE_A VALUES ('t2', 'openid', -1234);
         CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_AUDIT AS SELECT * FROM IDN_OAUTH2_ACCESS_TOKEN;
         CREATE TABLE IDN_OAUTH2_REFRESH_TOKEN (REFRESH_TOKEN_ID TEXT PRIMARY KEY, REFRESH_TOKEN TEXT, CONSUMER_KEY_ID INTEGER,
           AUTHZ_USER TEXT, TENANT_ID INTEGER, USER_DOMAIN TEXT, GRANT_TYPE TEXT, REFRESH_TOKEN_TIME_CREATED TIMESTAMP,
           REFRESH_TOKEN_VALIDITY_PERIOD BIGINT, TOKEN_STATE TEXT, REFRESH_TOKEN_HASH TEXT);
         CREATE TABLE IDN_OAUTH2_REFRESH_TOKEN_SCOPE (REFRESH_TOKEN_ID TEXT, TOKEN_SCOPE TEXT, TENANT_ID INTEGER);
         INSERT INTO IDN_OAUTH2_REFRESH_TOKEN VALUES ('t3', 'refresh-3', 1, 'alice', -1234, 'PRIMARY', 'password',
           '2026-11-21 11:30:00', 86400000, 'ACTIVE', NULL);
         INSERT INTO IDN_OAUTH2_REFRESH_TOKEN_SCOPE VALUES ('t3', 'address', -1234);",
    )
    .await;
    let mut tokens: Vec<(&str, &str)> = all!(readings, RefreshToken)
        .into_iter()
        .map(|token| (token.origin.key.as_str(), token.scope.as_ref().unwrap().as_str()))
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [("t1", "email openid"), ("t2", "openid"), ("t3", "address")]);
    assert_eq!(readings.problems, []);
}

#[tokio::test]
async fn a_directory_of_csv_files_is_a_database() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write(
        "IDN_OAUTH_CONSUMER_APPS.csv",
        "ID,CONSUMER_KEY,CONSUMER_SECRET,CALLBACK_URL,GRANT_TYPES\n1,app,secret,,refresh_token\n",
    );
    write(
        "IDN_OAUTH2_ACCESS_TOKEN.csv",
        "\u{feff}TOKEN_ID,ACCESS_TOKEN,REFRESH_TOKEN,CONSUMER_KEY_ID,AUTHZ_USER,TENANT_ID,USER_DOMAIN,TIME_CREATED,\
         REFRESH_TOKEN_TIME_CREATED,VALIDITY_PERIOD,REFRESH_TOKEN_VALIDITY_PERIOD,TOKEN_STATE,REFRESH_TOKEN_HASH\r\n\
         t1,access-1,refresh-1,1,alice,-1234,PRIMARY,2026-11-21 11:30:00.0,2026-11-21 11:30:00.0,3600000,86400000,ACTIVE,\
         \"{\"\"hash\"\":\"\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\",\"\"algorithm\"\":\"\"SHA-256\"\"}\"\r\n",
    );
    let readings = read(System::Wso2, &directory.path().display().to_string(), options()).await.unwrap();
    assert_eq!(only!(readings, RefreshToken).digest, digest("test"));
    assert_eq!(only!(readings, AccessToken).expires_at, Some(Timestamp::from_seconds(NOW.seconds() + 1800)));

    write("IDN_OAUTH_CONSUMER_APPS.csv", "1,app\n");
    let error = read(System::Wso2, &directory.path().display().to_string(), options()).await.unwrap_err().to_string();
    assert!(error.contains("IDN_OAUTH_CONSUMER_APPS") && error.contains("ID"), "{error}");
}
