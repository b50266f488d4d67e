use std::time::Duration;

use http::{Method, Request};
use serde::Deserialize;

use crate::answer::retry_after;
use crate::issuer_identifier::check_secure;
use crate::token_error::after;
use crate::{IssuerIdentifier, RequestBody, Transport, TransportError, UrlError};

/// An OAuth server: where its endpoints are, and what it promises.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provider {
    /// Who it is.
    pub issuer: IssuerIdentifier,
    /// Where tokens are given out.
    pub token_endpoint: String,
    /// Where a person logs in; `None` where nobody can.
    pub authorization_endpoint: Option<String>,
    /// Where tokens are revoked; `None` where none can be.
    pub revocation_endpoint: Option<String>,
    /// Where a login on another device begins (RFC 8628 §4); `None` where none can.
    pub device_authorization_endpoint: Option<String>,
    /// Where a resource server asks about tokens (RFC 7662); `None` where it cannot.
    pub introspection_endpoint: Option<String>,
    /// Where a user's claims are (OpenID Connect Core §5.3); `None` where there are none.
    pub userinfo_endpoint: Option<String>,
    /// Where the keys are that tokens are signed with (RFC 8414 §2); `None` where they are not published.
    pub jwks_uri: Option<String>,
    /// Whether the answer to an authorization request always names the issuer (RFC 9207 §3).
    pub names_itself: bool,
    /// The algorithms of DPoP proofs (RFC 9449 §5.1); none where the server does not say that it knows of them.
    pub dpop_algorithms: Vec<String>,
    /// How clients may prove who they are at the token endpoint (RFC 8414 §2); `client_secret_basic` where the metadata says
    /// nothing, none where there is no metadata.
    pub authentication_methods: Vec<String>,
}

/// Why a server's metadata cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No form of the well-known URL had metadata.
    #[error(
        "no metadata for {issuer} at any of its well-known URLs; the last said: {cause}. Check the issuer's spelling"
    )]
    NotFound {
        /// Whose metadata was looked for.
        issuer: IssuerIdentifier,
        /// What became of the last request.
        cause: String,
    },
    /// The server cannot be reached now.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server answers, and has no time for it. Try again.
    #[error("{url} was answered with status {status}: try again{}", after(*.retry_after))]
    Busy {
        /// What was asked for.
        url: String,
        /// 408, 429 or one of the server's errors.
        status: u16,
        /// How long the server asks to be left alone; `None` when it does not say.
        retry_after: Option<Duration>,
    },
    /// The metadata is that of somebody else (RFC 8414 §3.3).
    #[error(
        "the metadata at {url} is that of issuer {named:?}, not of {expected}; give the issuer exactly as it names itself"
    )]
    OtherIssuer {
        /// Where the metadata is.
        url: String,
        /// Whose it says it is.
        named: String,
        /// Who was asked for.
        expected: IssuerIdentifier,
    },
    /// An endpoint's URL would send secrets in the clear.
    #[error("the metadata names an endpoint that cannot be used: {0}")]
    Endpoint(#[from] UrlError),
}

impl Provider {
    /// A server whose endpoints are known, where there is no metadata to ask for.
    ///
    /// # Errors
    /// When the token endpoint's URL is neither `https://` nor on this machine.
    pub fn new(issuer: IssuerIdentifier, token_endpoint: &str) -> Result<Self, UrlError> {
        check_secure(token_endpoint)?;
        Ok(Self {
            issuer,
            token_endpoint: token_endpoint.to_owned(),
            authorization_endpoint: None,
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            introspection_endpoint: None,
            userinfo_endpoint: None,
            jwks_uri: None,
            names_itself: false,
            dpop_algorithms: Vec::new(),
            authentication_methods: Vec::new(),
        })
    }

