use regrant_databases::Postgres;
use regrant_tests::{CHALLENGE, VERIFIER};

use super::site::{CALLBACK, Site, Told, is_active, log_in, post, refresh, write};
use crate::browser::{Browser, parameter};
use crate::curl::bash;

const IMPORTED: &str = "0d6fb2a9c1e84375a0f1c2d3e4b5968778695a4b";
const IMPORTED_USED: &str = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d12345678";
const IMPORTED_ACCESS: &str = "5e884898da28047151d0e56f8dc6292773603d0d";

/// What oauth2-server-php had: two refresh tokens and an access token of alice.
fn old_database() -> String {
    let far = "2999-01-01 00:00:00";
    format!(
        "CREATE TABLE oauth_clients (client_id VARCHAR(80), client_secret VARCHAR(80), redirect_uri VARCHAR(2000), grant_types VARCHAR(80), scope VARCHAR(4000), user_id VARCHAR(80));
         CREATE TABLE oauth_access_tokens (access_token VARCHAR(40), client_id VARCHAR(80), user_id VARCHAR(80), expires TIMESTAMP, scope VARCHAR(4000));
         CREATE TABLE oauth_refresh_tokens (refresh_token VARCHAR(40), client_id VARCHAR(80), user_id VARCHAR(80), expires TIMESTAMP, scope VARCHAR(4000));
         INSERT INTO oauth_clients VALUES ('old', 'sesame', '', 'refresh_token', 'read', NULL);
         INSERT INTO oauth_refresh_tokens VALUES ('{IMPORTED}', 'old', 'ann', '{far}', 'read');
         INSERT INTO oauth_refresh_tokens VALUES ('{IMPORTED_USED}', 'old', 'ann', '{far}', 'read');
         INSERT INTO oauth_access_tokens VALUES ('{IMPORTED_ACCESS}', 'old', 'ann', '{far}', 'read');\n"
    )
}

#[test]
fn every_token_lives_on_and_what_is_dead_stays_dead() {
    let database = Postgres::shared().database();
    let site = Site::new(&database);
    write(&site.path("old.sql"), &old_database());
    let old = site.path("old.sql").display().to_string();
    let told = Told::of(&mut site.command(&["import", "bshaffer", "--accept-clock", "--from", &old]));
    assert!(told.is_done, "{}", told.stderr);

    let sqlite = site.serve_sqlite();
    site.add_alice();
    let first = log_in(&sqlite, "app");
    let second = refresh(&sqlite, "app", &first.refresh_token());
    let opaque = log_in(&sqlite, "opaque");
    let revoked = log_in(&sqlite, "app").refresh_token();
    assert_eq!(post(&sqlite, "app", "revoke", &format!("token={revoked}")).status, 200);
    let listed = log_in(&sqlite, "app").member("access_token");
    assert_eq!(post(&sqlite, "app", "revoke", &format!("token={listed}")).status, 200);
    let used = log_in(&sqlite, "app");
    let newer = refresh(&sqlite, "app", &used.refresh_token()).refresh_token();
    let newest = refresh(&sqlite, "app", &newer).refresh_token();
    let imported = refresh(&sqlite, "old", IMPORTED_USED).refresh_token();
    let request = format!(
        "/authorize?response_type=code&client_id=app&code_challenge_method=S256&code_challenge={CHALLENGE}&scope=openid+read\
         &redirect_uri={CALLBACK}&state=s"
    );
    let mut browser = Browser::new(&sqlite.url);
    let login = browser.open(&request);
    let entered = [("request", login.request()), ("username", "alice"), ("password", "wonderland")];
    let to_consent = browser.submit("/login", &entered).redirect().to_owned();
    let consent = browser.open(&to_consent);
    let allow = [("request", consent.request()), ("decision", "allow"), ("allow_0", "openid"), ("allow_1", "read")];
    let back = browser.submit("/consent", &allow).redirect().to_owned();
    let keys = bash(&format!("curl -s {}/.well-known/jwks.json", sqlite.url));
    sqlite.terminate();

    let told = site.moves();
    assert!(told.stdout.contains("imported_refresh_tokens  2 "), "{}", told.stdout);
    assert!(told.stderr.contains("every row was read back and is the same"), "{}", told.stderr);

    let postgres = site.serve_postgres();
    assert_eq!(bash(&format!("curl -s {}/.well-known/jwks.json", postgres.url)), keys);
    let code = parameter(&back, "code");
    let redeem = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}");
    let redeemed = post(&postgres, "app", "token", &redeem).refresh_token();
    refresh(&postgres, "app", &redeemed).refresh_token();
    postgres.url.clone_into(&mut browser.url);
    assert!(browser.open("/account").body.contains("alice"));
    let back = browser.open(&format!("{request}&prompt=none")).redirect().to_owned();
    assert!(back.contains("code=rgc_"), "session and consent: {back}");

    for (client, token) in [
        ("app", first.member("access_token")),
        ("app", second.member("access_token")),
        ("opaque", opaque.member("access_token")),
        ("old", IMPORTED_ACCESS.to_owned()),
    ] {
        assert!(is_active(&postgres, client, &token), "{client}");
    }
    assert!(!is_active(&postgres, "app", &listed));
    let retried = refresh(&postgres, "app", &first.refresh_token());
    assert_eq!(retried.refresh_token(), second.refresh_token(), "a retry across the move");
    let third = refresh(&postgres, "app", &second.refresh_token()).refresh_token();
    refresh(&postgres, "app", &third).refresh_token();
    refresh(&postgres, "opaque", &opaque.refresh_token()).refresh_token();
    assert_eq!(refresh(&postgres, "old", IMPORTED_USED).refresh_token(), imported);
    refresh(&postgres, "old", IMPORTED).refresh_token();
    refresh(&postgres, "app", &revoked).assert_invalid_grant();
    refresh(&postgres, "app", &used.refresh_token()).assert_invalid_grant();
    refresh(&postgres, "app", &newest).assert_invalid_grant();
    log_in(&postgres, "app").refresh_token();
    postgres.terminate();

    assert!(site.refusal("sqlite.toml").contains("was moved to postgres://"));
    assert!(site.has("regrant.db.moved-to-postgres") && !site.has("regrant.db"));
    assert!(site.moves().stderr.contains("an earlier move had come to its end"));
}

#[test]
fn what_would_be_moved_is_told_while_the_server_runs_and_nothing_is_changed() {
    let database = Postgres::shared().database();
    let site = Site::new(&database);
    let sqlite = site.serve_sqlite();
    site.add_alice();
    let token = log_in(&sqlite, "app").refresh_token();
    let told = Told::of(site.moving().arg("--dry-run"));
    assert!(told.is_done && told.stdout.contains("grants                   1 "), "{}{}", told.stdout, told.stderr);
    let told = Told::of(site.moving().args(["--dry-run", "--json"]));
    assert!(told.stdout.contains("\"dry_run\": true"), "{}", told.stdout);
    assert_eq!(database.sql("SELECT to_regnamespace('regrant') IS NULL").trim(), "t");
    refresh(&sqlite, "app", &token).refresh_token();
    sqlite.terminate();
    let told = Told::of(site.moving().arg("--json"));
    let moved: serde_json::Value = serde_json::from_str(&told.stdout).expect("it is JSON");
    let tables = moved["tables"].as_array().expect("a list");
    assert!(tables.iter().any(|table| table["name"] == "grants" && table["rows"] == 1), "{moved}");
    assert!(tables.iter().all(|table| table["digest"].as_str().is_some_and(|digest| digest.len() == 16)), "{moved}");
}
