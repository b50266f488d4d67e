use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::operation::Operation;
use crate::router::BASE_PATH;
use crate::{ErrorBody, ErrorCode};

/// An OpenAPI 3.1 document that grows by one operation after the other.
pub(crate) struct Document {
    paths: Map<String, Value>,
    /// What is read: a field with a default need not be there.
    requests: SchemaGenerator,
    /// What is written: every field is there that is not said to be left out.
    answers: SchemaGenerator,
}

impl Document {
    pub(crate) fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        let (requests, answers) = (settings.clone().for_deserialize(), settings.for_serialize());
        Self { paths: Map::new(), requests: requests.into_generator(), answers: answers.into_generator() }
    }

    pub(crate) fn describe(&mut self, operation: &Operation) {
        let mut told = json!({ "operationId": operation.id, "summary": operation.summary });
        let parameters: Vec<_> = path_parameters(operation.path).chain(self.query_parameters(operation)).collect();
        if !parameters.is_empty() {
            told["parameters"] = parameters.into();
        }
        if let Some(body) = &operation.body {
            let schema = (body.schema)(&mut self.requests);
            told["requestBody"] = json!({ "required": body.is_required, "content": content(schema) });
        }
        told["responses"] = self.responses(operation);
        let path = self.paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str()] = told;
    }

    pub(crate) fn finish(mut self) -> Value {
        let error = content(self.answers.subschema_for::<ErrorBody>());
        let refusals = ALL_REFUSALS.iter().map(|&code| (name(code), refusal(code, &error)));
        let responses: Map<_, _> = refusals.collect();
        let mut schemas = self.requests.take_definitions(true);
        schemas.extend(self.answers.take_definitions(true));
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "regrant admin API",
                "version": env!("CARGO_PKG_VERSION"),
                "description": DESCRIPTION,
                "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
            },
            "servers": [{ "url": BASE_PATH }],
            "security": [{ "adminToken": [] }, {}],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "responses": responses,
                "securitySchemes": { "adminToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The admin token, at the admin listener. The socket in the data directory asks for none.",
                } },
            },
        })
    }

    fn query_parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let Some(query) = operation.query else { return Vec::new() };
        // A query is not a type of its own in the document, only its fields are.
        let mut alone =
            self.requests.settings().clone().with(|settings| settings.inline_subschemas = true).into_generator();
        let mut schema = query(&mut alone);
        let Some(Value::Object(fields)) = schema.remove("properties") else { return Vec::new() };
        fields.into_iter().map(|(name, field)| query_parameter(&name, field)).collect()
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses = Map::new();
        let answered = match operation.answer {
            Some(answer) => {
                let schema = answer(&mut self.answers);
                json!({ "description": "It is done.", "content": content(schema) })
            }
            None => json!({ "description": "It is done." }),
        };
        responses.insert(operation.status.to_string(), answered);
        for code in operation.refusals() {
            let response = json!({ "$ref": format!("#/components/responses/{}", name(code)) });
            responses.insert(code.status().to_string(), response);
        }
        responses.into()
    }
}

const DESCRIPTION: &str = "What operators ask of a running server: through the socket `admin.sock` in the data directory, or at \
     the admin listener with the admin token. Names of clients' settings are those of `[[client]]` in `regrant.toml`. Times are \
     RFC 3339 texts in UTC. Every answer forbids to be kept. A method that a path does not take is answered 405 with `Allow`.";

const ALL_REFUSALS: &[ErrorCode] = &[
    ErrorCode::Malformed,
    ErrorCode::Unauthorized,
    ErrorCode::Forbidden,
    ErrorCode::NotFound,
    ErrorCode::Taken,
    ErrorCode::Outdated,
    ErrorCode::TooLarge,
    ErrorCode::MediaType,
    ErrorCode::Rule,
    ErrorCode::TooManyFailures,
    ErrorCode::Unavailable,
];

fn name(code: ErrorCode) -> String {
    match serde_json::to_value(code) {
        Ok(Value::String(name)) => name,
        Ok(_) | Err(_) => unreachable!("an error code is written as its name"),
    }
}

fn refusal(code: ErrorCode, error: &Value) -> Value {
    let (description, header) = match code {
        ErrorCode::Malformed => {
            ("The request cannot be read: no JSON, a field that is unknown, missing or of another type.", None)
        }
        ErrorCode::Unauthorized => ("The admin token is missing or wrong.", Some("WWW-Authenticate")),
        ErrorCode::Forbidden => ("It comes from a browser, or may not be done through this door.", None),
        ErrorCode::NotFound => ("There is no such thing.", None),
        ErrorCode::MethodNotAllowed => ("Not with this method.", Some("Allow")),
        ErrorCode::Taken => ("The name is taken.", None),
        ErrorCode::Outdated => ("Others change the same thing all the time, and nothing was changed.", None),
        ErrorCode::TooLarge => ("The body is larger than 64 KiB.", None),
        ErrorCode::MediaType => ("The body is not said to be JSON.", None),
        ErrorCode::Rule => ("The request can be read, and breaks a rule.", None),
        ErrorCode::TooManyFailures => ("Too many wrong admin tokens came from this address.", Some("Retry-After")),
        ErrorCode::Unavailable => ("The server could not do it now. Try again.", Some("Retry-After")),
    };
    let mut refusal = json!({ "description": description, "content": error });
    if let Some(header) = header {
        refusal["headers"] = json!({ header: { "required": true, "schema": { "type": "string" } } });
    }
    refusal
}

fn content(schema: Schema) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names.map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }),
    )
}

/// A field of a query, which is there or not, and never `null`.
fn query_parameter(name: &str, mut field: Value) -> Value {
    let description = field.as_object_mut().and_then(|field| field.remove("description"));
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            field["type"] = one.clone();
        }
    }
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": field })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_in_the_reference_is_the_one_that_is_served() {
        let kept = include_str!("../../../docs/reference/admin.openapi.json");
        let kept: serde_json::Value = serde_json::from_str(kept).expect("it is JSON");
        assert!(
            kept == crate::openapi(),
            "write it anew: cargo run -p regrant-admin --example openapi > docs/reference/admin.openapi.json"
        );
    }
}
