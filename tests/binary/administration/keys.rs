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
    operator.types(&["key", "rotate", "es256", "--emergency"]).refused(1, &["say --yes"]);
    operator.types(&["key", "rotate", "hs256"]).refused(2, &["hs256", "es256"]);
    operator
        .types(&["key", "rotate", "es256", "--emergency", "--yes"])
        .ok()
        .says(&["what the old keys signed is refused"]);
    operator.types(&["key", "list"]).ok().shows(&["withdrawn"]);
}
