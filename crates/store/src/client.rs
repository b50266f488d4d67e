use regrant_grant::{GrantSecret, Party, Policy};
use regrant_protocol::{ClientId, GrantType, Resources, Scope, TokenEndpointAuthMethod};

use crate::Credential;

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name; it never changes and is never given to another.
    pub id: ClientId,
    /// Stands in for a grant id in tokens that the client has for itself.
    pub handle: ClientHandle,
    /// Stands in for a grant's secret in tokens that the client has for itself.
    pub secret: GrantSecret,
    /// Whether it is enabled, its cutoff, and the version of all of this.
    pub party: Party,
    /// What can be changed.
    pub settings: ClientSettings,
}

/// 16 random bytes made with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientHandle(pub [u8; 16]);

/// What an operator says about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// The ways in which it may authenticate. `none` alone makes it a public client; `none` beside others is refused.
    pub auth_methods: Vec<TokenEndpointAuthMethod>,
    /// What is kept of its secret; `None` for a public client.
    pub credential: Option<Credential>,
    /// The grant types it may use.
    pub grant_types: Vec<GrantType>,
    /// Where a browser may be sent back to.
    pub redirect_uris: Vec<String>,
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
    /// Rotation, retries and lifetimes.
    pub policy: Policy,
}

impl ClientSettings {
    /// Whether the client only names itself.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.credential.is_none()
    }
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

/// A change of a client. Each raises the client's version.
#[derive(Clone, Debug)]
pub enum ClientChange {
    /// New settings.
    Settings(Box<ClientSettings>),
    /// Enabled or disabled.
    Enabled(bool),
    /// All its grants and tokens until now end.
    RaiseCutoff,
    /// It is gone for good; its name is never given to another.
    Remove,
}
