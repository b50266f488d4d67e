//! DotAuth's Marten tables on PostgreSQL.

use regrant_databases::Postgres;

use crate::old_database::{DAY, HOUR, hex, utc};
use crate::site::{Site, count, post};

/// What Marten makes of DotAuth's documents.
const SCHEMA: &str = "
CREATE TABLE mt_doc_client (tenant_id varchar NOT NULL DEFAULT '*DEFAULT*', id varchar NOT NULL, data jsonb NOT NULL, mt_last_modified timestamptz DEFAULT transaction_timestamp(), mt_version uuid, mt_dotnet_type varchar, PRIMARY KEY (tenant_id, id));
CREATE TABLE mt_doc_grantedtoken (tenant_id varchar NOT NULL DEFAULT '*DEFAULT*', id varchar NOT NULL, data jsonb NOT NULL, mt_last_modified timestamptz DEFAULT transaction_timestamp(), mt_version uuid, mt_dotnet_type varchar, access_token varchar UNIQUE, refresh_token varchar UNIQUE, client_id varchar, PRIMARY KEY (tenant_id, id));
CREATE TABLE mt_doc_resourceowner (tenant_id varchar NOT NULL DEFAULT '*DEFAULT*', id varchar NOT NULL, data jsonb NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE mt_doc_consent (tenant_id varchar NOT NULL DEFAULT '*DEFAULT*', id varchar NOT NULL, data jsonb NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE mt_doc_scope (tenant_id varchar NOT NULL DEFAULT '*DEFAULT*', id varchar NOT NULL, data jsonb NOT NULL, PRIMARY KEY (tenant_id, id));
";

const DEAD: &str =
    r#"{"error":"invalid_grant","status":400,"detail":"The refresh token can be used only by the same issuer"}"#;

/// 32 upper hexadecimal digits, as DotAuth makes them.
fn token(name: &str) -> String {
    hex(name)[..32].to_uppercase()
}

fn database() -> String {
    let mut sql = SCHEMA.to_owned();
    sql.push_str(
        r#"INSERT INTO mt_doc_client (id, data) VALUES ('web', '{"clientId": "web", "clientName": "Web", "secrets": [{"type": "SharedSecret", "value": "web-secret"}], "grantTypes": ["password", "refresh_token", "authorization_code"], "redirectUris": ["https://web.example/cb"], "allowedScopes": ["openid", "offline"], "tokenLifetime": "00:30:00", "tokenEndpointAuthMethod": "client_secret_post"}');
INSERT INTO mt_doc_client (tenant_id, id, data) VALUES ('other', 'web', '{"clientId": "web", "secrets": []}');
INSERT INTO mt_doc_resourceowner (id, data) VALUES ('alice', '{"subject": "alice", "password": "4C0F66021203E8AC404BDE4D754DCDD1DAC6D59398B7D4B1AC26E177F9181FD6", "claims": [{"type": "sub", "value": "alice"}, {"type": "email", "value": "alice@example.com"}]}');
INSERT INTO mt_doc_consent (id, data) VALUES ('c1', '{"id": "c1", "clientId": "web", "subject": "alice", "grantedScopes": ["openid", "offline"]}');
INSERT INTO mt_doc_scope (id, data) VALUES ('openid', '{"name": "openid"}'), ('offline', '{"name": "offline"}');
"#,
    );
    for (name, client, created) in
        [("today", "web", utc(-600)), ("years ago", "web", utc(-900 * DAY)), ("lost", "gone", utc(-HOUR))]
    {
        let (access, refresh) = (token(&format!("access of {name}")), token(name));
        let created = created.replace(' ', "T");
        sql.push_str(&format!(
            r#"INSERT INTO mt_doc_grantedtoken (id, data, access_token, refresh_token, client_id) VALUES ('{name}', '{{"id": "{name}", "scope": "openid offline", "clientId": "{client}", "expiresIn": 1800, "tokenType": "Bearer", "accessToken": "{access}", "refreshToken": "{refresh}", "createDateTime": "{created}.1234567+00:00", "idTokenPayLoad": {{"sub": "alice"}}}}', '{access}', '{refresh}', '{client}');
"#
        ));
    }
    sql
}

#[test]
fn tokens_that_never_end_get_the_end_that_the_operator_chooses() {
    let postgres = Postgres::start();
    postgres.sql(&database());
    let site = Site::new("dotauth", "");
    let salt = site.path("salt");
    std::fs::write(&salt, "pepper\n").expect("the folder is ours");
    let password_file = postgres.password_file();
    let arguments = [
        "--password-file",
        &password_file,
        "--salt-file",
        salt.to_str().expect("it is UTF-8"),
        "--tenant",
        "*DEFAULT*",
        "--refresh-lifetime",
        "7776000",
    ];
    let report = site.report("dotauth", &postgres.url(), &arguments);
    for (kind, found, taken_over) in
        [("clients", 1, 1), ("users", 1, 1), ("consents", 1, 1), ("refresh tokens", 3, 2), ("access tokens", 3, 1)]
    {
        assert_eq!(
            (count(&report, kind, "found"), count(&report, kind, "taken_over")),
            (found, taken_over),
            "{report}"
        );
    }
    assert_eq!(report["never_ending_tokens"], 2, "{report}");
    let listed = site.administer(&["grant", "list", "--user", "alice", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("it is JSON");
    let now = utc(0).replace(' ', "T");
    let in_100_days = utc(100 * DAY).replace(' ', "T");
    let items = listed.as_array().or_else(|| listed["items"].as_array()).unwrap_or_else(|| panic!("{listed}"));
    assert_eq!(items.len(), 2, "{listed}");
    for grant in items {
        let end = grant["expires_at"].as_str().unwrap_or_else(|| panic!("{grant}")).to_owned();
        assert!(now < end && end < in_100_days, "{grant}");
    }

    let program = site.serve();
    let url = format!("{}/token", program.url);
    let ask = |form: &str| post(&url, "", &format!("client_id=web&client_secret=web-secret&{form}"));
    let refresh = |name: &str| ask(&format!("grant_type=refresh_token&refresh_token={}", token(name)));
    for name in ["today", "years ago"] {
        assert!(refresh(name).member("refresh_token").starts_with("rgr_"), "{name}");
    }
    for name in ["lost", "never given out"] {
        let answer = refresh(name);
        assert_eq!((answer.status, answer.body.as_str()), (400, DEAD), "{name}");
    }
    let log_in = |password: &str| ask(&format!("grant_type=password&username=alice&password={password}&scope=openid"));
    assert_eq!((log_in("sesame").status, log_in("wrong").status), (200, 400));
}
