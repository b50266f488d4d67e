use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// A change of some fields of a `T` (a JSON merge patch, RFC 7396): those that are given become what is given, those that are
/// `null` what they are when nobody says anything, and the others stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Patch<T> {
    given: Map<String, Value>,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

/// What a patch would make is no `T`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatchError {
    /// The field that is wrong, where it is one.
    pub field: Option<String>,
    /// What is wrong with it.
    pub message: String,
}

impl<T> Patch<T> {
    /// Gives a field another value; `None` and whatever else is written as `null` means the default.
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("what a field holds can be written as JSON");
        self.given.insert(field.to_owned(), value);
        self
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }
}

impl<T: Serialize + DeserializeOwned> Patch<T> {
    /// What `current` becomes, where `default` is what it would be if nobody had said anything.
    ///
    /// # Errors
    /// When there is no such field, or a value has another type than the field.
    pub fn apply(&self, current: &T, default: &T) -> Result<T, PatchError> {
        let (mut patched, default) = (object(current), object(default));
        for (field, value) in &self.given {
            let value = if value.is_null() { default.get(field).unwrap_or(value) } else { value };
            patched.insert(field.clone(), whole(value));
        }
        serde_path_to_error::deserialize(Value::Object(patched)).map_err(|error| {
            let field = error.path().to_string();
            // The path of an object itself is a dot.
            PatchError { field: Some(field).filter(|field| field != "."), message: error.inner().to_string() }
        })
    }
}

impl<T> Default for Patch<T> {
    fn default() -> Self {
        Self { given: Map::new(), of: PhantomData }
    }
}

/// Each field is given once: of two, nobody could say which is meant.
impl<'de, T> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor).map(|given| Self { given, of: PhantomData })
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut given = Map::new();
        while let Some((field, value)) = fields.next_entry::<String, Value>()? {
            if given.contains_key(&field) {
                return Err(A::Error::custom(format_args!("duplicate field `{field}`")));
            }
            given.insert(field, value);
        }
        Ok(given)
    }
}

/// The fields of `T`, none of which has to be there, and each of which may be `null`.
impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Patch", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.remove("required");
        schema.insert("description".to_owned(), PATCH_DESCRIPTION.into());
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            for (_, field) in fields.iter_mut() {
                *field = nullable(field.take());
            }
        }
        schema
    }
}

/// As `field`, or `null`; what is said of the field stays where readers look for it.
fn nullable(mut field: Value) -> Value {
    let Value::Object(said) = &mut field else { return field };
    let names_its_values =
        ["enum", "const", "$ref", "oneOf", "anyOf"].iter().any(|keyword| said.contains_key(*keyword));
    match said.get_mut("type") {
        Some(Value::Array(_)) => field,
        Some(kind) if !names_its_values => {
            *kind = json!([kind.take(), "null"]);
            field
        }
        Some(_) | None => {
            let description = said.remove("description");
            let mut either = json!({ "anyOf": [field, { "type": "null" }] });
            if let Some(description) = description {
                either["description"] = description;
            }
            either
        }
    }
}

/// A number without a fraction is a whole one, however it is written (JSON Schema Core §4.2.3).
fn whole(value: &Value) -> Value {
    // Every whole number up to here has a float of its own.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() <= EXACT_MAX => json!(number as i64),
        Some(_) | None => value.clone(),
    }
}

const PATCH_DESCRIPTION: &str = "The fields that change. `null` makes a field what it is when nobody says anything.";

fn object(whole: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(whole) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => unreachable!("only structs of texts, numbers and lists are patched"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_protocol::Profile;

    fn patch(json: &str) -> Patch<Profile> {
        serde_json::from_str(json).unwrap()
    }

    fn apply(json: &str) -> Result<Profile, PatchError> {
        let text = |value: &str| Some(value.to_owned());
        let current = Profile { name: text("Alice"), locale: text("de"), ..Profile::default() };
        let default = Profile { locale: text("en"), ..Profile::default() };
        patch(json).apply(&current, &default)
    }

    #[test]
    fn rfc7396_what_is_given_changes_null_is_the_default_and_the_rest_stays() {
        for (json, name, locale) in [
            ("{}", Some("Alice"), Some("de")),
            (r#"{"name":"Bob"}"#, Some("Bob"), Some("de")),
            (r#"{"name":null}"#, None, Some("de")),
            (r#"{"locale":null}"#, Some("Alice"), Some("en")),
            (r#"{"locale":null,"name":""}"#, Some(""), Some("en")),
            (r#"{"updated_at":7.0}"#, Some("Alice"), Some("de")),
        ] {
            let patched = apply(json).unwrap();
            assert_eq!((patched.name.as_deref(), patched.locale.as_deref()), (name, locale), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        for (json, field, message) in [
            (r#"{"phone":"1"}"#, "phone", "unknown field `phone`"),
            (r#"{"name":1}"#, "name", "expected a string"),
            (r#"{"updated_at":7.5}"#, "updated_at", "expected i64"),
            (r#"{"updated_at":1e300}"#, "updated_at", "expected i64"),
            (r#"{"email_verified":"yes"}"#, "email_verified", "expected a boolean"),
        ] {
            let error = apply(json).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{json}");
            assert!(error.message.contains(message), "{json}: {}", error.message);
        }
    }

    #[test]
    fn a_field_that_is_given_twice_is_refused() {
        for json in [r#"{"name":"Alice","name":"Mallory"}"#, r#"{"name":null,"locale":"en","name":null}"#] {
            let error = serde_json::from_str::<Patch<Profile>>(json).unwrap_err();
            assert!(error.to_string().contains("duplicate field `name`"), "{json}: {error}");
        }
    }

    #[test]
    fn a_patch_is_written_as_it_is_read() {
        let built = Patch::<Profile>::default().with("name", "Bob").with("locale", None::<&str>);
        let written = serde_json::to_string(&built).unwrap();
        assert_eq!(patch(&written), built);
        assert_eq!(patch(r#"{"name":"Bob","locale":null}"#), built);
    }
}
