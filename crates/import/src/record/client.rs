use regrant_protocol::{ClientId, Lifetime, RedirectUri, Scope};

use super::{ForeignSecret, Origin};

/// An application as its system knew it.
#[derive(Clone, Debug)]
pub struct ForeignClient {
    /// The row it was read from.
    pub origin: Origin,
    /// Its `client_id`.
    pub id: ClientId,
    /// How it proves itself.
    pub secret: ForeignSecret,
    /// A second secret that is valid too, where the system keeps two.
    pub other_secret: ForeignSecret,
    /// Whether it may act without a secret.
    pub is_public: bool,
    /// The one method by which it authenticates, where the system holds it to one: a `token_endpoint_auth_method`.
    pub auth_method: Option<String>,
    /// Whether it was shut out (WSO2's `APP_STATE`).
    pub is_disabled: bool,
    /// What it is called.
    pub name: Option<String>,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// Redirect URIs that cannot be taken over, each with the reason: patterns, `http` on other machines, fragments.
    /// They hinder logging in, not refreshing.
    pub refused_redirect_uris: Vec<String>,
    /// The grant types it may use.
    pub grant_types: GrantTypes,
    /// The scopes it may ask for. `None` (SQL's NULL) is "all that the server knows", not "none".
    pub scope: Option<Scope>,
    /// The lifetimes that are its own.
    pub lifetimes: ForeignLifetimes,
    /// What a refresh does, where that is the client's own.
    pub rotation: ForeignRotation,
    /// What was odd about its row and was put right, for people to read.
    pub remarks: Vec<String>,
}

/// The grant types that a client may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantTypes {
    /// All that its server offered: SQL's NULL in bshaffer and redCORE.
    All,
    /// These, by their names on the wire; the empty list is none.
    Listed(Vec<String>),
}

impl GrantTypes {
    /// Whether `name` may be used.
    #[must_use]
    pub fn allow(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(names) => names.iter().any(|own| own == name),
        }
    }
}

/// Lifetimes that a client has for itself; `None` is the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForeignLifetimes {
    /// Of access tokens that speak for a user.
    pub access_token: Option<Lifetime>,
    /// Of access tokens that speak for the client itself.
    pub client_access_token: Option<Lifetime>,
    /// Of refresh tokens, from each issue on.
    pub refresh_token: Option<Lifetime>,
    /// Of ID tokens.
    pub id_token: Option<Lifetime>,
}

/// What a refresh does, where a client has that for itself; `None` is the server's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForeignRotation {
    /// Whether it gives a new refresh token (WSO2 `renewRefreshToken`).
    pub renews: Option<bool>,
    /// Whether that one lives anew, and not to the end of the first (WSO2 `extendRenewedRefreshTokenExpiryTime`).
    pub extends: Option<bool>,
}

impl ForeignRotation {
    /// Whether no refresh reaches beyond the end of the token that began it: a token that is not renewed keeps its times, and one
    /// that is renewed may.
    #[must_use]
    pub fn ends_with_its_token(self) -> bool {
        self.renews == Some(false) || self.extends == Some(false)
    }
}
