use regrant_grant::{ClientKind, OldAccessTokens, Policy, RotationMode, ScopeNarrowing};
use regrant_protocol::{GrantType, Lifetime, Scope, TokenEndpointAuthMethod};

use crate::{AccessTokenFormat, ClientSettings, ConsentMode, IdTokenAlgorithm, OutlivesSession};

/// What holds for a client of which nobody says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDefaults {
    /// Rotation, retries and lifetimes.
    pub policy: Policy,
    /// What access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What signs ID tokens.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// Whether every refresh gives a new ID token.
    pub id_token_on_refresh: bool,
    /// Whether every authorization request of a confidential client has to carry a code challenge; that of a public one has to
    /// in any case.
    pub require_pkce: bool,
    /// When users are asked.
    pub consent: ConsentMode,
    /// Which grants live on when the login session ends.
    pub outlives_session: OutlivesSession,
    /// What has to be granted so that a refresh token comes with it.
    pub refresh_token_scope: Option<Scope>,
}

impl ClientDefaults {
    /// What holds where an operator says nothing either: refresh tokens rotate, an access token lives for an hour, a refresh
    /// token for two weeks unless it is used, a grant for a year; users are asked once, and grants outlive their sessions.
    pub const BUILT_IN: Self = Self {
        policy: Policy {
            rotation: RotationMode::Rotate,
            retry_window_seconds: None,
            on_reuse: None,
            scope_narrowing: ScopeNarrowing::AccessToken,
            old_access_tokens: OldAccessTokens::Keep,
            code_retry_seconds: 0,
            access_lifetime: Lifetime::from_seconds(60 * 60),
            idle_lifetime: Lifetime::from_seconds(14 * 24 * 60 * 60),
            absolute_lifetime: Lifetime::from_seconds(365 * 24 * 60 * 60),
        },
        access_token_format: AccessTokenFormat::JwtEs256,
        id_token_algorithm: IdTokenAlgorithm::Rs256,
        id_token_on_refresh: false,
        require_pkce: true,
        consent: ConsentMode::Remember,
        outlives_session: OutlivesSession::Always,
        refresh_token_scope: None,
    };

    /// A client of which nothing is said but whether it can keep a secret, and what it may ask for: authorization code and
    /// refresh tokens; a public one names itself, a confidential one sends its secret in either way. It has no credential,
    /// and nowhere to send a browser.
    #[must_use]
    pub fn settings(&self, kind: ClientKind, scope: Scope) -> ClientSettings {
        let auth_methods = match kind {
            ClientKind::Public => vec![TokenEndpointAuthMethod::None],
            ClientKind::Confidential => {
                vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost]
            }
        };
        let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        ClientSettings {
            access_token_format: self.access_token_format,
            id_token_algorithm: self.id_token_algorithm,
            id_token_on_refresh: self.id_token_on_refresh,
            require_pkce: self.require_pkce || kind == ClientKind::Public,
            consent: self.consent,
            outlives_session: self.outlives_session,
            refresh_token_scope: self.refresh_token_scope.clone(),
            ..ClientSettings::new(auth_methods, grant_types, scope, self.policy)
        }
    }
}
