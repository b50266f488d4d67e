use std::fs;

use crate::curl::{post, run};

use super::operator::{Operator, WAYS};

const PASSWORD: &str = "curiouser and curiouser";

#[test]
fn a_password_comes_from_standard_input_a_file_a_variable_or_the_terminal_and_is_never_shown() {
    for is_served in WAYS {
        let mut operator = Operator::new(is_served);
        fs::write(operator.folder().join("password"), format!("{PASSWORD}\n")).unwrap();
        let by_variable = operator.command(&["user", "add", "carol"]).env("REGRANT_PASSWORD", PASSWORD).output();
        let told = [
            operator.pipes(PASSWORD, &["user", "add", "alice", "--password-stdin"]),
            operator.types(&["user", "add", "bob", "--password-file", "password"]),
            super::operator::Told::of(by_variable),
            operator.types_on_terminal(&[("Password: ", PASSWORD), ("again: ", PASSWORD)], &["user", "add", "dave"]),
        ];
        for told in told.map(super::operator::Told::ok) {
            assert!(!format!("{}{}", told.stdout, told.stderr).contains("curiouser"), "{}{}", told.stdout, told.stderr);
        }
        if !is_served {
            operator.start();
        }
        for user in ["alice", "bob", "carol", "dave"] {
            let form = format!("grant_type=password&username={user}&password={}", PASSWORD.replace(' ', "%20"));
            assert_eq!(post(operator.url(), "token", &form).status, 200, "{user}");
        }
    }
}

#[test]
fn a_secret_is_never_taken_from_the_command_line_nor_half_of_one_from_elsewhere() {
    let operator = Operator::new(false);
    fs::write(operator.folder().join("two"), "one\ntwo\n").unwrap();
    for (arguments, code, told) in [
        (&["user", "add", "eve", "--password", "sesame"][..], 2, "--password"),
        (&["user", "add", "eve", "--password-stdin", "--password-file", "two"], 2, "cannot be used with"),
        (&["user", "add", "eve", "--password-file", "two"], 1, "more than one line"),
        (&["user", "add", "eve", "--password-file", "nowhere"], 1, "nowhere"),
        (&["user", "add", "eve", "--password-stdin"], 1, "1 to 1024 bytes"),
        (&["user", "add", "eve"], 1, "use --password-stdin, --password-file FILE, or the variable REGRANT_PASSWORD"),
        (&["user", "add", "eve", "--no-input"], 1, "--password-stdin"),
        (&["client", "add", "app", "--secret", "sesame"], 2, "--secret"),
        (&["client", "add", "app", "--public", "--secret-stdin"], 2, "cannot be used with"),
        (&["explain", "rgr_x"], 2, "unexpected argument"),
    ] {
        operator.types(arguments).refused(code, &[told]);
    }
    operator.pipes("short", &["user", "add", "eve", "--password-stdin"]).refused(1, &["fewer than 8"]);
    let dialogue = [("Password: ", "one password"), ("again: ", "another one")];
    operator.types_on_terminal(&dialogue, &["user", "add", "eve"]).shows(&["the two passwords differ"]);
    operator.types(&["user", "show", "eve"]).refused(1, &["there is no user \"eve\""]);
}

#[test]
fn a_chosen_secret_is_taken_and_not_printed() {
    let operator = Operator::new(true);
    let add =
        ["client", "add", "job", "--grant-types", "client_credentials", "--scope", "read", "--secret-stdin", "--json"];
    let told = operator.pipes("sesame-open", &add).ok().says(&["with the secret that was given"]);
    assert!(told.json()["secret"].is_null() && !told.stdout.contains("sesame-open"), "{}", told.stdout);
    let status = |secret: &str| {
        run(&format!("curl -u job:{secret} {}/token -d grant_type=client_credentials", operator.url())).status
    };
    assert_eq!(status("sesame-open"), 200);
    let rotate = operator.command(&["client", "rotate-secret", "job"]).env("REGRANT_SECRET", "sesame-shut").output();
    assert_eq!(super::operator::Told::of(rotate).ok().stdout, "");
    assert_eq!((status("sesame-open"), status("sesame-shut")), (401, 200));
}