    /// Where metadata may be, in the order in which it is looked for.
    #[must_use]
    pub fn well_known_urls(issuer: &IssuerIdentifier) -> Vec<String> {
        let (origin, path) = issuer.origin_and_path();
        let mut urls = vec![
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}{path}/.well-known/openid-configuration"),
        ];
        if !path.is_empty() {
            urls.push(format!("{origin}/.well-known/openid-configuration{path}"));
        }
        urls
    }

    /// Asks `issuer` for its metadata, in the three forms that servers know: RFC 8414 §3.1, and OpenID Connect with the
    /// well-known part after the issuer's path and before it.
    ///
    /// # Errors
    /// When there is none, or it names another issuer; [`DiscoveryError::Transport`] and [`DiscoveryError::Busy`] when the same
    /// call may succeed later.
    pub async fn discover(issuer: &IssuerIdentifier, transport: &dyn Transport) -> Result<Self, DiscoveryError> {
        let mut cause = String::new();
        for url in Self::well_known_urls(issuer) {
            let request = Request::builder().method(Method::GET).uri(&url).header("accept", "application/json");
            let request = request.body(RequestBody::default()).expect("an issuer's URL with a path is a URL");
            let answer = transport.send(request).await?;
            let status = answer.status().as_u16();
            match serde_json::from_slice::<Members>(answer.body()) {
                Ok(members) if status == 200 => return members.check(issuer, url),
                // Another form of the URL is the same server, which asks for peace.
                _ if matches!(status, 408 | 429 | 500..) => {
                    return Err(DiscoveryError::Busy { url, status, retry_after: retry_after(answer.headers()) });
                }
                _ => cause = format!("status {status} at {url}, without metadata in JSON"),
            }
        }
        Err(DiscoveryError::NotFound { issuer: issuer.clone(), cause })
    }
}

