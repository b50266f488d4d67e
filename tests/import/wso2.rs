//! WSO2 Identity Server: plain tokens on MariaDB, hashed ones on PostgreSQL.

use regrant_databases::Postgres;

use crate::mariadb::Mariadb;
use crate::old_database::{DAY, HOUR, hex, token, utc};
use crate::site::{Site, count, post};

/// `dbscripts/identity` of 7.x, as far as tokens, applications and users go; the types are those of both databases.
const SCHEMA: &str = "
CREATE TABLE IDN_OAUTH_CONSUMER_APPS (ID INTEGER NOT NULL, CONSUMER_KEY VARCHAR(255), CONSUMER_SECRET VARCHAR(2048), USERNAME VARCHAR(255), TENANT_ID INTEGER DEFAULT 0, USER_DOMAIN VARCHAR(50), APP_NAME VARCHAR(255), OAUTH_VERSION VARCHAR(128), CALLBACK_URL VARCHAR(2048), GRANT_TYPES VARCHAR(1024), PKCE_MANDATORY CHAR(1) DEFAULT '0', PKCE_SUPPORT_PLAIN CHAR(1) DEFAULT '0', APP_STATE VARCHAR(25) DEFAULT 'ACTIVE', USER_ACCESS_TOKEN_EXPIRE_TIME BIGINT DEFAULT 3600, APP_ACCESS_TOKEN_EXPIRE_TIME BIGINT DEFAULT 3600, REFRESH_TOKEN_EXPIRE_TIME BIGINT DEFAULT 84600, ID_TOKEN_EXPIRE_TIME BIGINT DEFAULT 3600, PRIMARY KEY (ID));
CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID VARCHAR(255), ACCESS_TOKEN VARCHAR(2048), REFRESH_TOKEN VARCHAR(2048), CONSUMER_KEY_ID INTEGER, AUTHZ_USER VARCHAR(100), TENANT_ID INTEGER, USER_DOMAIN VARCHAR(50), USER_TYPE VARCHAR(25), GRANT_TYPE VARCHAR(50), TIME_CREATED TIMESTAMP NULL, REFRESH_TOKEN_TIME_CREATED TIMESTAMP NULL, VALIDITY_PERIOD BIGINT, REFRESH_TOKEN_VALIDITY_PERIOD BIGINT, TOKEN_SCOPE_HASH VARCHAR(32), TOKEN_STATE VARCHAR(25) DEFAULT 'ACTIVE', TOKEN_STATE_ID VARCHAR(128) DEFAULT 'NONE', SUBJECT_IDENTIFIER VARCHAR(255), ACCESS_TOKEN_HASH VARCHAR(512), REFRESH_TOKEN_HASH VARCHAR(512), IDP_ID INTEGER DEFAULT -1, TOKEN_BINDING_REF VARCHAR(32) DEFAULT 'NONE', PRIMARY KEY (TOKEN_ID));
CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_SCOPE (TOKEN_ID VARCHAR(255), TOKEN_SCOPE VARCHAR(100), TENANT_ID INTEGER DEFAULT -1, PRIMARY KEY (TOKEN_ID, TOKEN_SCOPE));
CREATE TABLE IDN_OIDC_PROPERTY (ID INTEGER PRIMARY KEY, TENANT_ID INTEGER, CONSUMER_KEY VARCHAR(255), PROPERTY_KEY VARCHAR(255), PROPERTY_VALUE VARCHAR(2047));
CREATE TABLE IDN_OAUTH2_SCOPE (SCOPE_ID INTEGER PRIMARY KEY, NAME VARCHAR(255) NOT NULL, DISPLAY_NAME VARCHAR(255) NOT NULL, DESCRIPTION VARCHAR(512), TENANT_ID INTEGER NOT NULL DEFAULT -1, SCOPE_TYPE VARCHAR(255) NOT NULL);
CREATE TABLE UM_TENANT (UM_ID INTEGER PRIMARY KEY, UM_DOMAIN_NAME VARCHAR(255) NOT NULL);
CREATE TABLE UM_USER (UM_ID INTEGER NOT NULL, UM_USER_ID VARCHAR(255) NOT NULL, UM_USER_NAME VARCHAR(255) NOT NULL, UM_USER_PASSWORD VARCHAR(255) NOT NULL, UM_SALT_VALUE VARCHAR(31), UM_REQUIRE_CHANGE BOOLEAN DEFAULT FALSE, UM_CHANGED_TIME TIMESTAMP NULL, UM_TENANT_ID INTEGER DEFAULT 0, PRIMARY KEY (UM_ID, UM_TENANT_ID));
";

