use regrant_grant::{RedeemVerdict, Verdict};
use regrant_protocol::{ErrorCode, ErrorResponse};

use crate::TokenError;

/// Seconds after which a request that was not decided may come again.
const RETRY_AFTER_SECONDS: u32 = 1;
/// The most characters of a value that an answer repeats.
const REPEATED_CHARACTERS_MAX: usize = 100;

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

impl Refusal {
    pub(crate) fn new(status: u16, code: ErrorCode, description: &str) -> Self {
        Self { status, retry_after_seconds: None, response: ErrorResponse::new(code, description) }
    }

    /// Not now: the same request may come again.
    fn later(status: u16, seconds: u32, description: &str) -> Self {
        let refusal = Self::new(status, ErrorCode::TemporarilyUnavailable, description);
        Self { retry_after_seconds: Some(seconds), ..refusal }
    }

    /// Nothing was decided, or nobody knows what.
    pub(crate) fn not_decided() -> Self {
        Self::later(503, RETRY_AFTER_SECONDS, "no answer was reached; send the same request again")
    }

    /// The sender has guessed too often.
    pub(crate) fn too_many_failures(retry_after_seconds: u32) -> Self {
        Self::later(429, retry_after_seconds, "too many failed attempts from this address; wait as Retry-After says")
    }

    fn invalid_grant(description: &str) -> Self {
        Self::new(400, ErrorCode::InvalidGrant, description)
    }

    fn client_disabled() -> Self {
        Self::new(401, ErrorCode::InvalidClient, "this client is disabled")
    }
}

impl From<&TokenError> for Refusal {
    /// The one mapping from cause to answer. What only the owner of a token can meet is told precisely; a stranger hears
    /// the same sentence for every fault.
    fn from(error: &TokenError) -> Self {
        use ErrorCode::{InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient};
        match error {
            TokenError::Request(fault) => {
                let response = ErrorResponse::from(fault);
                let status = if response.error == InvalidClient { 401 } else { 400 };
                Self { status, retry_after_seconds: None, response }
            }
            TokenError::ClientNotAuthenticated(_) => Self::new(
                401,
                InvalidClient,
                "client authentication failed: unknown client, wrong secret, or a method that is not registered for it",
            ),
            TokenError::ClientDisabled => Self::client_disabled(),
            TokenError::TooManyFailures { retry_after_seconds } => Self::too_many_failures(*retry_after_seconds),
            TokenError::GrantTypeNotAllowed { grant_type, .. } => Self::new(
                400,
                UnauthorizedClient,
                &format!("this client may not use grant_type {}", grant_type.as_str()),
            ),
            TokenError::PublicClient => Self::new(
                400,
                UnauthorizedClient,
                "a public client cannot authenticate, and only an authenticated client may use this",
            ),
            TokenError::Credentials => Self::new(400, InvalidGrant, "username or password is wrong"),
            TokenError::UserDisabled => Self::new(400, InvalidGrant, "this user is locked or disabled"),
            TokenError::Scope(too_much) => Self::new(400, InvalidScope, &scope_sentence(too_much.beyond.as_deref())),
            TokenError::Target(beyond) => Self::new(400, InvalidTarget, &target_sentence(beyond.as_deref())),
            TokenError::TargetNotGranted => Self::new(
                400,
                InvalidTarget,
                "resource is not one that was named at the authorization endpoint; the code stays valid",
            ),
            TokenError::Redeem { verdict, has_verifier, .. } => redeem_refusal(*verdict, *has_verifier),
            TokenError::Refresh { verdict, .. } => refresh_refusal(*verdict),
            TokenError::SigningKeyNotReady(_) => {
                Self::later(503, RETRY_AFTER_SECONDS, "the server is starting and makes its signing key; try again")
            }
            TokenError::AccessTokenTooLarge => Self::new(
                400,
                InvalidRequest,
                "the access token would be too large; ask for less scope or fewer resources",
            ),
            TokenError::NotTakenOver { retry_after_seconds } => {
                Self::later(503, *retry_after_seconds, "no answer was reached; send the same request again")
            }
            TokenError::Claims(_) | TokenError::Changed | TokenError::Overloaded(_) | TokenError::Store(_) => {
                Self::not_decided()
            }
        }
    }
}

/// Which scope name is too much. Names of scopes are no secret, and whoever asks has written it.
fn scope_sentence(beyond: Option<&str>) -> String {
    match beyond {
        Some(name) => format!("'{}' is not in the scope of this client", beginning(name)),
        None => "scope is wider than what this client may ask for".to_owned(),
    }
}

/// Which resource is too much.
fn target_sentence(beyond: Option<&str>) -> String {
    match beyond {
        Some(uri) => format!("'{}' is not a resource that this client may name", beginning(uri)),
        None => "resource is not one that this client may name".to_owned(),
    }
}

/// As much of a value as an answer repeats: it may travel in an address.
fn beginning(value: &str) -> &str {
    value.char_indices().nth(REPEATED_CHARACTERS_MAX).map_or(value, |(end, _)| &value[..end])
}

