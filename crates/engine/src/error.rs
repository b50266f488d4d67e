use regrant_grant::{GrantId, RedeemVerdict, Verdict};
use regrant_protocol::{ClientId, ErrorResponse, GrantType, RequestFault, Scope, TokenEndpointAuthMethod};
use regrant_store::StoreError;

use crate::ClaimsProblem;
use crate::Overloaded;

/// Why an endpoint refused: as precise as the log needs.
///
/// Whoever tells it in other words than [`crate::Refusal`] has to have words for each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The request breaks a rule of its form.
    #[error("{}", ErrorResponse::from(.0).error_description)]
    Request(RequestFault),
    /// No such client, a wrong secret, or a method that is not registered for it.
    #[error("client {:?} did not authenticate", .0.client)]
    ClientNotAuthenticated(Unproven),
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
    #[error("the client may not use grant type {}", grant_type.as_str())]
    GrantTypeNotAllowed {
        /// The client.
        client: ClientId,
        /// What it asked for.
        grant_type: GrantType,
    },
    /// A public client asked for what only an authenticated client gets.
    #[error("a public client may not do this")]
    PublicClient,
    /// Unknown user or wrong password.
    #[error("unknown user or wrong password")]
    Credentials,
    /// The right password of a user who is locked or disabled.
    #[error("the user is locked or disabled")]
    UserDisabled,
    /// More scope than the client may have.
    #[error("the scope is wider than the client's{}", named(.0.beyond.as_deref()))]
    Scope(TooMuchScope),
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
        /// What the scope that was asked for goes beyond, where that is why.
        limit: Option<ScopeLimit>,
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
    /// The refresh token is unknown here, and nobody can say now whether the client's old server knows it.
    #[error(
        "the refresh token may be one of the client's old server, which cannot be asked now; next try in {retry_after_seconds} s"
    )]
    NotTakenOver {
        /// When the next try makes sense.
        retry_after_seconds: u32,
    },
    /// More is asked for than is done in time.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A client that did not prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// The client that it says it is.
    pub client: ClientId,
    /// The way in which it tried.
    pub method: TokenEndpointAuthMethod,
    /// The ways that are registered for the client; `None` when there is no such client.
    pub registered: Option<Vec<TokenEndpointAuthMethod>>,
}

/// A scope that the client may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMuchScope {
    /// Of what was asked for, the first name that is too much; `None` where what is too much was granted before.
    pub beyond: Option<String>,
    /// What it goes beyond.
    pub limit: ScopeLimit,
}

/// What a scope that is asked for goes beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeLimit {
    /// The scope of the grant.
    Grant,
    /// The scope of the client; the grant has none, or there is no grant yet.
    Client,
    /// There is no scope to go beyond: the client has none, and no grant has one.
    Nothing,
}

impl ScopeLimit {
    /// Of a client with this scope.
    pub(crate) fn of_client(scope: &Scope) -> Self {
        if scope.is_empty() { Self::Nothing } else { Self::Client }
    }
}

fn named(value: Option<&str>) -> String {
    value.map(|value| format!(": {value:?}")).unwrap_or_default()
}

impl TokenError {
    /// The next try is allowed after so many seconds.
    pub(crate) const fn too_many_failures(retry_after_seconds: u32) -> Self {
        Self::TooManyFailures { retry_after_seconds }
    }

    /// A refresh of a token that names no grant.
    pub(crate) const fn refresh(verdict: Verdict) -> Self {
        Self::Refresh { verdict, grant: None, limit: None }
    }

    /// Whether what refuses is what was read of the client, so that a newer copy of it may decide otherwise.
    pub(crate) const fn rests_on_the_client(&self) -> bool {
        match self {
            Self::ClientNotAuthenticated(_)
            | Self::ClientDisabled
            | Self::GrantTypeNotAllowed { .. }
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
            | Self::NotTakenOver { .. }
            | Self::Overloaded(_)
            | Self::Store(_) => false,
        }
    }
}