const DEAD: &str = r#"{"error_description":"Persisted access token data not found","error":"invalid_grant"}"#;

/// A pair of tokens.
struct Pair {
    name: &'static str,
    user: &'static str,
    state: &'static str,
    refresh_ends_in: i64,
    /// In milliseconds, as they are there; less than nothing is for ever.
    refresh_validity: i64,
}

const PAIRS: [Pair; 6] = [
    Pair { name: "active", user: "admin", state: "ACTIVE", refresh_ends_in: HOUR, refresh_validity: DAY * 1000 },
    Pair {
        name: "expired access",
        user: "admin",
        state: "EXPIRED",
        refresh_ends_in: HOUR,
        refresh_validity: DAY * 1000,
    },
    Pair { name: "for ever", user: "elsewhere", state: "ACTIVE", refresh_ends_in: 0, refresh_validity: -1000 },
    Pair { name: "rotated", user: "admin", state: "INACTIVE", refresh_ends_in: HOUR, refresh_validity: DAY * 1000 },
    Pair { name: "revoked", user: "admin", state: "REVOKED", refresh_ends_in: HOUR, refresh_validity: DAY * 1000 },
    Pair { name: "run out", user: "admin", state: "ACTIVE", refresh_ends_in: -60, refresh_validity: DAY * 1000 },
];

fn database(is_hashed: bool, password: &str) -> String {
    let hashed = |text: &str| format!(r#"{{"hash":"{}","algorithm":"SHA-256"}}"#, hex(text));
    let secret = if is_hashed { hashed("app-secret") } else { "app-secret".to_owned() };
    let mut sql = SCHEMA.to_owned();
    sql.push_str(&format!(
        "INSERT INTO IDN_OAUTH_CONSUMER_APPS (ID, CONSUMER_KEY, CONSUMER_SECRET, TENANT_ID, APP_NAME, OAUTH_VERSION, CALLBACK_URL, GRANT_TYPES)
           VALUES (1, 'app', '{secret}', -1234, 'The App', 'OAuth-2.0', 'https://app.example/cb', 'password refresh_token authorization_code urn:ietf:params:oauth:grant-type:saml2-bearer'),
                  (2, 'old', 'x', -1234, 'Very old', 'OAuth-1.0a', '', '');
         INSERT INTO UM_USER (UM_ID, UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_TENANT_ID)
           VALUES (1, '4f2b', 'admin', '{password}', 'c2FsdHNhbHRzYWx0c2FsdA==', -1234);
         INSERT INTO IDN_OAUTH2_SCOPE VALUES (1, 'openid', 'openid', '', -1234, 'OIDC'), (2, 'read', 'read', '', -1234, 'OAUTH2');\n"
    ));
    for Pair { name, user, state, refresh_ends_in, refresh_validity } in PAIRS {
        let (access, refresh) = (token(&format!("access of {name}")), token(name));
        let created = utc(refresh_ends_in - DAY);
        let kept = |token: &str| if is_hashed { hashed(token) } else { token.to_owned() };
        sql.push_str(&format!(
            "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, ACCESS_TOKEN, REFRESH_TOKEN, CONSUMER_KEY_ID, AUTHZ_USER, TENANT_ID, USER_DOMAIN,
               USER_TYPE, GRANT_TYPE, TIME_CREATED, REFRESH_TOKEN_TIME_CREATED, VALIDITY_PERIOD, REFRESH_TOKEN_VALIDITY_PERIOD, TOKEN_STATE,
               TOKEN_STATE_ID, SUBJECT_IDENTIFIER, ACCESS_TOKEN_HASH, REFRESH_TOKEN_HASH)
             VALUES ('{name}', '{}', '{}', 1, '{user}', -1234, 'PRIMARY', 'APPLICATION_USER', 'password', '{}', '{created}', 3600000,
               {refresh_validity}, '{state}', '{name}', '{user}', '{}', '{}');
             INSERT INTO IDN_OAUTH2_ACCESS_TOKEN_SCOPE VALUES ('{name}', 'openid', -1234), ('{name}', 'read', -1234);\n",
            kept(&access),
            kept(&refresh),
            utc(-600),
            hashed(&access),
            hashed(&refresh),
        ));
    }
    sql
}

