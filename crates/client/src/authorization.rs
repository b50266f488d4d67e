use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{random, sha256};
use regrant_protocol::{CodeChallenge, CodeVerifier, Params, Scope, Secret, with_query};

use crate::{Credential, DpopKey, Failure, OAuthClient, OAuthError};

/// A login with a browser that has begun: authorization code with PKCE (RFC 6749 §4.1, RFC 7636).
#[derive(Debug)]
pub struct Authorization {
    client: OAuthClient,
    url: String,
    redirect_uri: String,
    scope: Scope,
    state: Secret,
    verifier: CodeVerifier,
    dpop_key: Option<DpopKey>,
}

/// Why a login with a browser gave no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The server's metadata names no authorization endpoint.
    #[error("{0} names no authorization endpoint: nobody can log in there with a browser")]
    NotOffered(String),
    /// The answer belongs to no request of this login (RFC 6749 §10.12): somebody else sent the browser here.
    #[error("the browser came back with an answer to another request; begin the login again")]
    State,
    /// The answer comes from another server than the one that was asked (RFC 9207 §2.4).
    #[error("the answer names the issuer {0:?}, which was not asked; begin the login again")]
    Issuer(String),
    /// The server or its user said no.
    #[error("the login was refused: {0}")]
    Refused(OAuthError),
    /// The answer has no code, or cannot be read.
    #[error("the browser came back without an authorization code")]
    NoCode,
    /// The server did not take the code.
    #[error(transparent)]
    Redemption(#[from] Failure),
}

impl OAuthClient {
    /// Begins a login with a browser, which comes back to `redirect_uri`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use regrant_client::{IssuerIdentifier, OAuthClient, Provider, ReqwestTransport};
    /// # use regrant_protocol::{ClientId, Scope};
    /// # let issuer = IssuerIdentifier::parse("https://id.example")?;
    /// # let mut provider = Provider::new(issuer, "https://id.example/token")?;
    /// provider.authorization_endpoint = Some("https://id.example/authorize".to_owned());
    /// # let client = OAuthClient::new(provider, ClientId::parse("reports")?, Arc::new(ReqwestTransport::new()?));
    /// let authorization = client.authorization("https://app.example/callback", &Scope::parse("read")?)?;
    /// assert!(authorization.url().starts_with("https://id.example/authorize?response_type=code&client_id=reports&"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthorizationError::NotOffered`] when the server has no place for it.
    pub fn authorization(&self, redirect_uri: &str, scope: &Scope) -> Result<Authorization, AuthorizationError> {
        let Some(endpoint) = &self.provider().authorization_endpoint else {
            return Err(AuthorizationError::NotOffered(self.provider().issuer.as_str().to_owned()));
        };
        let state = URL_SAFE_NO_PAD.encode(random::<16>(self.entropy()));
        let verifier = URL_SAFE_NO_PAD.encode(random::<32>(self.entropy()));
        let verifier = CodeVerifier::parse(&verifier).expect("32 bytes are 43 characters of base64url");
        let challenge = String::from(CodeChallenge::of_digest(&sha256(verifier.expose().as_bytes())));
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", self.id().as_str()),
            ("redirect_uri", redirect_uri),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", CodeChallenge::METHOD),
        ];
        if !scope.is_empty() {
            parameters.push(("scope", scope.as_str()));
        }
        let dpop_key = self.new_key();
        if let Some(key) = &dpop_key {
            // RFC 9449 §10: nobody redeems the code without the key.
            parameters.push(("dpop_jkt", key.thumbprint()));
        }
        parameters.extend(self.resources().iter().map(|resource| ("resource", resource.as_str())));
        let url = with_query(endpoint, parameters);
        let (client, redirect_uri, scope) = (self.clone(), redirect_uri.to_owned(), scope.clone());
        Ok(Authorization { client, url, redirect_uri, scope, state: Secret::new(state), verifier, dpop_key })
    }
}

impl Authorization {
    /// Where the browser has to go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether `query`, with which a browser came back, answers this request, and no other one.
    #[must_use]
    pub fn is_answered_by(&self, query: &str) -> bool {
        Params::parse(query.as_bytes()).is_ok_and(|answer| self.is_answer(&answer))
    }

