use serde_json::json;

use crate::curl::{log_in, refresh, run};

use super::operator::{Operator, WAYS};

#[test]
fn a_client_is_registered_changed_disabled_and_removed_with_or_without_a_server() {
    for is_served in WAYS {
        let operator = Operator::new(is_served);
        let uri = "https://photos.example/callback";
        let added =
            operator.types(&["client", "add", "photos", "--name", "Photos", "--redirect-uris", uri, "--scope", "read"]);
        let added = added.ok().says(&["client photos is registered", "this one time"]);
        let secret = added.stdout.strip_suffix('\n').expect("the secret is all there is");
        assert!(secret.starts_with("rgs_") && !secret.contains(char::is_whitespace) && !added.stderr.contains(secret));

        let shown = operator.asks(&["client", "show", "photos"]);
        assert_eq!(
            (&shown["name"], &shown["enabled"], &shown["public"]),
            (&"Photos".into(), &true.into(), &false.into())
        );
        assert_eq!(shown["redirect_uris"], json!([uri]));
        operator.types(&["client", "show", "photos"]).ok().shows(&["id ", "photos\n", "redirect_uris", uri, "scope"]);
        let listed =
            operator.types(&["client", "list"]).ok().shows(&["CLIENT      NAME", "photos      Photos", "TestClient"]);
        assert!(!listed.stdout.contains(secret));
        let two = operator
            .types(&["client", "list", "--limit", "2", "--json"])
            .ok()
            .says(&["there are more: --after TestClient"]);
        assert_eq!(
            (two.json()["items"].as_array().map(Vec::len), &two.json()["next"]),
            (Some(2), &"TestClient".into())
        );
        let rest = operator.asks(&["client", "list", "--after", "TestClient"]);
        assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&"photos".into(), &json!(null)));

        let update =
            ["client", "update", "photos", "--idle-lifetime", "86400", "--require-pkce=false", "--unset", "name"];
        let changed = operator.asks(&update);
        let told = (&changed["idle_lifetime"], &changed["require_pkce"], &changed["name"]);
        assert_eq!(told, (&86400.into(), &false.into(), &json!(null)));
        operator.types(&["client", "update", "photos"]).ok().says(&["stays as it is: no setting was named"]);

        operator
            .types(&["client", "disable", "photos"])
            .ok()
            .says(&["photos is disabled", "its next refresh is refused"]);
        assert_eq!(operator.asks(&["client", "show", "photos"])["enabled"], false);
        operator.types(&["client", "enable", "photos"]).ok().says(&["client photos is enabled"]);

        let rotated = operator.types(&["client", "rotate-secret", "photos"]).ok().says(&["the old one is refused"]);
        assert!(rotated.stdout.starts_with("rgs_") && rotated.stdout != added.stdout);

        operator.types(&["client", "remove", "photos"]).refused(1, &["Nobody can be asked here: say --yes"]);
        operator.types(&["client", "remove", "photos", "--yes"]).ok().says(&["is removed", "never given again"]);
        operator.types(&["client", "show", "photos"]).refused(1, &["photos"]);
        operator
            .types(&["client", "add", "photos", "--redirect-uris", uri])
            .refused(1, &["there is, or was, a client \"photos\""]);
    }
}

#[test]
fn disabling_a_client_in_another_process_stops_its_next_refresh() {
    let operator = Operator::new(true);
    let first = log_in(operator.url()).refresh_token();
    let second = refresh(operator.url(), &first).refresh_token();
    operator.types(&["client", "disable", "TestClient"]).ok();
    let refused = refresh(operator.url(), &second);
    assert!((400..500).contains(&refused.status), "{}", refused.json);
    operator.types(&["client", "enable", "TestClient"]).ok();
    refresh(operator.url(), &second).refresh_token();
}

#[test]
fn a_secret_that_was_made_authenticates_the_client_and_the_one_before_does_not() {
    let operator = Operator::new(true);
    let add = ["client", "add", "job", "--grant-types", "client_credentials", "--scope", "read"];
    let old = operator.types(&add).ok().stdout;
    let new = operator.types(&["client", "rotate-secret", "job"]).ok().stdout;
    let status = |secret: &str| {
        run(&format!("curl -u job:{} {}/token -d grant_type=client_credentials", secret.trim_end(), operator.url()))
            .status
    };
    assert_eq!((status(&old), status(&new)), (401, 200));
}

#[test]
fn a_command_that_cannot_be_says_why_in_one_line() {
    for is_served in WAYS {
        let operator = Operator::new(is_served);
        for (arguments, code, told) in [
            (&["client", "show", "nobody"][..], 1, "nobody"),
            (&["client", "disable", "nobody"], 1, "nobody"),
            (&["client", "update", "nobody", "--name", "x"], 1, "nobody"),
            (&["client", "rotate-secret", "nobody"], 1, "nobody"),
            (&["client", "remove", "nobody", "--yes"], 1, "nobody"),
            (
                &["client", "add", "app", "--public", "--grant-types", "client_credentials"],
                1,
                "a public client may not",
            ),
            (&["client", "add", "app", "--public", "--redirect-uris", "nowhere"], 1, "nowhere"),
            (&["client", "update", "TestApp", "--require-pkce=false"], 1, "a public client must use PKCE"),
            (&["client", "update", "TestApp", "--consent", "never"], 2, "never"),
            (&["client", "update", "TestApp", "--colour", "red"], 2, "--colour"),
            (&["client", "add", "app", "--secret", "x"], 2, "--secret"),
            (&["client", "show"], 2, "CLIENT"),
        ] {
            let refused = operator.types(arguments);
            assert!(code == 2 || refused.stderr.lines().count() == 1, "{}", refused.stderr);
            refused.refused(code, &[told]);
        }
    }
}
