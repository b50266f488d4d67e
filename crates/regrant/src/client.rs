use regrant_grant::ClientKind;
use regrant_protocol::{RedirectUri, RedirectUriError, Scope, ScopeError};
use regrant_store::{ClientDefaults, ClientSettings};

/// Why a client cannot be as it is described.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A redirect URI that nobody may be sent to.
    #[error("redirect URI {0:?}: {1}")]
    RedirectUri(String, RedirectUriError),
    /// A text that is no scope.
    #[error("scope {0:?}: {1}")]
    Scope(String, ScopeError),
}

/// Settings of an application that can keep no secret, in a browser or on a device: authorization code with PKCE, and refresh
/// tokens. Users are sent back to `redirect_uris`, after a log-out too; `scope` is what it may ask for, and gets by default.
///
/// An access token lives for an hour, a refresh token for two weeks unless it is used, a grant for a year; all of it, and what
/// [`ClientSettings`] has beside it, can be changed.
///
/// ```
/// let mut app = regrant::public_client(&["com.example.app:/callback"], "openid offline_access")?;
/// app.name = Some("Our app".to_owned());
/// app.policy.access_lifetime = regrant::Lifetime::from_seconds(300);
/// # Ok::<(), regrant::ClientError>(())
/// ```
///
/// # Errors
/// [`ClientError`] says what is wrong with which text.
pub fn public_client(redirect_uris: &[&str], scope: &str) -> Result<ClientSettings, ClientError> {
    client(ClientKind::Public, redirect_uris, scope)
}

/// As [`public_client`], for an application with a server of its own, which authenticates with a secret: see
/// [`Secrecy`](regrant_engine::Secrecy).
///
/// # Errors
/// [`ClientError`] says what is wrong with which text.
pub fn confidential_client(redirect_uris: &[&str], scope: &str) -> Result<ClientSettings, ClientError> {
    client(ClientKind::Confidential, redirect_uris, scope)
}

fn client(kind: ClientKind, redirect_uris: &[&str], scope: &str) -> Result<ClientSettings, ClientError> {
    let redirect_uri =
        |uri: &&str| RedirectUri::parse(uri).map_err(|error| ClientError::RedirectUri((*uri).to_owned(), error));
    let scope = Scope::parse(scope).map_err(|error| ClientError::Scope(scope.to_owned(), error))?;
    let mut settings = ClientDefaults::BUILT_IN.settings(kind, scope);
    settings.redirect_uris = redirect_uris.iter().map(redirect_uri).collect::<Result<_, _>>()?;
    settings.post_logout_redirect_uris = settings.redirect_uris.clone();
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use regrant_engine::broken_rules;

    use super::*;

    #[test]
    fn both_kinds_of_clients_obey_every_rule() {
        let uris = &["https://app.example/callback"];
        let public = public_client(uris, "openid read").unwrap();
        assert_eq!(broken_rules(ClientKind::Public, &public), []);
        let confidential = confidential_client(uris, "openid read").unwrap();
        assert_eq!(broken_rules(ClientKind::Confidential, &confidential), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_text() {
        let told = |made: Result<ClientSettings, ClientError>| made.unwrap_err().to_string();
        assert!(told(public_client(&["http://app.example/"], "read")).contains("http://app.example/"));
        assert!(told(public_client(&[], "a\"b")).contains("a\\\"b"));
    }
}
