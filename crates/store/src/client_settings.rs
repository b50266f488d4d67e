use regrant_grant::Policy;
use regrant_protocol::{GrantType, RedirectUri, Resources, Scope, TokenEndpointAuthMethod, WebOrigin};

use crate::{ClientDefaults, Credential};

/// What an operator says about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// What users know it by; `None` for its identifier.
    pub name: Option<String>,
    /// Its home page.
    pub client_uri: Option<String>,
    /// What it does with what it learns about users.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,

    /// The ways in which it may authenticate. `none` alone makes it a public client; `none` beside others is refused.
    pub auth_methods: Vec<TokenEndpointAuthMethod>,
    /// What is kept of its secret; `None` for a public client.
    pub credential: Option<Credential>,
    /// The grant types it may use.
    pub grant_types: Vec<GrantType>,
    /// What has to be granted so that a refresh token comes with it; `None` when the grant type `refresh_token` is enough.
    /// It counts when the first tokens are given: a refresh goes on as it is.
    pub refresh_token_scope: Option<Scope>,

    /// Where a browser may be sent back to with a code.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may be sent back to after it was logged out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Whose scripts may read our answers.
    pub allowed_origins: Vec<WebOrigin>,
    /// Whether every authorization request has to carry a code challenge (RFC 7636).
    pub require_pkce: bool,
    /// When its users are asked.
    pub consent: ConsentMode,

    /// What it may ask for.
    pub scope: Scope,
    /// What it gets when it asks for nothing; within `scope`.
    pub default_scope: Scope,
    /// The resource servers it may name (RFC 8707).
    pub resources: Resources,
    /// The `aud` of its access tokens when it names no resource; empty for the issuer.
    pub audience: Vec<String>,
    /// What its access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What signs its ID tokens.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// Whether every refresh of a grant with `openid` gives a new ID token, not only one whose scope names `openid`.
    pub id_token_on_refresh: bool,

    /// Which of its grants outlive the login session.
    pub outlives_session: OutlivesSession,
    /// Rotation, retries and lifetimes.
    pub policy: Policy,
    /// Whether a public client may have a rotation mode that leaves its token as it is, so that a stolen one is never noticed.
    pub allow_unsafe_rotation: bool,
}

impl ClientSettings {
    /// A client that gets all of `scope` when it asks for nothing, has to use PKCE, asks its users once, outlives their
    /// sessions, and gets ES256 access tokens and RS256 ID tokens. It has no credential, and nowhere to send a browser.
    #[must_use]
    pub fn new(
        auth_methods: Vec<TokenEndpointAuthMethod>,
        grant_types: Vec<GrantType>,
        scope: Scope,
        policy: Policy,
    ) -> Self {
        let ClientDefaults {
            access_token_format,
            id_token_algorithm,
            id_token_on_refresh,
            require_pkce,
            consent,
            outlives_session,
            refresh_token_scope,
            policy: _,
        } = ClientDefaults::BUILT_IN;
        Self {
            name: None,
            client_uri: None,
            policy_uri: None,
            tos_uri: None,
            auth_methods,
            credential: None,
            grant_types,
            refresh_token_scope,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            allowed_origins: Vec::new(),
            require_pkce,
            consent,
            default_scope: scope.clone(),
            scope,
            resources: Resources::none(),
            audience: Vec::new(),
            access_token_format,
            id_token_algorithm,
            id_token_on_refresh,
            outlives_session,
            policy,
            allow_unsafe_rotation: false,
        }
    }

    /// Whether the client only names itself.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.credential.is_none()
    }
}

/// When the users of a client are asked what it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsentMode {
    /// Once, and again when it wants more.
    Remember,
    /// Every time.
    Always,
    /// Never: the operator has decided for them.
    Skip,
}

/// Which grants of a client live on when the login session ends in which they were approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutlivesSession {
    /// All.
    Always,
    /// Those with the scope `offline_access` (OpenID Connect Core §11).
    WithOfflineAccess,
}

/// What signs ID tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdTokenAlgorithm {
    /// RS256, which every client knows (OpenID Connect Core §15.1).
    Rs256,
    /// ES256.
    Es256,
}

/// What an access token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessTokenFormat {
    /// A JWT of RFC 9068, signed with ES256.
    JwtEs256,
    /// A JWT of RFC 9068, signed with EdDSA.
    JwtEdDsa,
    /// A JWT of RFC 9068, signed with RS256.
    JwtRs256,
    /// A text that only we can read.
    Opaque,
}
