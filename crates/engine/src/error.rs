use regrant_grant::{GrantId, RedeemVerdict, Verdict};
use regrant_protocol::{ClientId, ErrorResponse, GrantType};
use regrant_store::StoreError;

use crate::ClaimsProblem;
use crate::hashing::Overloaded;

/// Why an endpoint refused: as precise as the log needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The request breaks a rule of its form.
    #[error("{}", .0.error_description)]
    Request(ErrorResponse),
    /// No such client, a wrong secret, or a method that is not registered for it.
    #[error("client {0:?} did not authenticate")]
    ClientNotAuthenticated(ClientId),
    /// The client proved itself, and is disabled.
    #[error("the client is disabled")]
    ClientDisabled,
    /// Too many failures came from this source for this name.
    #[error("too many failures; next try in {retry_after_seconds} s")]
    TooManyFailures {
        /// When the next try is allowed.
        retry_after_seconds: u32,
    },
    /// The client may not use this grant type.
    #[error("the client may not use grant type {}", .0.as_str())]
    GrantTypeNotAllowed(GrantType),
    /// A public client asked for what only an authenticated client gets.
    #[error("a public client may not do this")]
    PublicClient,
    /// Unknown user or wrong password.
    #[error("unknown user or wrong password")]
    Credentials,
    /// The right password of a user who is locked or disabled.
    #[error("the user is locked or disabled")]
    UserDisabled,
    /// More scope than the client may have; of what was asked for, the first name that is too much.
    #[error("the scope is wider than the client's{}", named(.0.as_deref()))]
    Scope(Option<String>),
    /// A resource that the client may not name; of those that were asked for, the first such one.
    #[error("the resource is not one of the client's{}", named(.0.as_deref()))]
    Target(Option<String>),
    /// A resource outside of what the user agreed to.
    #[error("the resource is not one that was granted")]
    TargetNotGranted,
    /// The redemption of a code was refused.
    #[error("redemption refused: {verdict}")]
    Redeem {
        /// Why.
        verdict: RedeemVerdict,
        /// The grant that the code names; `None` when it could not be read.
        grant: Option<GrantId>,
        /// Whether the request brought a `code_verifier`.
        has_verifier: bool,
    },
    /// The refresh was refused.
    #[error("refresh refused: {verdict}")]
    Refresh {
        /// Why.
        verdict: Verdict,
        /// The grant that the token names; `None` when it could not be read.
        grant: Option<GrantId>,
    },
    /// The key that signs this client's access tokens or ID tokens is still being made.
    #[error("the {0} signing key is still being made")]
    SigningKeyNotReady(&'static str),
    /// The access token would be larger than anybody accepts.
    #[error("the access token would be too large")]
    AccessTokenTooLarge,
    /// The claims hook of the program around gave nothing that can be used. Nothing was written.
    #[error(transparent)]
    Claims(#[from] ClaimsProblem),
    /// The client or user changed again and again while the request was decided.
    #[error("the client or user changed while the request was decided")]
    Changed,
    /// Too many passwords or secrets are being checked.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn named(value: Option<&str>) -> String {
    value.map(|value| format!(": {value:?}")).unwrap_or_default()
}

impl TokenError {
    /// The next try is allowed after so many seconds.
    pub(crate) const fn too_many_failures(retry_after_seconds: u32) -> Self {
        Self::TooManyFailures { retry_after_seconds }
    }

    /// Whether what refuses is what was read of the client, so that a newer copy of it may decide otherwise.
    pub(crate) const fn rests_on_the_client(&self) -> bool {
        match self {
            Self::ClientNotAuthenticated(_)
            | Self::ClientDisabled
            | Self::GrantTypeNotAllowed(_)
            | Self::PublicClient
            | Self::Scope(_)
            | Self::Target(_) => true,
            Self::Request(_)
            | Self::TooManyFailures { .. }
            | Self::Credentials
            | Self::UserDisabled
            | Self::TargetNotGranted
            | Self::Redeem { .. }
            | Self::Refresh { .. }
            | Self::SigningKeyNotReady(_)
            | Self::AccessTokenTooLarge
            | Self::Claims(_)
            | Self::Changed
            | Self::Overloaded(_)
            | Self::Store(_) => false,
        }
    }
}
