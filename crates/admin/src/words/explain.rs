use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Time, WireSecret};

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A token: what would become of it now.
    Token(WireSecret),
    /// A request that was refused not long ago, by its id.
    RequestId(String),
}

/// Why a token or request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The answer, in a sentence or two. Never a secret.
    pub text: String,
    /// The name of what became of it, as metrics and logs have it.
    pub verdict: String,
    /// What kind of token it is; `null` for a request.
    pub kind: Option<String>,
    /// The grant it names; `null` when it names none. It may name one that there is not.
    pub grant: Option<String>,
    /// The generation that the token is of; `null` when it has none.
    pub generation: Option<u32>,
    /// The generation that the grant has come to; `null` when there is no such grant.
    pub current_generation: Option<u32>,
    /// The `client_id` of its client, as far as it is known.
    pub client: Option<String>,
    /// The `sub` of its user, as far as it is known.
    pub user: Option<String>,
    /// When the request was refused; `null` for a token.
    pub at: Option<Time>,
}

impl JsonSchema for Question {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Question".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternative = |name: &str, value: Schema| {
            json_schema!({
                "type": "object",
                "properties": { name: value },
                "required": [name],
                "additionalProperties": false,
            })
        };
        json_schema!({ "oneOf": [
            alternative("token", generator.subschema_for::<WireSecret>()),
            alternative("request_id", generator.subschema_for::<String>()),
        ] })
    }
}
