use crate::curl::{log_in, post, refresh};

use super::operator::{Operator, WAYS};

#[test]
fn a_user_is_registered_changed_locked_and_removed_with_or_without_a_server() {
    for is_served in WAYS {
        let operator = Operator::new(is_served);
        let add = [
            "user",
            "add",
            "alice",
            "--name",
            "Alice",
            "--email",
            "alice@a.example",
            "--email-verified",
            "--password-stdin",
        ];
        operator.pipes("wonderland\n", &add).ok().says(&["user alice is registered"]);
        let shown = operator.asks(&["user", "show", "alice"]);
        assert_eq!((&shown["status"], &shown["profile"]["email_verified"]), (&"active".into(), &true.into()));
        let subject = shown["subject"].as_str().unwrap();
        operator.types(&["user", "show", subject]).ok().shows(&["username", "alice\n", "alice@a.example"]);
        operator.types(&["user", "list"]).ok().shows(&["USERNAME  SUBJECT", "alice     ", "bshaffer  "]);

        operator
            .types(&["user", "update", "alice", "--nickname", "Al", "--unset", "email"])
            .ok()
            .says(&["user alice is changed"]);
        let profile = &operator.asks(&["user", "show", "alice"])["profile"];
        assert_eq!((&profile["nickname"], profile.get("email")), (&"Al".into(), None));

        for (action, status) in
            [("lock", "locked"), ("enable", "active"), ("disable", "disabled"), ("enable", "active")]
        {
            assert_eq!(operator.asks(&["user", action, "alice"])["status"], status);
        }
        operator
            .pipes("through the looking-glass", &["user", "set-password", "alice", "--password-stdin"])
            .ok()
            .says(&["grants live on"]);

        operator.types(&["user", "remove", "alice"]).refused(1, &["say --yes"]);
        operator.types(&["user", "remove", "alice", "--yes"]).ok().says(&["is removed"]);
        for arguments in
            [&["user", "show", "alice"][..], &["user", "lock", "alice"], &["grant", "list", "--user", "alice"]]
        {
            operator.types(arguments).refused(1, &["there is no user \"alice\""]);
        }
    }
}

#[test]
fn locking_a_user_in_another_process_stops_the_next_refresh_until_the_user_is_enabled() {
    let operator = Operator::new(true);
    let first = log_in(operator.url()).refresh_token();
    operator.types(&["user", "lock", "bshaffer"]).ok();
    refresh(operator.url(), &first).assert_invalid_grant();
    operator.types(&["user", "enable", "bshaffer"]).ok();
    refresh(operator.url(), &first).refresh_token();
}

#[test]
fn a_new_password_opens_the_door_and_ends_the_grants_if_that_is_said() {
    let operator = Operator::new(true);
    let first = log_in(operator.url()).refresh_token();
    let set = ["user", "set-password", "bshaffer", "--password-stdin", "--end-grants"];
    operator.pipes("another password", &set).ok().says(&["all grants and login sessions have ended"]);
    refresh(operator.url(), &first).assert_invalid_grant();
    assert_eq!(log_in(operator.url()).status, 400);
    let form = "grant_type=password&username=bshaffer&password=another%20password";
    post(operator.url(), "token", form).refresh_token();
}
