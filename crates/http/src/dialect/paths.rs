/// Where the endpoints of a system are, below the issuer and beside our own paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// The token endpoint.
    pub token: &'static [&'static str],
    /// The revocation endpoint.
    pub revocation: &'static [&'static str],
    /// The introspection endpoint.
    pub introspection: &'static [&'static str],
    /// The authorization endpoint.
    pub authorization: &'static [&'static str],
    /// The userinfo endpoint.
    pub userinfo: &'static [&'static str],
    /// The keys.
    pub jwks: &'static [&'static str],
    /// The metadata.
    pub metadata: &'static [&'static str],
    /// Pages that are every endpoint, which the parameter `option` of the query chooses among.
    pub by_option: &'static [&'static str],
}
