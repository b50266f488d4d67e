use super::values::JsonStyle;

/// For how many bytes an object has room from the beginning: most answers with tokens are shorter.
const OBJECT_BYTES: usize = 1024;

/// A JSON object with its members in the order in which they were added.
pub(super) struct JsonObject {
    text: Vec<u8>,
    style: JsonStyle,
}

impl JsonObject {
    pub(super) fn new(style: JsonStyle) -> Self {
        let mut text = Vec::with_capacity(OBJECT_BYTES);
        text.push(b'{');
        Self { text, style }
    }

    /// Adds a member whose value is text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        match self.style {
            JsonStyle::Plain => serde_json::to_writer(&mut self.text, value).expect("text always serializes"),
            JsonStyle::Php => {
                let value = serde_json::to_string(value).expect("text always serializes");
                self.text.extend_from_slice(escaped_as_php_does(&value).as_bytes());
            }
        }
    }

    /// Adds a member whose value is JSON already.
    pub(super) fn literal(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.extend_from_slice(value.as_bytes());
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(b',');
        }
        self.text.push(b'"');
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
    }

    /// The object as it is written.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.text.push(b'}');
        self.text
    }
}

/// What PHP's `json_encode` escapes beyond what JSON asks for.
fn escaped_as_php_does(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            ascii if ascii.is_ascii() => escaped.push(ascii),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn php_escapes_slashes_and_all_that_is_not_ascii() {
        for (style, expected) in [
            (JsonStyle::Plain, r#"{"a":"x/\"é🔑\n","b":null}"#),
            (JsonStyle::Php, r#"{"a":"x\/\"\u00e9\ud83d\udd11\n","b":null}"#),
        ] {
            let mut object = JsonObject::new(style);
            object.text("a", "x/\"é🔑\n");
            object.literal("b", "null");
            assert_eq!(String::from_utf8(object.into_bytes()).unwrap(), expected);
        }
    }
}
