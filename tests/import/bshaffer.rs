//! bshaffer's oauth2-server-php on SQLite, written by PHP in New York's winter.

use std::collections::BTreeSet;
use std::thread;

use crate::old_database::{DAY, HOUR, token, wall};
use crate::site::{Site, count, post, sqlite};

/// `Pdo::getBuildSql`.
pub(crate) const SCHEMA: &str = "
CREATE TABLE oauth_clients (client_id VARCHAR(80) NOT NULL, client_secret VARCHAR(80), redirect_uri VARCHAR(2000), grant_types VARCHAR(80), scope VARCHAR(4000), user_id VARCHAR(80), PRIMARY KEY (client_id));
CREATE TABLE oauth_access_tokens (access_token VARCHAR(40) NOT NULL, client_id VARCHAR(80) NOT NULL, user_id VARCHAR(80), expires TIMESTAMP NOT NULL, scope VARCHAR(4000), PRIMARY KEY (access_token));
CREATE TABLE oauth_authorization_codes (authorization_code VARCHAR(40) NOT NULL, client_id VARCHAR(80) NOT NULL, user_id VARCHAR(80), redirect_uri VARCHAR(2000), expires TIMESTAMP NOT NULL, scope VARCHAR(4000), id_token VARCHAR(1000), code_challenge VARCHAR(1000), code_challenge_method VARCHAR(20), PRIMARY KEY (authorization_code));
CREATE TABLE oauth_refresh_tokens (refresh_token VARCHAR(40) NOT NULL, client_id VARCHAR(80) NOT NULL, user_id VARCHAR(80), expires TIMESTAMP NOT NULL, scope VARCHAR(4000), PRIMARY KEY (refresh_token));
CREATE TABLE oauth_users (username VARCHAR(80), password VARCHAR(80), first_name VARCHAR(80), last_name VARCHAR(80), email VARCHAR(80), email_verified BOOLEAN, scope VARCHAR(4000));
CREATE TABLE oauth_scopes (scope VARCHAR(80) NOT NULL, is_default BOOLEAN, PRIMARY KEY (scope));
CREATE TABLE oauth_jwt (client_id VARCHAR(80) NOT NULL, subject VARCHAR(80), public_key VARCHAR(2000) NOT NULL);
CREATE TABLE oauth_jti (issuer VARCHAR(80) NOT NULL, subject VARCHAR(80), audiance VARCHAR(80), expires TIMESTAMP NOT NULL, jti VARCHAR(2000) NOT NULL);
CREATE TABLE oauth_public_keys (client_id VARCHAR(80), public_key VARCHAR(2000), private_key VARCHAR(2000), encryption_algorithm VARCHAR(100) DEFAULT 'RS256');
";

/// The hours of the clock by which PHP wrote, and its name.
const HOURS_EAST: i64 = -5;
pub(crate) const ZONE: &str = "Etc/GMT+5";

pub(crate) const ROTATES: &str = "[bshaffer]\nalways_issue_new_refresh_token = true\n";
pub(crate) const DEAD: &str = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;

/// A row of `oauth_refresh_tokens` whose token is made of `name`.
pub(crate) fn refresh_row(name: &str, client: &str, user: &str, expires: &str, scope: &str) -> String {
    let token = token(name);
    format!("INSERT INTO oauth_refresh_tokens VALUES ('{token}', '{client}', {user}, '{expires}', {scope});\n")
}

/// Clients, users, and tokens that live and that do not.
pub(crate) fn database() -> String {
    let at = |seconds| wall(seconds, HOURS_EAST);
    let mut sql = SCHEMA.to_owned();
    sql.push_str(
        "INSERT INTO oauth_clients VALUES ('testclient', 'testpass', 'https://app.example/cb', NULL, NULL, NULL),
           ('app', '', 'http://127.0.0.1/cb', 'authorization_code refresh_token', 'basic', NULL),
           ('nothing', 'secret', '', '', NULL, NULL);
         INSERT INTO oauth_users VALUES ('bshaffer', '35d3f3604337a503fd2efd0d76591ddbd2fb6579', 'Brent', 'Shaffer', 'brent@example.com', 1, NULL);
         INSERT INTO oauth_scopes VALUES ('basic', 1), ('write', 0);\n",
    );
    for (name, client, user, expires, scope) in [
        ("live", "testclient", "'bshaffer'", at(10 * DAY), "'basic'"),
        ("in an hour", "testclient", "'bshaffer'", at(HOUR), "'basic'"),
        ("never", "testclient", "'bshaffer'", "1969-12-31 19:00:00".to_owned(), "'basic'"),
        ("null scope", "testclient", "'bshaffer'", at(DAY), "NULL"),
        ("orphan", "testclient", "'nobody'", at(DAY), "'basic'"),
        ("public", "app", "'bshaffer'", at(DAY), "'basic'"),
        ("tabs", "testclient", "'bshaffer'", at(DAY), "'basic write'"),
        ("paired", "testclient", "'carol'", at(DAY), "'basic'"),
        ("expired", "testclient", "'bshaffer'", at(-HOUR), "'basic'"),
        ("of nobody's client", "gone", "'bshaffer'", at(DAY), "'basic'"),
        ("of nobody", "testclient", "NULL", at(DAY), "'basic'"),
    ] {
        sql.push_str(&refresh_row(name, client, user, &expires, scope));
    }
    for (name, user, expires) in [
        ("access", "'bshaffer'", at(50 * 60)),
        ("access of carol", "'carol'", at(50 * 60)),
        ("access of dave", "'dave'", at(50 * 60)),
        ("access of testclient", "NULL", at(50 * 60)),
        ("dead access", "'bshaffer'", at(-60)),
        ("dead on arrival", "'bshaffer'", "1969-12-31 19:00:00".to_owned()),
    ] {
        let token = token(name);
        sql.push_str(&format!(
            "INSERT INTO oauth_access_tokens VALUES ('{token}', 'testclient', {user}, '{expires}', 'basic');\n"
        ));
    }
    sql
}

