use regrant_protocol::{GrantType, TokenEndpointAuthMethod};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    AccessTokenFormat, ConsentMode, IdTokenAlgorithm, OldAccessTokens, OnReuse, OutlivesSession, Patch, RotationMode,
    ScopeNarrowing,
};

/// Some settings of a client.
pub type ClientPatch = Patch<ClientFields>;

/// The settings of a client, under the names that `[[client]]` in `regrant.toml` has for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Client")]
pub struct ClientFields {
    /// What users know it by; `null` for its identifier.
    pub name: Option<String>,
    /// How it may authenticate: `none` alone for a public client.
    #[schemars(schema_with = "auth_methods")]
    pub auth_methods: Vec<TokenEndpointAuthMethod>,
    /// How it may get tokens.
    #[schemars(schema_with = "grant_types")]
    pub grant_types: Vec<GrantType>,
    /// What has to be granted so that a refresh token comes with it; `null` when the grant type `refresh_token` is enough.
    pub refresh_token_scope: Option<String>,
    /// Where a browser may be sent back to with a code.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent back to after it was logged out.
    pub post_logout_redirect_uris: Vec<String>,
    /// The web origins whose scripts may read the answers of the server (CORS).
    pub allowed_origins: Vec<String>,
    /// What it may ask for, with spaces between.
    pub scope: String,
    /// What it gets when it asks for nothing; `null` for all of `scope`.
    pub default_scope: Option<String>,
    /// The resource servers that it may name in `resource` (RFC 8707).
    pub resources: Vec<String>,
    /// The `aud` of its access tokens when it names no resource; empty for the issuer.
    pub audience: Vec<String>,
    /// Whether every authorization request has to carry a code challenge (RFC 7636).
    pub require_pkce: bool,
    /// Its home page.
    pub client_uri: Option<String>,
    /// Its privacy policy.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,
    /// When users are asked.
    pub consent: ConsentMode,
    /// Which grants live on when the login session ends.
    pub outlives_session: OutlivesSession,
    /// What access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What signs ID tokens.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// Whether every refresh of a grant with `openid` gives a new ID token.
    pub id_token_on_refresh: bool,
    /// How long an access token lives, in seconds; 0 for as long as its grant.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub access_lifetime: u32,
    /// How long a refresh token lives unless it is used, in seconds; 0 for ever.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub idle_lifetime: u32,
    /// How long a grant lives whatever happens, in seconds; 0 for ever.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub absolute_lifetime: u32,
    /// What a refresh does to the refresh token.
    pub rotation: RotationMode,
    /// How long the same refresh may be tried again, in seconds; 0 for never, `null` for as long as the sender's proof allows.
    #[schemars(range(max = 86_400))]
    pub retry_window: Option<u32>,
    /// What the use of a superseded refresh token does; `null` for what fits the sender's proof.
    pub on_reuse: Option<OnReuse>,
    /// What becomes narrower when a refresh asks for less scope than was granted.
    pub scope_narrowing: ScopeNarrowing,
    /// What a refresh does to the access tokens that came before it.
    pub old_access_tokens: OldAccessTokens,
    /// How long after its redemption a code with PKCE gives the same tokens again, in seconds; 0 for never.
    #[schemars(range(max = 10))]
    pub code_retry: u32,
    /// Whether a public client may have a rotation that leaves its token as it is, so that a stolen one is never noticed.
    pub allow_unsafe_rotation: bool,
}

fn auth_methods(_: &mut SchemaGenerator) -> Schema {
    let texts = TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str);
    json_schema!({ "type": "array", "items": { "type": "string", "enum": texts } })
}

fn grant_types(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": GrantType::ALL.map(GrantType::as_str) } })
}
