use serde_json::{Map, Value};

/// A JSON object whose members are found whatever their case: versions wrote `clientId`, `client_id` and `ClientId`.
pub(super) struct Document(Map<String, Value>);

impl Document {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Some versions of Marten left the byte that begins the binary form of JSONB.
        match serde_json::from_str(text.trim_matches('\u{1}')) {
            Ok(Value::Object(object)) => Some(Self(object)),
            _ => None,
        }
    }

    pub(super) fn of(value: &Value) -> Option<Self> {
        value.as_object().cloned().map(Self)
    }

    /// The member called `name`, which is written in camel case; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let is_called = |key: &str| {
            let letters = |text: &str| text.chars().filter(|letter| *letter != '_').collect::<String>().to_lowercase();
            key == name || letters(key) == letters(name)
        };
        let value = self.0.get(name).or_else(|| self.0.iter().find(|(key, _)| is_called(key)).map(|(_, value)| value));
        value.filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A number, also one that is written as text.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The texts of a list; empty where there is none.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The values of a list; empty where there is none.
    pub(super) fn values(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_every_spelling() {
        for text in [r#"{"clientId":"a"}"#, r#"{"client_id":"a"}"#, r#"{"ClientId":"a"}"#, "\u{1}{\"clientId\":\"a\"}"]
        {
            assert_eq!(Document::parse(text).unwrap().text("clientId"), Some("a"), "{text}");
        }
        assert_eq!(Document::parse(r#"{"clientId":null}"#).unwrap().get("clientId"), None, "null is absent");
        assert!(Document::parse("[]").is_none());
    }
}
