use regrant_grant::{OnReuse, Policy, RotationMode};
use regrant_protocol::{GrantType, Lifetime, Resource, Resources, Scope, TokenEndpointAuthMethod};
use regrant_store::{AccessTokenFormat, ClientSettings, Credential};
use serde::{Deserialize, Serialize};

/// The settings as they are stored.
pub(crate) fn to_json(settings: &ClientSettings) -> String {
    serde_json::to_string(&Document::from(settings)).expect("the document has text keys only")
}

/// Reads stored settings. A member that is missing or not known is an error: a migration adds and removes them.
pub(crate) fn from_json(json: &str) -> Result<ClientSettings, String> {
    let document: Document = serde_json::from_str(json).map_err(|error| error.to_string())?;
    document.try_into()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    auth_methods: Vec<TokenEndpointAuthMethod>,
    #[serde(deserialize_with = "Option::deserialize")]
    credential: Option<String>,
    grant_types: Vec<GrantType>,
    redirect_uris: Vec<String>,
    scope: String,
    default_scope: String,
    resources: Vec<String>,
    audience: Vec<String>,
    #[serde(with = "AccessTokenFormatName")]
    access_token_format: AccessTokenFormat,
    policy: PolicyDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyDocument {
    #[serde(with = "RotationModeName")]
    rotation: RotationMode,
    #[serde(deserialize_with = "Option::deserialize")]
    retry_window_seconds: Option<u32>,
    #[serde(deserialize_with = "Option::deserialize")]
    on_reuse: Option<StoredOnReuse>,
    access_lifetime: Lifetime,
    idle_lifetime: Lifetime,
    absolute_lifetime: Lifetime,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredOnReuse(#[serde(with = "OnReuseName")] OnReuse);

#[derive(Serialize, Deserialize)]
#[serde(remote = "AccessTokenFormat", rename_all = "snake_case")]
enum AccessTokenFormatName {
    #[serde(rename = "jwt_es256")]
    JwtEs256,
    #[serde(rename = "jwt_eddsa")]
    JwtEdDsa,
    #[serde(rename = "jwt_rs256")]
    JwtRs256,
    Opaque,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RotationMode", rename_all = "snake_case")]
enum RotationModeName {
    Rotate,
    Reuse,
    Consume,
    Fork,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OnReuse", rename_all = "snake_case")]
enum OnReuseName {
    Revoke,
    Alert,
}

impl From<&ClientSettings> for Document {
    fn from(settings: &ClientSettings) -> Self {
        let ClientSettings {
            auth_methods,
            credential,
            grant_types,
            redirect_uris,
            scope,
            default_scope,
            resources,
            audience,
            access_token_format,
            policy,
        } = settings;
        Self {
            auth_methods: auth_methods.clone(),
            credential: credential.as_ref().map(|credential| credential.expose().to_owned()),
            grant_types: grant_types.clone(),
            redirect_uris: redirect_uris.clone(),
            scope: scope.as_str().to_owned(),
            default_scope: default_scope.as_str().to_owned(),
            resources: resources.iter().map(Resource::as_str).map(str::to_owned).collect(),
            audience: audience.clone(),
            access_token_format: *access_token_format,
            policy: PolicyDocument {
                rotation: policy.rotation,
                retry_window_seconds: policy.retry_window_seconds,
                on_reuse: policy.on_reuse.map(StoredOnReuse),
                access_lifetime: policy.access_lifetime,
                idle_lifetime: policy.idle_lifetime,
                absolute_lifetime: policy.absolute_lifetime,
            },
        }
    }
}

impl TryFrom<Document> for ClientSettings {
    type Error = String;

    fn try_from(document: Document) -> Result<Self, String> {
        let scope = |member, text: &str| Scope::parse(text).map_err(|error| format!("{member}: {error}"));
        let policy = document.policy;
        Ok(Self {
            auth_methods: document.auth_methods,
            credential: document.credential.map(Credential::new),
            grant_types: document.grant_types,
            redirect_uris: document.redirect_uris,
            scope: scope("scope", &document.scope)?,
            default_scope: scope("default_scope", &document.default_scope)?,
            resources: Resources::parse(document.resources.iter().map(String::as_str))
                .map_err(|error| format!("resources: {error}"))?,
            audience: document.audience,
            access_token_format: document.access_token_format,
            policy: Policy {
                rotation: policy.rotation,
                retry_window_seconds: policy.retry_window_seconds,
                on_reuse: policy.on_reuse.map(|StoredOnReuse(on_reuse)| on_reuse),
                access_lifetime: policy.access_lifetime,
                idle_lifetime: policy.idle_lifetime,
                absolute_lifetime: policy.absolute_lifetime,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"auth_methods":["client_secret_basic"],"credential":"hash","grant_types":["refresh_token"],"redirect_uris":["https://app/"],"scope":"read write","default_scope":"read","resources":["https://api"],"audience":["api"],"access_token_format":"jwt_es256","policy":{"rotation":"rotate","retry_window_seconds":null,"on_reuse":"alert","access_lifetime":900,"idle_lifetime":0,"absolute_lifetime":4294967295}}"#;

    #[test]
    fn stored_settings_are_written_as_they_were_read() {
        assert_eq!(to_json(&from_json(STORED).unwrap()), STORED);
    }

    #[test]
    fn a_document_with_a_member_too_few_too_many_or_wrong_is_refused() {
        for (from, to, problem) in [
            (r#""credential":"hash","#, "", "missing field `credential`"),
            (r#""retry_window_seconds":null,"#, "", "missing field `retry_window_seconds`"),
            (r#""audience""#, r#""colour":1,"audience""#, "unknown field `colour`"),
            (r#""on_reuse":"alert""#, r#""on_reuse":"shrug""#, "unknown variant `shrug`"),
            (r#""scope":"read write""#, r#""scope":"read  write""#, "scope: scope has an empty entry"),
            (r#"["https://api"]"#, r#"["api"]"#, "resources: resource is not an absolute URI"),
            ("4294967295", "4294967296", "invalid value"),
        ] {
            let refusal = from_json(&STORED.replacen(from, to, 1)).unwrap_err();
            assert!(refusal.contains(problem), "{from} -> {to}: {refusal}");
        }
    }
}