#[test]
fn every_live_token_refreshes_and_every_dead_one_is_refused_in_its_words() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    let report = site.report("bshaffer", &from, &["--timezone", ZONE]);
    for (kind, found, taken_over) in
        [("clients", 3, 3), ("users", 1, 1), ("scopes", 2, 2), ("refresh tokens", 11, 8), ("access tokens", 6, 3)]
    {
        assert_eq!(
            (count(&report, kind, "found"), count(&report, kind, "taken_over")),
            (found, taken_over),
            "{report}"
        );
    }
    assert_eq!(report["users_made_for_tokens"], 3, "nobody, carol and dave: {report}");
    assert_eq!(report["never_ending_tokens"], 1);

    let program = site.serve();
    let url = format!("{}/token", program.url);
    let refresh = |name: &str| {
        let (credentials, more) = if name == "public" { ("", "&client_id=app") } else { ("testclient:testpass", "") };
        post(&url, credentials, &format!("grant_type=refresh_token&refresh_token={}{more}", token(name)))
    };
    for name in ["live", "in an hour", "never", "null scope", "orphan", "public", "tabs", "paired"] {
        let answer = refresh(name);
        let next = answer.member("refresh_token");
        assert!(next.starts_with("rgr_"), "{name}");
        let scope = if name == "null scope" || name == "tabs" { "basic write" } else { "basic" };
        assert_eq!(answer.member("scope"), scope, "{name}");
        let access = answer.member("access_token");
        let introspected =
            post(&format!("{}/introspect", program.url), "testclient:testpass", &format!("token={access}"));
        assert!(introspected.body.contains(r#""active":true"#) || name == "public", "{name}: {introspected:?}");
    }
    for name in ["expired", "of nobody's client", "of nobody", "never given out"] {
        let answer = refresh(name);
        assert_eq!((answer.status, answer.body.as_str()), (400, DEAD), "{name}");
    }

    let introspect = |name: &str| {
        post(&format!("{}/introspect", program.url), "testclient:testpass", &format!("token={}", token(name))).body
    };
    for (name, subject) in [("access", "bshaffer"), ("access of carol", "carol"), ("access of dave", "dave")] {
        let body = introspect(name);
        assert!(body.contains(&format!(r#""sub":"{subject}""#)) && body.contains(r#""active":true"#), "{name}: {body}");
    }
    for name in ["access of testclient", "dead access", "dead on arrival"] {
        assert_eq!(introspect(name), r#"{"active":false}"#, "{name}");
    }
}

#[test]
fn an_access_token_ends_with_the_refresh_token_of_its_client_and_user() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    let program = site.serve();
    let introspect = |name: &str| {
        post(&format!("{}/introspect", program.url), "testclient:testpass", &format!("token={}", token(name))).body
    };
    let revoked = post(
        &format!("{}/revoke", program.url),
        "testclient:testpass",
        &format!("token={}&token_type_hint=refresh_token", token("paired")),
    );
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(introspect("access of carol"), r#"{"active":false}"#);
    assert!(introspect("access of dave").contains(r#""active":true"#), "it has no refresh token");
}

#[test]
fn two_tabs_that_refresh_an_imported_token_at_once_get_one_successor() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    let program = site.serve();
    let url = format!("{}/token", program.url);
    let form = format!("grant_type=refresh_token&refresh_token={}", token("live"));
    let successors: BTreeSet<String> = thread::scope(|scope| {
        let tabs: Vec<_> =
            (0..8).map(|_| scope.spawn(|| post(&url, "testclient:testpass", &form).member("refresh_token"))).collect();
        tabs.into_iter().map(|tab| tab.join().expect("every tab is answered")).collect()
    });
    assert_eq!(successors.len(), 1, "{successors:?}");
}

#[test]
fn people_and_programs_log_in_as_before() {
    let site = Site::new("bshaffer", ROTATES);
    let from = sqlite(&site.path("old.sqlite"), &database());
    site.report("bshaffer", &from, &["--timezone", ZONE]);
    let program = site.serve();
    let url = format!("{}/token", program.url);
    let log_in = |password: &str| {
        post(&url, "testclient:testpass", &format!("grant_type=password&username=bshaffer&password={password}"))
    };
    // SHA-1 the first time, Argon2id from then on.
    for _ in 0..2 {
        assert_eq!(log_in("brent123").status, 200);
        assert_ne!(log_in("brent124").status, 200);
    }
    let own = |credentials: &str| post(&url, credentials, "grant_type=client_credentials").status;
    assert_eq!((own("testclient:testpass"), own("testclient:wrong")), (200, 400));
    assert_ne!(own("nothing:secret"), 200, "it may do nothing");
}