    /// Redeems what the browser came back with: `query` is what follows the `?` of its address.
    ///
    /// # Errors
    /// When it is no answer to this request, or not one of this server, or the server gives no tokens.
    pub async fn finish(self, query: &str) -> Result<Credential, AuthorizationError> {
        let code = self.code(query)?;
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose()),
        ];
        Ok(self.client.log_in(form, &self.scope, self.dpop_key.clone()).await?)
    }

    /// The code of an answer: first that it is an answer to this request, then who gave it, then what it says.
    pub(crate) fn code(&self, query: &str) -> Result<Secret, AuthorizationError> {
        let answer = Params::parse(query.as_bytes()).map_err(|_| AuthorizationError::NoCode)?;
        if !self.is_answer(&answer) {
            return Err(AuthorizationError::State);
        }
        let provider = self.client.provider();
        let issuer = answer.get("iss").unwrap_or_default();
        if issuer != provider.issuer.as_str() && (provider.names_itself || !issuer.is_empty()) {
            return Err(AuthorizationError::Issuer(issuer.to_owned()));
        }
        if let Some(error) = answer.get("error") {
            let error = OAuthError::new(error, answer.get("error_description").unwrap_or_default());
            return Err(AuthorizationError::Refused(error));
        }
        answer.get("code").map(|code| Secret::new(code.to_owned())).ok_or(AuthorizationError::NoCode)
    }

    fn is_answer(&self, answer: &Params) -> bool {
        answer.get("state").is_some_and(|state| Secret::new(state.to_owned()) == self.state)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{IssuerIdentifier, Provider, RequestBody, Transport, TransportError};
    use async_trait::async_trait;
    use regrant_protocol::ClientId;
    use std::sync::Arc;

    struct Nowhere;

    #[async_trait]
    impl Transport for Nowhere {
        async fn send(&self, _: http::Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError> {
            Err(TransportError::NotSent("no network".to_owned()))
        }
    }

    pub(crate) fn begun(names_itself: bool) -> Authorization {
        let issuer = IssuerIdentifier::parse("https://id.example").unwrap();
        let mut provider = Provider::new(issuer, "https://id.example/token").unwrap();
        provider.authorization_endpoint = Some("https://id.example/authorize?tenant=1".to_owned());
        provider.names_itself = names_itself;
        let client = OAuthClient::new(provider, ClientId::parse("TestApp").unwrap(), Arc::new(Nowhere));
        client.authorization("http://127.0.0.1:1/callback", &Scope::parse("read").unwrap()).unwrap()
    }

    #[test]
    fn rfc7636_section_4_3_the_request_shows_the_challenge_and_never_the_verifier() {
        let begun = begun(true);
        let challenge = URL_SAFE_NO_PAD.encode(sha256(begun.verifier.expose().as_bytes()));
        assert!(begun.url().starts_with("https://id.example/authorize?tenant=1&response_type=code&"));
        assert!(begun.url().contains(&format!("code_challenge={challenge}&code_challenge_method=S256&scope=read")));
        assert!(!begun.url().contains(begun.verifier.expose()));
        assert!(!format!("{begun:?}").contains(begun.verifier.expose()));
    }

    #[test]
    fn rfc9207_section_2_4_an_answer_of_another_server_is_refused_whatever_it_says() {
        const OURS: &str = "iss=https%3A%2F%2Fid.example";
        for (names_itself, query, expected) in [
            (true, format!("code=c&{OURS}"), "ok"),
            (false, "code=c".to_owned(), "ok"),
            (true, "code=c".to_owned(), "issuer"),
            (true, "code=c&iss=https%3A%2F%2Fevil.example".to_owned(), "issuer"),
            (false, "code=c&iss=https%3A%2F%2Fevil.example".to_owned(), "issuer"),
            (false, "error=access_denied&iss=https%3A%2F%2Fevil.example".to_owned(), "issuer"),
            (true, format!("error=access_denied&{OURS}"), "refused"),
            (true, OURS.to_owned(), "no code"),
            (true, format!("code=c&code=d&{OURS}"), "no code"),
        ] {
            let begun = begun(names_itself);
            let query = format!("{query}&state={}", begun.state.expose());
            let found = match begun.code(&query) {
                Ok(code) => {
                    assert_eq!(code.expose(), "c");
                    "ok"
                }
                Err(AuthorizationError::Issuer(_)) => "issuer",
                Err(AuthorizationError::Refused(_)) => "refused",
                Err(AuthorizationError::NoCode) => "no code",
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn rfc6749_section_10_12_an_answer_to_another_request_is_refused() {
        let (begun, other) = (begun(false), begun(false));
        for query in ["code=c".to_owned(), "code=c&state=".to_owned(), format!("code=c&state={}", other.state.expose())]
        {
            assert_eq!(begun.code(&query).map(drop), Err(AuthorizationError::State), "{query}");
            assert!(!begun.is_answered_by(&query));
        }
        assert!(begun.is_answered_by(&format!("code=c&state={}", begun.state.expose())));
    }
}
