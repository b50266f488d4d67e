//! What an operator says about a client.

use regrant_grant::{OldAccessTokens, OnReuse, Policy, RotationMode, ScopeNarrowing};
use regrant_protocol::{GrantType, Lifetime, RedirectUri, Resources, Scope, TokenEndpointAuthMethod, WebOrigin};
use serde::{Deserialize, Serialize};

use crate::{AccessTokenFormat, ClientSettings, ConsentMode, Credential, IdTokenAlgorithm, OutlivesSession};

/// The settings as they are stored.
///
/// # Panics
/// Never: the document has text keys only.
#[must_use]
pub fn to_json(settings: &ClientSettings) -> String {
    serde_json::to_string(&Document::from(settings)).expect("the document has text keys only")
}

/// Reads stored settings. A member that is missing or not known is an error: a migration adds and removes them.
///
/// # Errors
/// What is wrong with them.
pub fn from_json(json: &str) -> Result<ClientSettings, serde_json::Error> {
    serde_json::from_str::<Document>(json).map(ClientSettings::from)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(deserialize_with = "Option::deserialize")]
    name: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    client_uri: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    policy_uri: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    tos_uri: Option<String>,
    auth_methods: Vec<TokenEndpointAuthMethod>,
    #[serde(deserialize_with = "Option::deserialize")]
    credential: Option<String>,
    grant_types: Vec<GrantType>,
    #[serde(deserialize_with = "Option::deserialize")]
    refresh_token_scope: Option<Scope>,
    redirect_uris: Vec<RedirectUri>,
    post_logout_redirect_uris: Vec<RedirectUri>,
    allowed_origins: Vec<WebOrigin>,
    require_pkce: bool,
    #[serde(with = "ConsentModeName")]
    consent: ConsentMode,
    scope: Scope,
    default_scope: Scope,
    resources: Resources,
    audience: Vec<String>,
    #[serde(with = "AccessTokenFormatName")]
    access_token_format: AccessTokenFormat,
    #[serde(with = "IdTokenAlgorithmName")]
    id_token_algorithm: IdTokenAlgorithm,
    id_token_on_refresh: bool,
    #[serde(with = "OutlivesSessionName")]
    outlives_session: OutlivesSession,
    policy: PolicyDocument,
    allow_unsafe_rotation: bool,
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
    #[serde(with = "ScopeNarrowingName")]
    scope_narrowing: ScopeNarrowing,
    #[serde(with = "OldAccessTokensName")]
    old_access_tokens: OldAccessTokens,
    code_retry_seconds: u32,
    access_lifetime: Lifetime,
    idle_lifetime: Lifetime,
    absolute_lifetime: Lifetime,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredOnReuse(#[serde(with = "OnReuseName")] OnReuse);

#[derive(Serialize, Deserialize)]
#[serde(remote = "ConsentMode", rename_all = "snake_case")]
enum ConsentModeName {
    Remember,
    Always,
    Skip,
}

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
#[serde(remote = "IdTokenAlgorithm", rename_all = "snake_case")]
enum IdTokenAlgorithmName {
    Rs256,
    Es256,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OutlivesSession", rename_all = "snake_case")]
enum OutlivesSessionName {
    Always,
    WithOfflineAccess,
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

#[derive(Serialize, Deserialize)]
#[serde(remote = "ScopeNarrowing", rename_all = "snake_case")]
enum ScopeNarrowingName {
    AccessToken,
    Grant,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OldAccessTokens", rename_all = "snake_case")]
enum OldAccessTokensName {
    Keep,
    End,
}

impl From<&ClientSettings> for Document {
    fn from(settings: &ClientSettings) -> Self {
        let ClientSettings {
            name,
            client_uri,
            policy_uri,
            tos_uri,
            auth_methods,
            credential,
            grant_types,
            refresh_token_scope,
            redirect_uris,
            post_logout_redirect_uris,
            allowed_origins,
            require_pkce,
            consent,
            scope,
            default_scope,
            resources,
            audience,
            access_token_format,
            id_token_algorithm,
            id_token_on_refresh,
            outlives_session,
            policy,
            allow_unsafe_rotation,
        } = settings;
        Self {
            name: name.clone(),
            client_uri: client_uri.clone(),
            policy_uri: policy_uri.clone(),
            tos_uri: tos_uri.clone(),
            auth_methods: auth_methods.clone(),
            credential: credential.as_ref().map(|credential| credential.expose().to_owned()),
            grant_types: grant_types.clone(),
            refresh_token_scope: refresh_token_scope.clone(),
            redirect_uris: redirect_uris.clone(),
            post_logout_redirect_uris: post_logout_redirect_uris.clone(),
            allowed_origins: allowed_origins.clone(),
            require_pkce: *require_pkce,
            consent: *consent,
            scope: scope.clone(),
            default_scope: default_scope.clone(),
            resources: resources.clone(),
            audience: audience.clone(),
            access_token_format: *access_token_format,
            id_token_algorithm: *id_token_algorithm,
            id_token_on_refresh: *id_token_on_refresh,
            outlives_session: *outlives_session,
            policy: policy.into(),
            allow_unsafe_rotation: *allow_unsafe_rotation,
        }
    }
}

impl From<Document> for ClientSettings {
    fn from(document: Document) -> Self {
        let Document {
            name,
            client_uri,
            policy_uri,
            tos_uri,
            auth_methods,
            credential,
            grant_types,
            refresh_token_scope,
            redirect_uris,
            post_logout_redirect_uris,
            allowed_origins,
            require_pkce,
            consent,
            scope,
            default_scope,
            resources,
            audience,
            access_token_format,
            id_token_algorithm,
            id_token_on_refresh,
            outlives_session,
            policy,
            allow_unsafe_rotation,
        } = document;
        Self {
            name,
            client_uri,
            policy_uri,
            tos_uri,
            auth_methods,
            credential: credential.map(Credential::new),
            grant_types,
            refresh_token_scope,
            redirect_uris,
            post_logout_redirect_uris,
            allowed_origins,
            require_pkce,
            consent,
            scope,
            default_scope,
            resources,
            audience,
            access_token_format,
            id_token_algorithm,
            id_token_on_refresh,
            outlives_session,
            policy: policy.into(),
            allow_unsafe_rotation,
        }
    }
}

impl From<&Policy> for PolicyDocument {
    fn from(policy: &Policy) -> Self {
        let Policy {
            rotation,
            retry_window_seconds,
            on_reuse,
            scope_narrowing,
            old_access_tokens,
            code_retry_seconds,
            access_lifetime,
            idle_lifetime,
            absolute_lifetime,
        } = *policy;
        let on_reuse = on_reuse.map(StoredOnReuse);
        Self {
            rotation,
            retry_window_seconds,
            on_reuse,
            scope_narrowing,
            old_access_tokens,
            code_retry_seconds,
            access_lifetime,
            idle_lifetime,
            absolute_lifetime,
        }
    }
}

impl From<PolicyDocument> for Policy {
    fn from(document: PolicyDocument) -> Self {
        let PolicyDocument {
            rotation,
            retry_window_seconds,
            on_reuse,
            scope_narrowing,
            old_access_tokens,
            code_retry_seconds,
            access_lifetime,
            idle_lifetime,
            absolute_lifetime,
        } = document;
        let on_reuse = on_reuse.map(|StoredOnReuse(on_reuse)| on_reuse);
        Self {
            rotation,
            retry_window_seconds,
            on_reuse,
            scope_narrowing,
            old_access_tokens,
            code_retry_seconds,
            access_lifetime,
            idle_lifetime,
            absolute_lifetime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"name":"An app","client_uri":"https://app/","policy_uri":null,"tos_uri":"https://app/tos","auth_methods":["client_secret_basic"],"credential":"hash","grant_types":["refresh_token"],"refresh_token_scope":"write","redirect_uris":["https://app/"],"post_logout_redirect_uris":["com.example.app:/bye"],"allowed_origins":["https://app"],"require_pkce":false,"consent":"always","scope":"read write","default_scope":"read","resources":["https://api"],"audience":["api"],"access_token_format":"jwt_es256","id_token_algorithm":"es256","id_token_on_refresh":true,"outlives_session":"with_offline_access","policy":{"rotation":"rotate","retry_window_seconds":null,"on_reuse":"alert","scope_narrowing":"grant","old_access_tokens":"end","code_retry_seconds":10,"access_lifetime":900,"idle_lifetime":0,"absolute_lifetime":4294967295},"allow_unsafe_rotation":true}"#;

    #[test]
    fn stored_settings_are_written_as_they_were_read() {
        assert_eq!(to_json(&from_json(STORED).unwrap()), STORED);
    }

    #[test]
    fn a_document_with_a_member_too_few_too_many_or_wrong_is_refused() {
        for (from, to, problem) in [
            (r#""name":"An app","#, "", "missing field `name`"),
            (r#""credential":"hash","#, "", "missing field `credential`"),
            (r#""require_pkce":false,"#, "", "missing field `require_pkce`"),
            (r#""retry_window_seconds":null,"#, "", "missing field `retry_window_seconds`"),
            (r#""refresh_token_scope":"write","#, "", "missing field `refresh_token_scope`"),
            (r#""old_access_tokens":"end","#, "", "missing field `old_access_tokens`"),
            (r#","allow_unsafe_rotation":true"#, "", "missing field `allow_unsafe_rotation`"),
            (r#""scope_narrowing":"grant""#, r#""scope_narrowing":"family""#, "unknown variant `family`"),
            (r#""audience""#, r#""colour":1,"audience""#, "unknown field `colour`"),
            (r#""on_reuse":"alert""#, r#""on_reuse":"shrug""#, "unknown variant `shrug`"),
            (r#""consent":"always""#, r#""consent":"never""#, "unknown variant `never`"),
            (r#""scope":"read write""#, r#""scope":"read  write""#, "scope has an empty entry"),
            (r#"["https://api"]"#, r#"["api"]"#, "resource is not an absolute URI"),
            (r#"["https://app/"]"#, r#"["http://app/"]"#, "redirect URI"),
            (r#"["com.example.app:/bye"]"#, r#"["app:/bye"]"#, "redirect URI"),
            (r#"["https://app"]"#, r#"["https://app/"]"#, "origin"),
            ("4294967295", "4294967296", "invalid value"),
        ] {
            let refusal = from_json(&STORED.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(refusal.contains(problem), "{from} -> {to}: {refusal}");
        }
    }
}
