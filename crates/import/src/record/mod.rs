//! What a foreign row says, in words that no longer belong to its system.

mod access_token;
mod client;
mod consent;
mod digest;
mod expiry;
mod origin;
mod refresh_token;
mod scope;
mod secret;
mod token_user;
mod user;

pub use access_token::ForeignAccessToken;
pub use client::{ForeignClient, ForeignLifetimes, ForeignRotation, GrantTypes};
pub use consent::ForeignConsent;
pub use digest::TokenDigest;
pub(crate) use digest::digest_of_hex;
pub use expiry::Expiry;
pub use origin::Origin;
pub use refresh_token::ForeignRefreshToken;
pub use scope::ForeignScope;
pub use secret::ForeignSecret;
pub use token_user::{TokenUser, UserStanding};
pub use user::{ForeignPassword, ForeignUser};

/// One thing that a foreign database holds and that can be taken over.
#[derive(Clone, Debug)]
pub enum Record {
    /// A scope that the server knows.
    Scope(ForeignScope),
    /// An application.
    Client(Box<ForeignClient>),
    /// A person who can log in.
    User(Box<ForeignUser>),
    /// What a user allowed a client, for good.
    Consent(ForeignConsent),
    /// A live refresh token.
    RefreshToken(Box<ForeignRefreshToken>),
    /// A live access token.
    AccessToken(Box<ForeignAccessToken>),
}

/// The kinds of [`Record`], in the order in which they are read: what others refer to comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Of [`Record::Scope`].
    Scope,
    /// Of [`Record::Client`].
    Client,
    /// Of [`Record::User`].
    User,
    /// Of [`Record::Consent`].
    Consent,
    /// Of [`Record::RefreshToken`].
    RefreshToken,
    /// Of [`Record::AccessToken`].
    AccessToken,
}

impl Kind {
    /// What people call several of them.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Scope => "scopes",
            Self::Client => "clients",
            Self::User => "users",
            Self::Consent => "consents",
            Self::RefreshToken => "refresh tokens",
            Self::AccessToken => "access tokens",
        }
    }
}

impl Record {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Scope(_) => Kind::Scope,
            Self::Client(_) => Kind::Client,
            Self::User(_) => Kind::User,
            Self::Consent(_) => Kind::Consent,
            Self::RefreshToken(_) => Kind::RefreshToken,
            Self::AccessToken(_) => Kind::AccessToken,
        }
    }

    /// The row it was read from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Scope(scope) => &scope.origin,
            Self::Client(client) => &client.origin,
            Self::User(user) => &user.origin,
            Self::Consent(consent) => &consent.origin,
            Self::RefreshToken(token) => &token.origin,
            Self::AccessToken(token) => &token.origin,
        }
    }
}
