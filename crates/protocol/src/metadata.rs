use serde::Serialize;

use crate::authorization_request::RESPONSE_TYPE;
use crate::{CodeChallenge, GrantType, IdTokenClaims, Issuer, Profile, Prompt, ResponseMode, TokenEndpointAuthMethod};

/// What the server tells about itself (RFC 8414 §2, OpenID Connect Discovery §3): only what it really offers, and no empty
/// lists (§3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metadata {
    issuer: String,
    #[serde(flatten)]
    authorization: Option<AuthorizationMetadata>,
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
    #[serde(flatten)]
    openid: Option<OpenIdMetadata>,
}

/// Where users log in with a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct AuthorizationMetadata {
    authorization_endpoint: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
}

/// Where clients learn who the user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct OpenIdMetadata {
    userinfo_endpoint: String,
    end_session_endpoint: String,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 2],
    claims_supported: Vec<&'static str>,
    acr_values_supported: [&'static str; 1],
    prompt_values_supported: [&'static str; 4],
    claims_parameter_supported: bool,
}

/// RS256 is the one that every client can read (OpenID Connect Core §15.1), ES256 the shorter one.
const ID_TOKEN_ALGORITHMS: [&str; 2] = ["RS256", "ES256"];

impl Metadata {
    /// Where an authorization begins, below the issuer.
    pub const AUTHORIZATION_PATH: &'static str = "/authorize";
    /// Where a user logs in, below the issuer.
    pub const LOGIN_PATH: &'static str = "/login";
    /// Where a user consents, below the issuer.
    pub const CONSENT_PATH: &'static str = "/consent";
    /// Where a user sees and ends what was consented to, below the issuer.
    pub const ACCOUNT_PATH: &'static str = "/account";
    /// Where a user logs out, below the issuer: the end session endpoint.
    pub const END_SESSION_PATH: &'static str = "/logout";
    /// Where the tokens are issued, below the issuer.
    pub const TOKEN_PATH: &'static str = "/token";
    /// Where an access token tells who its user is, below the issuer.
    pub const USERINFO_PATH: &'static str = "/userinfo";
    /// Where tokens are revoked, below the issuer.
    pub const REVOCATION_PATH: &'static str = "/revoke";
    /// Where tokens are introspected, below the issuer.
    pub const INTROSPECTION_PATH: &'static str = "/introspect";
    /// Where the public keys are, below the issuer.
    pub const JWKS_PATH: &'static str = "/jwks";

    /// The metadata of `issuer`, which offers these grant types and scopes. The authorization endpoint is told where
    /// `authorization_code` is offered, and OpenID Connect where the scope `openid` is offered with it.
    #[must_use]
    pub fn new(issuer: &Issuer, grant_types: &[GrantType], scopes: Vec<String>) -> Self {
        let any_client: Vec<_> = TokenEndpointAuthMethod::ALL.iter().map(|method| method.as_str()).collect();
        let confidential =
            TokenEndpointAuthMethod::ALL.iter().filter(|&&method| method != TokenEndpointAuthMethod::None);
        let has_browser = grant_types.contains(&GrantType::AuthorizationCode);
        let has_openid = has_browser && scopes.iter().any(|scope| scope == "openid");
        Self {
            issuer: issuer.as_str().to_owned(),
            authorization: has_browser.then(|| AuthorizationMetadata::new(issuer)),
            token_endpoint: issuer.endpoint(Self::TOKEN_PATH),
            token_endpoint_auth_methods_supported: any_client.clone(),
            jwks_uri: issuer.endpoint(Self::JWKS_PATH),
            grant_types_supported: grant_types.iter().map(|grant_type| grant_type.as_str()).collect(),
            scopes_supported: scopes,
            revocation_endpoint: issuer.endpoint(Self::REVOCATION_PATH),
            revocation_endpoint_auth_methods_supported: any_client,
            introspection_endpoint: issuer.endpoint(Self::INTROSPECTION_PATH),
            introspection_endpoint_auth_methods_supported: confidential.map(|method| method.as_str()).collect(),
            openid: has_openid.then(|| OpenIdMetadata::new(issuer)),
        }
    }
}

impl AuthorizationMetadata {
    fn new(issuer: &Issuer) -> Self {
        Self {
            authorization_endpoint: issuer.endpoint(Metadata::AUTHORIZATION_PATH),
            response_types_supported: [RESPONSE_TYPE],
            response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str),
            code_challenge_methods_supported: [CodeChallenge::METHOD],
            authorization_response_iss_parameter_supported: true,
            // OpenID Connect Discovery §3: absent would mean that `request_uri` is supported.
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
        }
    }
}

