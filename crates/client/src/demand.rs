use std::time::Duration;

use crate::{AccessToken, Target};

/// What a caller asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand<'a> {
    /// What the access token is to be for; `None` means what the login was for.
    pub target: Option<&'a Target>,
    /// The access token that an API has refused: any but this one.
    pub rejected: Option<&'a AccessToken>,
    /// How much earlier than others this process refreshes.
    pub jitter: Jitter,
    /// What proves to the server that a retry comes from the sender of the first try.
    pub proof: Proof,
    /// How a token is had where there is no refresh token.
    pub renewal: Renewal,
}

/// A share between nothing (0) and all (`u16::MAX`) of the time by which processes spread their refreshes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(pub u16);

/// What proves to the server that a retry comes from the sender of the first try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// Nothing that every server knows: a public client. A server that knows retry challenges gets one all the same.
    #[default]
    Nothing,
    /// The client's authentication.
    ClientAuthentication,
    /// The key that the refresh token is bound to (RFC 9449 §5).
    Key,
}

/// How a token is had where there is no refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// By a person.
    #[default]
    LogIn,
    /// By the client alone, at any time (`client_credentials`).
    ClientCredentials,
}

impl Proof {
    /// How long after the first try the last one is sent: 20 s before the window ends, 10 s for the way and 10 s for the server.
    pub(crate) const fn last_try(self) -> Duration {
        match self {
            Self::Nothing => Duration::from_secs(60 - 20),
            Self::ClientAuthentication | Self::Key => Duration::from_secs(24 * 3600 - 20),
        }
    }
}
