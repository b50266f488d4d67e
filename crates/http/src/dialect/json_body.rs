use std::fmt;

use regrant_protocol::Secret;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// What a list or an object is read as. No token, no code and no grant type is called that.
const LIST: &str = "Array";
/// What is missing rather than [`LIST`] when it is a list: somebody's secret could be that word.
const NEVER_A_LIST: [&str; 4] = ["client_id", "client_secret", "username", "password"];

/// The pairs of a JSON object, in order; `None` when it is none.
pub(super) fn json_pairs(body: &[u8]) -> Option<Vec<(String, Secret)>> {
    let Members(members) = serde_json::from_slice(body).ok()?;
    Some(members.into_iter().map(as_parameter).collect())
}

/// The value of the parameter `name` when it is a list.
pub(super) fn list(name: &str) -> Secret {
    Secret::new(if NEVER_A_LIST.contains(&name) { String::new() } else { LIST.to_owned() })
}

/// A JSON value as the parameter that PHP takes it for.
fn as_parameter((name, value): (String, Value)) -> (String, Secret) {
    let text = match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "1".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        Value::Array(_) | Value::Object(_) => {
            let list = list(&name);
            return (name, list);
        }
    };
    (name, Secret::new(text))
}

/// The members of an object, also those of one name.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &[u8]) -> Option<String> {
        let shown = |(name, value): (String, Secret)| format!("{name}={}", value.expose());
        Some(json_pairs(body)?.into_iter().map(shown).collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn json_members_are_parameters() {
        let body = br#"{"a":"x","b":1,"c":true,"d":false,"e":null,"f":["y"],"g":{},"h":1,"h":2,"password":["z"]}"#;
        assert_eq!(shown(body).as_deref(), Some("a=x&b=1&c=1&d=&e=&f=Array&g=Array&h=1&h=2&password="));
        for body in [&b""[..], b"[]", b"{", b"\xff", b"{}x", b"\"a\""] {
            assert_eq!(shown(body), None, "{}", body.escape_ascii());
        }
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(shown(deep(100).as_bytes()).as_deref(), Some("a=Array"));
        assert_eq!(shown(deep(8000).as_bytes()), None, "what is nested too deeply is none");
    }
}
