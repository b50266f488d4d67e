/// Where a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revocation,
    /// The introspection endpoint.
    Introspection,
    /// The userinfo endpoint.
    Userinfo,
    /// The metadata.
    Metadata,
    /// An API of the same process, which asks about the token of its caller.
    Api,
    /// The authorization endpoint.
    Authorization,
    /// The form of the login page.
    Login,
    /// The consent page.
    Consent,
    /// The account page and its forms.
    Account,
    /// The logout endpoint of OpenID Connect.
    EndSession,
}

impl Endpoint {
    /// The name of the endpoint.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::Userinfo => "userinfo",
            Self::Metadata => "metadata",
            Self::Api => "api",
            Self::Authorization => "authorization",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::Account => "account",
            Self::EndSession => "end_session",
        }
    }
}
