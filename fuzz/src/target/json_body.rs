use regrant_protocol::Secret;
use serde_json::{Map, Value};

use crate::target::form::agrees_with_the_form;

/// The reader of the crate `http`, which no other crate can see, compiled once more.
#[path = "../../../crates/http/src/dialect/json_body.rs"]
mod reader;

/// What is called a list where one is not allowed is no value of these.
const CREDENTIALS: [&str; 4] = ["client_id", "client_secret", "username", "password"];

/// The members of a JSON body are parameters: a second reader finds the same, and a form that says so means the same.
pub(crate) fn run(data: &[u8]) {
    let read = reader::json_pairs(data);
    let second = serde_json::from_slice::<Map<String, Value>>(data);
    assert_eq!(read.is_some(), second.is_ok(), "both readers take the same bodies");
    let (Some(pairs), Ok(second)) = (read, second) else { return };
    assert!(pairs.len() >= second.len(), "no member is passed over");
    for (name, value) in &second {
        let (_, last) = pairs.iter().rfind(|(own, _)| own == name).expect("both readers find the same names");
        check(name, value, last);
    }
    agrees_with_the_form(&pairs);
}

fn check(name: &str, value: &Value, read: &Secret) {
    let read = read.expose();
    match value {
        Value::String(text) => assert_eq!(read, text, "{name:?}"),
        Value::Number(number) => assert_eq!(read, number.to_string(), "{name:?}"),
        Value::Bool(true) => assert_eq!(read, "1", "{name:?}"),
        Value::Bool(false) | Value::Null => assert_eq!(read, "", "{name:?} is missing"),
        Value::Array(_) | Value::Object(_) if CREDENTIALS.contains(&name) => {
            assert_eq!(read, "", "{name:?} is no secret")
        }
        Value::Array(_) | Value::Object(_) => assert_eq!(read, "Array", "{name:?}"),
    }
}