impl OpenIdMetadata {
    fn new(issuer: &Issuer) -> Self {
        Self {
            userinfo_endpoint: issuer.endpoint(Metadata::USERINFO_PATH),
            end_session_endpoint: issuer.endpoint(Metadata::END_SESSION_PATH),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ID_TOKEN_ALGORITHMS,
            claims_supported: [&IdTokenClaims::NAMES[..], &Profile::PROFILE_CLAIMS, &Profile::EMAIL_CLAIMS].concat(),
            acr_values_supported: [IdTokenClaims::ACR_PASSWORD],
            prompt_values_supported: Prompt::ALL.map(Prompt::as_str),
            claims_parameter_supported: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn members(grant_types: &[GrantType], scopes: &[&str]) -> serde_json::Map<String, Value> {
        let issuer = Issuer::parse("https://id.example/t1").unwrap();
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        match serde_json::to_value(Metadata::new(&issuer, grant_types, scopes)) {
            Ok(Value::Object(members)) => members,
            other => panic!("metadata is an object: {other:?}"),
        }
    }

    const BROWSER: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];

    #[test]
    fn rfc8414_section_2_what_is_offered_is_told() {
        let members = members(&BROWSER, &["email", "openid"]);
        for (name, expected) in [
            ("issuer", json!("https://id.example/t1")),
            ("authorization_endpoint", json!("https://id.example/t1/authorize")),
            ("token_endpoint", json!("https://id.example/t1/token")),
            ("userinfo_endpoint", json!("https://id.example/t1/userinfo")),
            ("end_session_endpoint", json!("https://id.example/t1/logout")),
            ("jwks_uri", json!("https://id.example/t1/jwks")),
            ("grant_types_supported", json!(["authorization_code", "refresh_token"])),
            ("scopes_supported", json!(["email", "openid"])),
            ("response_types_supported", json!(["code"])),
            ("response_modes_supported", json!(["query", "form_post"])),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("authorization_response_iss_parameter_supported", json!(true)),
            ("request_parameter_supported", json!(false)),
            ("request_uri_parameter_supported", json!(false)),
            ("claims_parameter_supported", json!(false)),
            ("subject_types_supported", json!(["public"])),
            ("id_token_signing_alg_values_supported", json!(["RS256", "ES256"])),
            ("acr_values_supported", json!([IdTokenClaims::ACR_PASSWORD])),
            ("prompt_values_supported", json!(["none", "login", "consent", "select_account"])),
        ] {
            assert_eq!(members.get(name), Some(&expected), "{name}");
        }
        let claims = members["claims_supported"].as_array().unwrap();
        for claim in ["sub", "iss", "auth_time", "name", "updated_at", "email", "email_verified"] {
            assert!(claims.contains(&json!(claim)), "{claim}");
        }
    }

    #[test]
    fn what_is_not_offered_is_not_told() {
        let without_browser = members(&[GrantType::ClientCredentials], &["openid"]);
        let without_openid = members(&BROWSER, &["read"]);
        assert!(without_openid.contains_key("authorization_endpoint"));
        for name in ["userinfo_endpoint", "end_session_endpoint", "subject_types_supported", "claims_supported"] {
            assert!(!without_browser.contains_key(name) && !without_openid.contains_key(name), "{name}");
        }
        for name in ["authorization_endpoint", "response_types_supported", "code_challenge_methods_supported"] {
            assert!(!without_browser.contains_key(name), "{name}");
        }
    }

    #[test]
    fn rfc8414_section_3_2_no_list_is_empty() {
        for scopes in [&["openid"][..], &[]] {
            for (name, member) in members(&BROWSER, scopes) {
                assert!(member.as_array().is_none_or(|list| !list.is_empty()), "{name}");
            }
        }
    }
}
