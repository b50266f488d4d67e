use std::net::IpAddr;

use regrant_grant::{GrantId, Verdict};
use regrant_protocol::{ClientId, ErrorCode, ErrorResponse, GrantType};
use regrant_store::StoreError;
use tracing::{error, info, warn};

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
    /// More scope than the client may have.
    #[error("the scope is wider than the client's")]
    Scope,
    /// A resource that the client may not name.
    #[error("the resource is not one of the client's")]
    Target,
    /// The refresh was refused.
    #[error("refresh refused: {verdict}")]
    Refresh {
        /// Why.
        verdict: Verdict,
        /// The grant that the token names; `None` when it could not be read.
        grant: Option<GrantId>,
    },
    /// The key that signs this client's access tokens is still being made.
    #[error("the {0} signing key is still being made")]
    SigningKeyNotReady(&'static str),
    /// The access token would be larger than anybody accepts.
    #[error("the access token would be too large")]
    AccessTokenTooLarge,
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
            | Self::Scope
            | Self::Target => true,
            Self::Request(_)
            | Self::TooManyFailures { .. }
            | Self::Credentials
            | Self::UserDisabled
            | Self::Refresh { .. }
            | Self::SigningKeyNotReady(_)
            | Self::AccessTokenTooLarge
            | Self::Changed
            | Self::Overloaded(_)
            | Self::Store(_) => false,
        }
    }

    /// Writes the refusal to the log, once, where it is answered: with its verdict and grant, and never with a secret.
    pub fn report(&self, endpoint: &'static str, source: IpAddr) {
        match self {
            Self::Refresh { verdict, grant } => {
                let grant = grant.map(|grant| grant.to_string());
                if *verdict == Verdict::ReuseDetected {
                    warn!(endpoint, %source, %verdict, grant, "refused");
                } else if *verdict == Verdict::RolledBack {
                    error!(endpoint, %source, %verdict, grant, "the database is older than its tokens");
                } else {
                    info!(endpoint, %source, %verdict, grant, "refused");
                }
            }
            Self::Overloaded(_) | Self::Store(StoreError::Overloaded(_) | StoreError::TooLate) => {
                warn!(endpoint, %source, reason = ?self.to_string(), "not answered");
            }
            Self::Store(_) => error!(endpoint, %source, reason = ?self.to_string(), "not answered"),
            Self::Request(_)
            | Self::ClientNotAuthenticated(_)
            | Self::ClientDisabled
            | Self::TooManyFailures { .. }
            | Self::GrantTypeNotAllowed(_)
            | Self::PublicClient
            | Self::Credentials
            | Self::UserDisabled
            | Self::Scope
            | Self::Target
            | Self::SigningKeyNotReady(_)
            | Self::AccessTokenTooLarge
            | Self::Changed => info!(endpoint, %source, reason = ?self.to_string(), "refused"),
        }
    }
}

/// What the caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Seconds after which a new try makes sense.
    pub retry_after_seconds: Option<u32>,
    /// The body.
    pub response: ErrorResponse,
}

/// Seconds after which a request that was not decided may come again.
const RETRY_AFTER_SECONDS: u32 = 1;

impl From<&TokenError> for Refusal {
    /// The one mapping from cause to answer. What only the owner of a token can meet is told precisely; a stranger hears
    /// the same sentence for every fault.
    fn from(error: &TokenError) -> Self {
        use ErrorCode::{
            InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget, TemporarilyUnavailable,
            UnauthorizedClient,
        };
        let refuse = |status, code, description: &str| Self {
            status,
            retry_after_seconds: None,
            response: ErrorResponse::new(code, description),
        };
        let later = |status, seconds, description: &str| Self {
            retry_after_seconds: Some(seconds),
            ..refuse(status, TemporarilyUnavailable, description)
        };
        match error {
            TokenError::Request(response) => {
                let status = if response.error == InvalidClient { 401 } else { 400 };
                Self { status, retry_after_seconds: None, response: response.clone() }
            }
            TokenError::ClientNotAuthenticated(_) => refuse(
                401,
                InvalidClient,
                "client authentication failed: unknown client, wrong secret, or a method that is not registered for it",
            ),
            TokenError::ClientDisabled => refuse(401, InvalidClient, "this client is disabled"),
            TokenError::TooManyFailures { retry_after_seconds } => {
                later(429, *retry_after_seconds, "too many failed attempts from this address; wait as Retry-After says")
            }
            TokenError::GrantTypeNotAllowed(grant_type) => {
                refuse(400, UnauthorizedClient, &format!("this client may not use grant_type {}", grant_type.as_str()))
            }
            TokenError::PublicClient => refuse(
                400,
                UnauthorizedClient,
                "a public client cannot authenticate, and only an authenticated client may use this",
            ),
            TokenError::Credentials => refuse(400, InvalidGrant, "username or password is wrong"),
            TokenError::UserDisabled => refuse(400, InvalidGrant, "this user is locked or disabled"),
            TokenError::Scope => refuse(400, InvalidScope, "scope is wider than what this client may ask for"),
            TokenError::Target => refuse(400, InvalidTarget, "resource is not one that this client may name"),
            TokenError::Refresh { verdict, .. } => refresh_refusal(*verdict, refuse, later),
            TokenError::SigningKeyNotReady(_) => {
                later(503, RETRY_AFTER_SECONDS, "the server is starting and makes its signing key; try again")
            }
            TokenError::AccessTokenTooLarge => refuse(
                400,
                InvalidRequest,
                "the access token would be too large; ask for less scope or fewer resources",
            ),
            TokenError::Changed | TokenError::Overloaded(_) | TokenError::Store(_) => {
                later(503, RETRY_AFTER_SECONDS, "no answer was reached; send the same request again")
            }
        }
    }
}

