use std::borrow::Cow;
use std::fmt;

use regrant_protocol::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret in the one message that has to carry it: a password or token in a request, a generated secret in an answer.
/// It is wiped when dropped and prints nothing of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireSecret(pub Secret);

impl WireSecret {
    /// Takes the text of the secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The secret itself, for the one place that checks or shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Whatever stands there is asked of the visitor, whose errors show nothing of it.
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl serde::de::Visitor<'_> for SecretVisitor {
    type Value = WireSecret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<WireSecret, E> {
        Err(no_text())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<WireSecret, E> {
        Err(no_text())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<WireSecret, E> {
        Err(no_text())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<WireSecret, E> {
        Err(no_text())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WireSecret, E> {
        Ok(WireSecret::new(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<WireSecret, E> {
        Ok(WireSecret::new(text))
    }
}

fn no_text<E: serde::de::Error>() -> E {
    E::custom("invalid type, expected a text")
}

impl JsonSchema for WireSecret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_crosses_the_wire_and_is_never_printed() {
        let secret = WireSecret::new("brent123".to_owned());
        let json = serde_json::to_string(&secret).unwrap();
        assert_eq!(json, r#""brent123""#);
        assert_eq!(serde_json::from_str::<WireSecret>(&json).unwrap(), secret);
        assert_eq!(format!("{secret:?}"), "WireSecret(Secret(redacted))");
    }

    #[test]
    fn what_stands_in_the_place_of_a_secret_is_not_repeated() {
        for json in ["12345678", "-1", "1.5", "true", "[\"hush\"]", "{\"hush\":1}"] {
            let told = serde_json::from_str::<WireSecret>(json).unwrap_err().to_string();
            assert!(told.contains("expected a text"), "{told}");
            for part in ["12345678", "1.5", "hush"] {
                assert!(!told.contains(part), "{told}");
            }
        }
    }
}
