//! redCORE in a Joomla, on MariaDB.

use serde_json::Value;

use crate::mariadb::{Mariadb, PASSWORD};
use crate::old_database::{DAY, HOUR, hex, token, wall};
use crate::site::{Site, Told, count, post};

/// `admin/sql/install/mysql/install.sql` of redCORE, and the users of Joomla.
const SCHEMA: &str = "
CREATE TABLE jos_redcore_oauth_clients (id int(11) NOT NULL AUTO_INCREMENT, client_id varchar(80) NOT NULL, client_secret varchar(80) NOT NULL, redirect_uri varchar(2000) NOT NULL, grant_types varchar(80) DEFAULT NULL, scope TEXT DEFAULT NULL, user_id varchar(80) DEFAULT NULL, PRIMARY KEY (id), UNIQUE KEY idx_client_id (client_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8;
CREATE TABLE jos_redcore_oauth_access_tokens (access_token varchar(40) NOT NULL, client_id varchar(80) NOT NULL, user_id varchar(255) DEFAULT NULL, expires timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), scope TEXT DEFAULT NULL, PRIMARY KEY (access_token), KEY idx_client_id (client_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8;
CREATE TABLE jos_redcore_oauth_refresh_tokens (refresh_token varchar(40) NOT NULL, client_id varchar(80) NOT NULL, user_id varchar(255) DEFAULT NULL, expires timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), scope TEXT DEFAULT NULL, PRIMARY KEY (refresh_token), KEY idx_client_id (client_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8;
CREATE TABLE jos_redcore_oauth_users (username varchar(255) NOT NULL, password varchar(2000) DEFAULT NULL, first_name varchar(255) DEFAULT NULL, last_name varchar(255) DEFAULT NULL, PRIMARY KEY (username)) ENGINE=InnoDB DEFAULT CHARSET=utf8;
CREATE TABLE jos_redcore_oauth_scopes (scope TEXT, is_default BOOLEAN) ENGINE=InnoDB DEFAULT CHARSET=utf8;
CREATE TABLE jos_users (id int(11) NOT NULL AUTO_INCREMENT, name varchar(400) NOT NULL DEFAULT '', username varchar(150) NOT NULL DEFAULT '', email varchar(100) NOT NULL DEFAULT '', password varchar(100) NOT NULL DEFAULT '', block tinyint(4) NOT NULL DEFAULT 0, PRIMARY KEY (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
";

const DEAD: &str = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;

/// Joomla runs in Berlin, where the test takes one hour east of UTC for it.
const HOURS_EAST: i64 = 1;
const ZONE: &str = "Etc/GMT-1";

fn database(secret: &str) -> String {
    let at = |seconds| wall(seconds, HOURS_EAST);
    let mut sql = format!("USE old; SET sql_mode = ''; {SCHEMA}");
    sql.push_str(&format!(
        "INSERT INTO jos_redcore_oauth_clients VALUES (1, 'site', '{secret}', 'https://app.example/cb', NULL, NULL, NULL);
         INSERT INTO jos_redcore_oauth_scopes VALUES ('site.read', 1), ('site.update', 0);
         INSERT INTO jos_users VALUES (42, 'Jörg Müller', 'jörg', 'joerg@example.com', '{JOERG}', 0),
           (43, 'Old Hand', 'old', 'old@example.com', '6943963b3ef22b3bd891d84ef3359247:salt', 0),
           (44, 'Shut Out', 'out', 'out@example.com', '{JOERG}', 1);\n"
    ));
    for (name, user, expires) in [
        ("live", "42", at(10 * DAY)),
        // What MySQL makes of a moment past 2038, or of the epoch east of UTC.
        ("zero", "42", "0000-00-00 00:00:00".to_owned()),
        ("missing", "77", at(DAY)),
        ("shut out", "44", at(DAY)),
        ("expired", "42", at(-HOUR)),
    ] {
        sql.push_str(&format!(
            "INSERT INTO jos_redcore_oauth_refresh_tokens VALUES ('{}', 'site', '{user}', '{expires}', 'site.read site.update');\n",
            token(name)
        ));
    }
    sql.push_str(&format!(
        "INSERT INTO jos_redcore_oauth_access_tokens VALUES ('{}', 'site', '42', '{}', 'site.read');\n",
        token("access"),
        at(50 * 60)
    ));
    sql
}

/// `password_hash('geheim', PASSWORD_BCRYPT, ['cost' => 4])` of PHP.
const JOERG: &str = "$2y$04$abcdefghijklmnopqrstuuPWRtT5yx7FBi4dcf6ROhboeNunUrLQ.";

#[test]
fn joomlas_users_and_their_tokens_go_on() {
    let mariadb = Mariadb::start();
    let secret = format!("{}{}", hex("secret of redCORE"), &hex("and more of it")[..16]);
    mariadb.sql(&database(&secret));
    let site = Site::new("redcore", "[redcore]\nalways_issue_new_refresh_token = true\n");
    // The prefix and the time zone are said, the password is in the environment.
    let mut importing =
        site.command("redcore", &mariadb.url(), &["--timezone", ZONE, "--table-prefix", "jos_", "--json"]);
    let told = Told::of(&importing.env("REGRANT_IMPORT_PASSWORD", PASSWORD).output().expect("the program starts"));
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains(r#""act":"imported""#) && !told.stderr.contains(PASSWORD), "{}", told.stderr);
    let report: Value = serde_json::from_str(&told.stdout).expect("it is JSON");
    for (kind, found, taken_over) in
        [("clients", 1, 1), ("users", 3, 3), ("refresh tokens", 5, 4), ("access tokens", 1, 1)]
    {
        assert_eq!(
            (count(&report, kind, "found"), count(&report, kind, "taken_over")),
            (found, taken_over),
            "{report}"
        );
    }
    assert_eq!((&report["never_ending_tokens"], &report["tokens_of_missing_users"]), (&1.into(), &1.into()));

    let program = site.serve();
    let url = format!("{}/index.php?option=token&api=oauth2", program.url);
    let form = |name: &str| {
        format!("grant_type=refresh_token&client_id=site&client_secret={secret}&refresh_token={}", token(name))
    };
    for name in ["live", "zero", "missing"] {
        assert!(post(&url, "", &form(name)).member("refresh_token").starts_with("rgr_"), "{name}");
    }
    for name in ["expired", "never given out"] {
        let answer = post(&url, "", &form(name));
        assert_eq!((answer.status, answer.body.as_str()), (400, DEAD), "{name}");
    }
    // The old system does not look whether a user is blocked; regrant always does.
    assert_ne!(post(&url, "", &form("shut out")).status, 200);
    for (name, password) in [("j%C3%B6rg", "geheim"), ("old", "joomla")] {
        let log_in = |password: &str| {
            let form = format!(
                "grant_type=password&client_id=site&client_secret={secret}&username={name}&password={password}"
            );
            post(&url, "", &form)
        };
        assert_eq!((log_in(password).status, log_in("wrong").status), (200, 401), "{name}");
    }
    assert!(site.administer(&["user", "show", "jörg", "--json"]).contains("Jörg Müller"));
}