#[derive(Deserialize)]
struct Members {
    issuer: String,
    token_endpoint: String,
    authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    jwks_uri: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    dpop_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Members {
    fn check(self, expected: &IssuerIdentifier, url: String) -> Result<Provider, DiscoveryError> {
        if self.issuer != expected.as_str() {
            return Err(DiscoveryError::OtherIssuer { url, named: self.issuer, expected: expected.clone() });
        }
        let endpoints = [
            &self.authorization_endpoint,
            &self.revocation_endpoint,
            &self.device_authorization_endpoint,
            &self.introspection_endpoint,
            &self.userinfo_endpoint,
            &self.jwks_uri,
        ];
        for endpoint in endpoints.into_iter().flatten() {
            check_secure(endpoint)?;
        }
        let methods = self.token_endpoint_auth_methods_supported;
        Ok(Provider {
            authorization_endpoint: self.authorization_endpoint,
            revocation_endpoint: self.revocation_endpoint,
            device_authorization_endpoint: self.device_authorization_endpoint,
            introspection_endpoint: self.introspection_endpoint,
            userinfo_endpoint: self.userinfo_endpoint,
            jwks_uri: self.jwks_uri,
            names_itself: self.authorization_response_iss_parameter_supported,
            dpop_algorithms: self.dpop_signing_alg_values_supported.unwrap_or_default(),
            authentication_methods: methods.unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
            ..Provider::new(expected.clone(), &self.token_endpoint)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Scripted, with};
    use async_trait::async_trait;

    /// Answers one path, and 404 with a page to every other.
    struct OnePage(&'static str, &'static str);

    #[async_trait]
    impl Transport for OnePage {
        async fn send(&self, request: Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError> {
            let (status, body) = if request.uri().path() == self.0 { (200, self.1) } else { (404, "<html>") };
            Ok(http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
        }
    }

    const T1: &str = r#"{"issuer":"https://id.example/t1","token_endpoint":"https://id.example/t1/token",
        "authorization_endpoint":"https://id.example/t1/authorize","authorization_response_iss_parameter_supported":true}"#;

    #[tokio::test]
    async fn metadata_is_found_in_all_three_forms() {
        let issuer = IssuerIdentifier::parse("https://id.example/t1").unwrap();
        for path in [
            "/.well-known/oauth-authorization-server/t1",
            "/t1/.well-known/openid-configuration",
            "/.well-known/openid-configuration/t1",
        ] {
            let provider = Provider::discover(&issuer, &OnePage(path, T1)).await.unwrap();
            assert_eq!(provider.token_endpoint, "https://id.example/t1/token", "{path}");
            assert!(provider.names_itself);
        }
        let nowhere = Provider::discover(&issuer, &OnePage("/metadata", T1)).await;
        assert!(matches!(nowhere, Err(DiscoveryError::NotFound { .. })), "{nowhere:?}");
    }

    #[tokio::test]
    async fn rfc8414_section_3_3_metadata_of_another_issuer_is_refused() {
        const PATH: &str = "/.well-known/oauth-authorization-server";
        for (text, body, expected) in [
            ("https://id.example", r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/t"}"#, "ok"),
            (
                "https://id.example/",
                r#"{"issuer":"https://id.example/","token_endpoint":"https://id.example/t"}"#,
                "ok",
            ),
            (
                "https://id.example/",
                r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/t"}"#,
                "other",
            ),
            ("https://id.example", T1, "other"),
            (
                "https://id.example",
                r#"{"issuer":"https://id.example","token_endpoint":"http://id.example/t"}"#,
                "endpoint",
            ),
            ("https://id.example", r#"{"issuer":"https://id.example"}"#, "none"),
        ] {
            let issuer = IssuerIdentifier::parse(text).unwrap();
            let found = match Provider::discover(&issuer, &OnePage(PATH, body)).await {
                Ok(_) => "ok",
                Err(DiscoveryError::OtherIssuer { .. }) => "other",
                Err(DiscoveryError::Endpoint(_)) => "endpoint",
                Err(DiscoveryError::NotFound { .. }) => "none",
                Err(DiscoveryError::Transport(_) | DiscoveryError::Busy { .. }) => "temporary",
            };
            assert_eq!(found, expected, "{text} {body}");
        }
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_once_and_no_spelling_error() {
        let issuer = IssuerIdentifier::parse("https://id.example").unwrap();
        for (status, headers, expected) in [
            (429, &[("retry-after", "7")][..], Some(7)),
            (500, &[], None),
            (503, &[("retry-after", "9")], Some(9)),
            (408, &[], None),
        ] {
            // One answer: whoever asks again finds nobody.
            let server = Scripted::of(vec![with(status, "<html>", headers)]);
            let error = Provider::discover(&issuer, &server).await.unwrap_err();
            let DiscoveryError::Busy { status: told, retry_after, .. } = &error else { panic!("{error}") };
            assert_eq!((*told, retry_after.map(|wait| wait.as_secs())), (status, expected));
            assert!(!error.to_string().contains("spelling"), "{error}");
        }
    }

    #[tokio::test]
    async fn rfc8414_section_2_the_metadata_says_what_a_server_can_do() {
        const PATH: &str = "/.well-known/oauth-authorization-server";
        let issuer = IssuerIdentifier::parse("https://id.example").unwrap();
        let full = r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/t",
            "device_authorization_endpoint":"https://id.example/d","introspection_endpoint":"https://id.example/i",
            "userinfo_endpoint":"https://id.example/u","jwks_uri":"https://id.example/k",
            "dpop_signing_alg_values_supported":["ES256"],"token_endpoint_auth_methods_supported":["private_key_jwt"]}"#;
        let provider = Provider::discover(&issuer, &OnePage(PATH, full)).await.unwrap();
        assert_eq!(provider.device_authorization_endpoint.as_deref(), Some("https://id.example/d"));
        assert_eq!(provider.introspection_endpoint.as_deref(), Some("https://id.example/i"));
        assert_eq!(provider.userinfo_endpoint.as_deref(), Some("https://id.example/u"));
        assert_eq!(provider.jwks_uri.as_deref(), Some("https://id.example/k"));
        assert_eq!(
            (provider.dpop_algorithms, provider.authentication_methods),
            (vec!["ES256".to_owned()], vec!["private_key_jwt".to_owned()])
        );

        let bare = r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/t"}"#;
        let provider = Provider::discover(&issuer, &OnePage(PATH, bare)).await.unwrap();
        assert_eq!(provider.authentication_methods, ["client_secret_basic"]);
        assert!(provider.dpop_algorithms.is_empty());

        let plain = r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/t",
            "device_authorization_endpoint":"http://id.example/d"}"#;
        let refused = Provider::discover(&issuer, &OnePage(PATH, plain)).await;
        assert!(matches!(refused, Err(DiscoveryError::Endpoint(_))), "{refused:?}");
    }
}