/// What a client is told about a code that was refused.
fn redeem_refusal(verdict: RedeemVerdict, has_verifier: bool) -> Refusal {
    match verdict {
        // A stranger can meet these: one sentence for all of them.
        RedeemVerdict::Malformed | RedeemVerdict::Forged | RedeemVerdict::UnknownGrant | RedeemVerdict::WrongClient => {
            Refusal::invalid_grant("the code is not valid for this client")
        }
        // Only whoever holds a code that we made for this client can meet the rest.
        RedeemVerdict::Expired => {
            Refusal::invalid_grant("the code has expired; send the user to the authorization endpoint again")
        }
        RedeemVerdict::DeadEpoch => Refusal::invalid_grant(
            "this code was made under a key or an epoch that has ended; send the user to the authorization endpoint again",
        ),
        RedeemVerdict::Replayed => Refusal::invalid_grant(
            "this code was redeemed before; as that looks like theft, what it gave is revoked and the user has to log in again",
        ),
        // RFC 7636 §4.6.
        RedeemVerdict::WrongVerifier if has_verifier => Refusal::invalid_grant(
            "code_verifier is not the one of the code_challenge, or the authorization request had none; the code stays valid",
        ),
        RedeemVerdict::WrongVerifier => Refusal::invalid_grant(
            "code_verifier is missing, and the authorization request had a code_challenge; the code stays valid",
        ),
        RedeemVerdict::WrongRedirectUri => Refusal::invalid_grant(
            "redirect_uri is not the one of the authorization request, or is missing; the code stays valid",
        ),
        RedeemVerdict::Revoked => {
            Refusal::invalid_grant("the grant of this code was revoked; the user has to log in again")
        }
        RedeemVerdict::UserDisabled => Refusal::invalid_grant("the user of this code is locked, disabled or removed"),
        RedeemVerdict::ClientDisabled => Refusal::client_disabled(),
        RedeemVerdict::RolledBack | RedeemVerdict::Unavailable => Refusal::not_decided(),
        RedeemVerdict::Redeemed | RedeemVerdict::Retried => Refusal::not_decided(),
    }
}

/// What a client is told about a refresh that was refused.
fn refresh_refusal(verdict: Verdict) -> Refusal {
    let invalid_grant = Refusal::invalid_grant;
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
        Verdict::ClientDisabled => Refusal::client_disabled(),
        Verdict::ScopeExceeded => Refusal::new(
            400,
            ErrorCode::InvalidScope,
            "scope is wider than what was granted; the refresh token stays valid",
        ),
        Verdict::TargetRefused => Refusal::new(
            400,
            ErrorCode::InvalidTarget,
            "resource is not one that was granted; the refresh token stays valid",
        ),
        Verdict::RolledBack | Verdict::Unavailable => Refusal::not_decided(),
        Verdict::Rotated | Verdict::Reissued | Verdict::Consumed | Verdict::Forked | Verdict::Retried => {
            Refusal::not_decided()
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_store::StoreError;

    use super::*;
    use crate::Overloaded;
    use crate::{ClaimsProblem, ScopeLimit, TooMuchScope};

    #[test]
    fn rfc6749_section_5_2_a_stranger_hears_one_sentence() {
        let told = |verdict| Refusal::from(&TokenError::refresh(verdict)).response;
        for verdict in [Verdict::Forged, Verdict::UnknownGrant, Verdict::WrongClient, Verdict::WrongSender] {
            assert_eq!(told(verdict), told(Verdict::Malformed), "{verdict}");
        }
        let told = |verdict| Refusal::from(&TokenError::Redeem { verdict, grant: None, has_verifier: true }).response;
        for verdict in [RedeemVerdict::Forged, RedeemVerdict::UnknownGrant, RedeemVerdict::WrongClient] {
            assert_eq!(told(verdict), told(RedeemVerdict::Malformed), "{verdict}");
        }
    }

    #[test]
    fn rfc6749_section_5_2_an_answer_names_what_is_too_much() {
        let told = |error| Refusal::from(&error).response.error_description;
        let long = "x".repeat(200);
        let scope = |beyond: Option<&str>| {
            let beyond = beyond.map(str::to_owned);
            TokenError::Scope(TooMuchScope { beyond, limit: ScopeLimit::Client })
        };
        for (error, expected) in [
            (scope(Some("foo")), "'foo' is not in the scope of this client"),
            (scope(None), "scope is wider than what this client may ask for"),
            (TokenError::Target(Some("urn:é".to_owned())), "'urn:?' is not a resource that this client may name"),
            (scope(Some(&long)), &format!("'{}' is not in the scope of this client", &long[..REPEATED_CHARACTERS_MAX])),
        ] {
            assert_eq!(told(error), expected);
        }
    }

    #[test]
    fn a_request_that_was_not_decided_is_answered_503_with_retry_after() {
        for error in [
            TokenError::Store(StoreError::TooLate),
            TokenError::Overloaded(Overloaded::Hashing),
            TokenError::Overloaded(Overloaded::Calls),
            TokenError::Overloaded(Overloaded::Signatures),
            TokenError::Changed,
            TokenError::Claims(ClaimsProblem::TooSlow),
            TokenError::refresh(Verdict::RolledBack),
            TokenError::refresh(Verdict::Unavailable),
        ] {
            let refusal = Refusal::from(&error);
            assert_eq!((refusal.status, refusal.response.error), (503, ErrorCode::TemporarilyUnavailable), "{error}");
            assert!(refusal.retry_after_seconds.is_some(), "{error}");
        }
    }

    #[test]
    fn every_refused_verdict_but_two_is_final() {
        for verdict in Verdict::ALL.into_iter().filter(|verdict| !verdict.is_success()) {
            let status = Refusal::from(&TokenError::refresh(verdict)).status;
            let is_open = matches!(verdict, Verdict::RolledBack | Verdict::Unavailable);
            assert_eq!(status == 503, is_open, "{verdict}");
        }
        for verdict in RedeemVerdict::ALL.into_iter().filter(|verdict| !verdict.is_success()) {
            let status = Refusal::from(&TokenError::Redeem { verdict, grant: None, has_verifier: true }).status;
            let is_open = matches!(verdict, RedeemVerdict::RolledBack | RedeemVerdict::Unavailable);
            assert_eq!(status == 503, is_open, "{verdict}");
        }
    }
}
