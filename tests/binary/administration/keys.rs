use std::fs;

use crate::curl::{log_in, refresh};

use super::operator::{Operator, WAYS};

#[test]
fn keys_are_listed_and_rotated_and_tokens_live_on_with_or_without_a_server() {
    for is_served in WAYS {
        let mut operator = Operator::new(true);
        let token = log_in(operator.url()).refresh_token();
        if !is_served {
            operator.stop();
        }
        let key_file = operator.data.join("master.key");
        let before = fs::read_to_string(&key_file).unwrap();
        operator.types(&["key", "list"]).ok().shows(&["KEY ", "master", "ES256", "EdDSA", "RS256", "signing"]);
        operator.types(&["key", "rotate", "master"]).ok().says(&["made master key 2", "Keep a new copy of master.key"]);
        let rotated = operator.types(&["key", "rotate"]).ok().says(&["which sign from"]);
        let keys = operator.asks(&["key", "list"]);
        assert_eq!(
            (keys["master"].as_array().map(Vec::len), keys["signing"].as_array().map(Vec::len)),
            (Some(2), Some(6))
        );
        let after = fs::read_to_string(&key_file).unwrap();
        assert!(after.contains("key 2 = ") && after.starts_with(&before), "nothing is lost");
        for key in after.lines().filter_map(|line| line.split_once(" = ")) {
            assert!(!keys.to_string().contains(key.1) && !rotated.stderr.contains(key.1));
        }
        if !is_served {
            operator.start();
        }
        refresh(operator.url(), &token).refresh_token();
    }
}

#[test]
fn an_emergency_is_confirmed_and_only_keys_that_there_are_can_be_rotated() {
    let operator = Operator::new(false);
    let which = ["say which key was stolen", "refresh tokens live on", "master ends every token"];
    operator.types(&["key", "rotate", "--emergency"]).refused(1, &which);
    operator.types(&["key", "rotate", "--emergency", "--yes"]).refused(1, &which);
    operator.types(&["key", "rotate", "es256", "--emergency"]).refused(1, &["say --yes"]);
    operator.types(&["key", "rotate", "hs256"]).refused(2, &["hs256", "es256"]);
    operator
        .types(&["key", "rotate", "es256", "--emergency", "--yes"])
        .ok()
        .says(&["what the old keys signed is refused"]);
    operator.types(&["key", "list"]).ok().shows(&["withdrawn"]);
}

#[test]
fn a_signing_key_is_withdrawn_by_name_when_that_is_confirmed_and_it_does_not_sign() {
    for is_served in WAYS {
        let operator = Operator::new(is_served);
        operator.types(&["key", "rotate", "es256"]).ok();
        let keys = operator.asks(&["key", "list"]);
        let named = |state: &str| {
            let keys = keys["signing"].as_array().unwrap();
            let found = keys.iter().find(|key| key["algorithm"] == "ES256" && key["state"] == state).unwrap();
            found["key_id"].as_str().unwrap().to_owned()
        };
        let (signing, waiting) = (named("signing"), named("waiting"));
        operator.types(&["key", "withdraw", &waiting]).refused(1, &[&waiting, "say --yes"]);
        operator.types(&["key", "withdraw", &signing, "--yes"]).refused(1, &["signs now"]);
        operator.types(&["key", "withdraw", "nobody/../x", "--yes"]).refused(1, &["nobody/../x"]);
        operator.types(&["key", "withdraw", &waiting, "--yes"]).ok().says(&[&waiting, "what it signed is refused"]);
        let keys = operator.asks(&["key", "list"]);
        let states: Vec<_> = keys["signing"].as_array().unwrap().iter().map(|key| &key["state"]).collect();
        assert_eq!(states.iter().filter(|state| **state == "withdrawn").count(), 1, "{keys}");
    }
}
