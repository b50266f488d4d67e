use serde::Serialize;

use crate::{GrantType, Issuer, TokenEndpointAuthMethod};

/// What the server tells about itself (RFC 8414 §2): only what it really offers, and no empty lists (§3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metadata {
    issuer: String,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    jwks_uri: String,
    grant_types_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
}

impl Metadata {
    /// Where the tokens are issued, below the issuer.
    pub const TOKEN_PATH: &'static str = "/token";
    /// Where tokens are revoked, below the issuer.
    pub const REVOCATION_PATH: &'static str = "/revoke";
    /// Where tokens are introspected, below the issuer.
    pub const INTROSPECTION_PATH: &'static str = "/introspect";
    /// Where the public keys are, below the issuer.
    pub const JWKS_PATH: &'static str = "/jwks";

    /// The metadata of `issuer`, which offers these grant types and scopes.
    #[must_use]
    pub fn new(issuer: &Issuer, grant_types: &[GrantType], scopes: Vec<String>) -> Self {
        let any_client: Vec<_> = TokenEndpointAuthMethod::ALL.iter().map(|method| method.as_str()).collect();
        let confidential =
            TokenEndpointAuthMethod::ALL.iter().filter(|&&method| method != TokenEndpointAuthMethod::None);
        Self {
            issuer: issuer.as_str().to_owned(),
            token_endpoint: issuer.endpoint(Self::TOKEN_PATH),
            token_endpoint_auth_methods_supported: any_client.clone(),
            jwks_uri: issuer.endpoint(Self::JWKS_PATH),
            grant_types_supported: grant_types.iter().map(|grant_type| grant_type.as_str()).collect(),
            scopes_supported: scopes,
            revocation_endpoint: issuer.endpoint(Self::REVOCATION_PATH),
            revocation_endpoint_auth_methods_supported: any_client,
            introspection_endpoint: issuer.endpoint(Self::INTROSPECTION_PATH),
            introspection_endpoint_auth_methods_supported: confidential.map(|method| method.as_str()).collect(),
        }
    }
}
