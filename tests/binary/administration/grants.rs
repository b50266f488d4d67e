use serde_json::Value;

use crate::curl::{log_in, refresh};

use super::operator::{Operator, WAYS};

fn ids(listing: &Value) -> Vec<String> {
    let items = listing["items"].as_array().expect("a list has items");
    items.iter().map(|grant| grant["id"].as_str().expect("a grant has an id").to_owned()).collect()
}

#[test]
fn grants_are_listed_shown_and_ended_by_id_with_or_without_a_server() {
    for is_served in WAYS {
        let mut operator = Operator::new(true);
        let tokens = [log_in(operator.url()), log_in(operator.url())].map(|answer| answer.refresh_token());
        if !is_served {
            operator.stop();
        }
        let all = ids(&operator.asks(&["grant", "list", "--user", "bshaffer", "--client", "TestClient"]));
        assert_eq!(all.len(), 2);
        assert_eq!(ids(&operator.asks(&["grant", "list", "--client", "TestApp"])), Vec::<String>::new());
        operator.types(&["grant", "list"]).ok().shows(&["GRANT ", "TestClient", "active", "read write"]);
        operator.types(&["grant", "show", &all[0]]).ok().shows(&["state ", "active\n", "generation", "expires_at"]);

        operator.types(&["grant", "revoke", &all[0]]).ok().says(&["has ended: its next refresh is refused"]);
        assert_eq!(operator.asks(&["grant", "show", &all[0]])["state"], "revoked");
        assert_eq!(ids(&operator.asks(&["grant", "list"])), [all[1].clone()]);
        assert_eq!(ids(&operator.asks(&["grant", "list", "--revoked"])), all);

        if !is_served {
            operator.start();
        }
        let statuses: Vec<u16> = tokens.iter().map(|token| refresh(operator.url(), token).status).collect();
        assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 1, "{statuses:?}");
    }
}

#[test]
fn all_grants_of_a_client_or_user_or_of_before_a_time_end_at_once() {
    for (which, by) in [
        (&["--client", "TestClient"][..], "cutoff"),
        (&["--user", "bshaffer"], "cutoff"),
        (&["--user", "bshaffer", "--client", "TestClient"], "one_by_one"),
        (&["--before", "2999-01-01T00:00:00Z"], "one_by_one"),
    ] {
        let operator = Operator::new(true);
        let tokens = [log_in(operator.url()), log_in(operator.url())].map(|answer| answer.refresh_token());
        let revoke: Vec<&str> = ["grant", "revoke"].iter().chain(which).copied().collect();
        operator.types(&revoke).refused(1, &["End all grants", "say --yes if it is meant"]);
        let revoke: Vec<&str> = revoke.into_iter().chain(["--yes"]).collect();
        let ended = operator.asks(&revoke);
        assert_eq!(ended["by"], by, "{which:?}");
        assert!(by == "cutoff" || ended["count"] == 2, "{ended}");
        for token in tokens {
            refresh(operator.url(), &token).assert_invalid_grant();
        }
        let next = log_in(operator.url()).refresh_token();
        refresh(operator.url(), &next).refresh_token();
    }
}

#[test]
fn nothing_ends_that_was_not_clearly_meant() {
    let operator = Operator::new(true);
    let token = log_in(operator.url()).refresh_token();
    for (arguments, code, told) in [
        (&["grant", "revoke"][..], 2, "required"),
        (&["grant", "revoke", "x", "--client", "TestClient"], 2, "cannot be used with"),
        (&["grant", "revoke", "--before", "yesterday", "--yes"], 2, "2026-03-01T12:00:00Z"),
        (&["grant", "revoke", "--client", "TestClint", "--yes"], 1, "TestClint"),
        (&["grant", "revoke", "--user", "bshafer", "--yes"], 1, "bshafer"),
        (&["grant", "revoke", "no-id"], 1, "no-id"),
        (&["grant", "revoke", &"0".repeat(22)], 1, "grant"),
        (&["grant", "show", "no-id"], 1, "no-id"),
        (&["grant", "list", "--client", "a b\u{e9}"], 1, "client"),
    ] {
        operator.types(arguments).refused(code, &[told]);
    }
    refresh(operator.url(), &token).refresh_token();
}

#[test]
fn a_person_at_a_terminal_is_asked_before_many_grants_end() {
    let operator = Operator::new(true);
    let token = log_in(operator.url()).refresh_token();
    let revoke = ["grant", "revoke", "--client", "TestClient"];
    let told = operator.types_on_terminal(&[("[y/N] ", "n")], &revoke);
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    told.shows(&["End all grants to client TestClient? [y/N]", "nothing was changed"]);
    let second = refresh(operator.url(), &token).refresh_token();
    operator.types_on_terminal(&[("[y/N] ", "y")], &revoke).ok().shows(&["have ended, by one write"]);
    refresh(operator.url(), &second).assert_invalid_grant();
    let told = operator.types_on_terminal(&[], &["grant", "revoke", "--client", "TestClient", "--no-input"]);
    assert_eq!(told.code, Some(1), "{}", told.stdout);
}

#[test]
fn a_name_that_begins_with_a_hyphen_is_no_option() {
    let operator = Operator::new(true);
    for name in ["-vLtpJmZQ1iA9v2rXc0kNw", "--tpJmZQ1iA9v2rXc0kNwA"] {
        for arguments in [
            &["grant", "show", name][..],
            &["grant", "revoke", name, "--yes"],
            &["grant", "list", "--user", name],
            &["grant", "list", "--client", name],
            &["key", "withdraw", name, "--yes"],
            &["user", "show", name],
        ] {
            operator.types(arguments).refused(1, &[name]);
        }
        operator.types(&["user", "list", "--after", name]).ok();
    }
    operator.types(&["grant", "revoke", "--yess"]).refused(1, &["--yess"]);
}