/// What a client is told about a refresh that was refused.
fn refresh_refusal(
    verdict: Verdict,
    refuse: impl Fn(u16, ErrorCode, &str) -> Refusal,
    later: impl Fn(u16, u32, &str) -> Refusal,
) -> Refusal {
    let invalid_grant = |description| refuse(400, ErrorCode::InvalidGrant, description);
    match verdict {
        // A stranger can meet these: one sentence for all of them.
        Verdict::Malformed | Verdict::Forged | Verdict::UnknownGrant | Verdict::WrongClient | Verdict::WrongSender => {
            invalid_grant("the refresh token is not valid for this client")
        }
        // Only whoever holds a token that we made for this client can meet the rest.
        Verdict::Revoked => invalid_grant("the grant of this refresh token was revoked; the user has to log in again"),
        Verdict::ExpiredIdle => {
            invalid_grant("the refresh token was not used for too long and has expired; the user has to log in again")
        }
        Verdict::ExpiredAbsolute => {
            invalid_grant("the grant of this refresh token has reached its end; the user has to log in again")
        }
        Verdict::RetryTooLate => invalid_grant(
            "this refresh token was used before and its retry window has passed; use the refresh token that replaced it",
        ),
        Verdict::DeadEpoch => invalid_grant(
            "this refresh token was made under a key or an epoch that has ended; the user has to log in again",
        ),
        Verdict::ReuseDetected => {
            invalid_grant("this refresh token was used before and replaced; that it is used again looks like theft")
        }
        Verdict::UserDisabled => invalid_grant("the user of this grant is locked, disabled or removed"),
        Verdict::ClientDisabled => refuse(401, ErrorCode::InvalidClient, "this client is disabled"),
        Verdict::ScopeExceeded => {
            refuse(400, ErrorCode::InvalidScope, "scope is wider than what was granted; the refresh token stays valid")
        }
        Verdict::TargetRefused => {
            refuse(400, ErrorCode::InvalidTarget, "resource is not one that was granted; the refresh token stays valid")
        }
        Verdict::RolledBack | Verdict::Unavailable => {
            later(503, RETRY_AFTER_SECONDS, "no answer was reached; send the same request again")
        }
        Verdict::Rotated | Verdict::Reissued | Verdict::Consumed | Verdict::Forked | Verdict::Retried => {
            later(503, RETRY_AFTER_SECONDS, "no answer was reached; send the same request again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_5_2_a_stranger_hears_one_sentence() {
        let told = |verdict| Refusal::from(&TokenError::Refresh { verdict, grant: None }).response;
        for verdict in [Verdict::Forged, Verdict::UnknownGrant, Verdict::WrongClient, Verdict::WrongSender] {
            assert_eq!(told(verdict), told(Verdict::Malformed), "{verdict}");
        }
    }

    #[test]
    fn a_request_that_was_not_decided_is_answered_503_with_retry_after() {
        for error in [
            TokenError::Store(StoreError::TooLate),
            TokenError::Overloaded(Overloaded),
            TokenError::Changed,
            TokenError::Refresh { verdict: Verdict::RolledBack, grant: None },
            TokenError::Refresh { verdict: Verdict::Unavailable, grant: None },
        ] {
            let refusal = Refusal::from(&error);
            assert_eq!((refusal.status, refusal.response.error), (503, ErrorCode::TemporarilyUnavailable), "{error}");
            assert!(refusal.retry_after_seconds.is_some(), "{error}");
        }
    }

    #[test]
    fn every_refused_verdict_but_two_is_final() {
        for verdict in Verdict::ALL.into_iter().filter(|verdict| !verdict.is_success()) {
            let status = Refusal::from(&TokenError::Refresh { verdict, grant: None }).status;
            let is_open = matches!(verdict, Verdict::RolledBack | Verdict::Unavailable);
            assert_eq!(status == 503, is_open, "{verdict}");
        }
    }
}