fn takes_over(site: &Site, url: &str, password_file: &str, more: &[&str], password: &str) {
    let report = site.report("wso2", url, &[&["--password-file", password_file], more].concat());
    assert_eq!(count(&report, "clients", "taken_over"), 1, "{report}");
    assert_eq!(report["rows"]["clients"]["left_out"]["of OAuth 1.0a"], 1, "{report}");
    for (kind, found, taken_over) in [("users", 1, 1), ("refresh tokens", 6, 3), ("access tokens", 6, 3)] {
        assert_eq!(
            (count(&report, kind, "found"), count(&report, kind, "taken_over")),
            (found, taken_over),
            "{report}"
        );
    }
    assert_eq!(report["never_ending_tokens"], 1);

    let program = site.serve();
    let token_url = format!("{}/oauth2/token", program.url);
    let introspect = |token: &str| {
        post(&format!("{}/oauth2/introspect", program.url), "app:app-secret", &format!("token={token}")).body
    };
    let access = token("access of active");
    assert!(introspect(&access).contains(r#""active":true"#), "{}", introspect(&access));
    for name in ["active", "expired access", "for ever"] {
        let form = format!("grant_type=refresh_token&refresh_token={}", token(name));
        let answer = post(&token_url, "app:app-secret", &form);
        assert!(answer.member("refresh_token").starts_with("rgr_"), "{name}");
        assert_eq!(answer.member("scope"), "openid read", "{name}");
    }
    assert!(introspect(&access).contains(r#""active":false"#), "a refresh ends the access token before it");
    for name in ["rotated", "revoked", "run out", "never given out"] {
        let form = format!("grant_type=refresh_token&refresh_token={}", token(name));
        let answer = post(&token_url, "app:app-secret", &form);
        assert_eq!((answer.status, answer.body.as_str()), (400, DEAD), "{name}");
    }
    let log_in = |password: &str| {
        post(&token_url, "app:app-secret", &format!("grant_type=password&username=admin&password={password}")).status
    };
    assert_eq!((log_in(password), log_in(password), log_in("wrong")), (200, 200, 400));
}

#[test]
fn plain_tokens_on_mariadb_go_on() {
    let mariadb = Mariadb::start();
    // base64(SHA-256("admin" ‖ salt)), the salt as the text that it is
    let password = "wcpYc6Iqx3k8rRp61TEEd91QnuRdxJpz77YEWyTjGrE=";
    mariadb.sql(&format!("USE old; SET time_zone = '+00:00'; {}", database(false, password)));
    let site = Site::new("wso2", "");
    takes_over(&site, &mariadb.url(), &mariadb.password_file(), &[], "admin");
}

#[test]
fn hashed_tokens_on_postgresql_go_on() {
    let postgres = Postgres::start();
    // PBKDF2-HMAC-SHA-256, 10,000 times, 32 bytes
    let password = "mLecPjpXjRJtQcCwUlsFK9Dfr0FN9dcy/ms07xC8ZcM=";
    postgres.sql(&database(true, password));
    let site = Site::new("wso2", "");
    let more = ["--password-digest", "PBKDF2"];
    takes_over(&site, &postgres.url(), &postgres.password_file(), &more, "wonder");
}
