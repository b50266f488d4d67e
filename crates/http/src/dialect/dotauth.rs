use regrant_engine::{BeforeClient, RedeemVerdict, TokenError, Unproven, Verdict};
use regrant_protocol::{RequestFault, TokenEndpointAuthMethod};

use super::fault::{Fault, Told};
use super::members::{Member, Members};
use super::values::{
    BasicBesideBody, BasicEncoding, CacheControl, Challenge, ClientFailureStatus, ErrorMembers, MalformedBasic,
    OtherMethods, Words,
};
use super::{Dialect, Paths};

/// What is told of a client that is not named, or does not exist.
const NO_CLIENT: &str = "The client doesn't exist";
/// What is told of a refresh token that is not this client's, for whatever reason.
const NO_TOKEN: &str = "The refresh token can be used only by the same issuer";

impl Dialect {
    /// DotAuth. Its secrets in the body are compared with case here, and a stranger's request burns no token.
    #[must_use]
    pub fn dotauth() -> Self {
        Self {
            paths: Paths {
                token: &["/token"],
                revocation: &["/token/revoke"],
                introspection: &["/introspect"],
                authorization: &["/authorization"],
                userinfo: &["/userinfo"],
                jwks: &["/jwks"],
                metadata: &["/.well-known/openid-configuration"],
                ..Paths::default()
            },
            any_charset: true,
            basic_encoding: BasicEncoding::Raw,
            malformed_basic: MalformedBasic::Ignore,
            basic_beside_body: BasicBesideBody::Basic,
            client_of_refresh_token: true,
            told_before_client: BeforeClient::Everything,
            scope_required: true,
            scope_on_refresh: false,
            other_methods: OtherMethods::Empty,
            success_members: Members(vec![
                Member::AccessToken,
                Member::IdToken,
                Member::TokenType,
                Member::ExpiresIn,
                Member::RefreshToken,
                Member::Scope,
            ]),
            cache_control: CacheControl::NoStoreNoCache,
            error_members: ErrorMembers::StatusAndDetail,
            client_failure_status: ClientFailureStatus::BadRequest,
            challenge: Challenge::Nothing,
            words: Words::Dotauth,
            ..Self::standard()
        }
    }
}

/// What the server says; `None` where it has no words.
pub(super) fn words(fault: &Fault<'_>) -> Option<Told> {
    match fault {
        Fault::Method { .. } | Fault::SecretInQuery | Fault::Unreadable(_) => None,
        Fault::Refused { error, .. } => refused(error),
    }
}

fn refused(error: &TokenError) -> Option<Told> {
    match error {
        TokenError::Request(fault) => request(fault),
        TokenError::ClientNotAuthenticated(unproven) => Some(Told::bad("invalid_client", not_authenticated(unproven))),
        TokenError::ClientDisabled => Some(Told::bad("invalid_client", NO_CLIENT)),
        TokenError::GrantTypeNotAllowed { client, grant_type } => {
            let description = format!("The client {client} doesn't support the grant type {}", grant_type.as_str());
            Some(Told::bad("invalid_grant", description))
        }
        TokenError::Credentials | TokenError::UserDisabled => {
            Some(Told::bad("invalid_credentials", "resource owner credentials are not valid"))
        }
        TokenError::Scope(too_much) => Some(Told::bad(
            "invalid_scope",
            format!("The scopes {} are not allowed or invalid", too_much.beyond.as_deref().unwrap_or_default()),
        )),
        TokenError::Redeem { verdict, .. } => redeem(*verdict),
        TokenError::Refresh { verdict, .. } => refresh(*verdict),
        TokenError::PublicClient
        | TokenError::TooManyFailures { .. }
        | TokenError::Target(_)
        | TokenError::TargetNotGranted
        | TokenError::SigningKeyNotReady(_)
        | TokenError::AccessTokenTooLarge
        | TokenError::Claims(_)
        | TokenError::Changed
        | TokenError::NotTakenOver { .. }
        | TokenError::Overloaded(_)
        | TokenError::Store(_) => None,
    }
}

/// The original names the method that is registered, whatever was tried, and tells whether a client exists. That is no secret:
/// its name stands in every link to the authorization endpoint.
fn not_authenticated(unproven: &Unproven) -> &'static str {
    let registered = unproven.registered.as_deref();
    match registered.map(|methods| methods.first().copied().unwrap_or(TokenEndpointAuthMethod::None)) {
        None => NO_CLIENT,
        Some(TokenEndpointAuthMethod::ClientSecretPost) => "The client cannot be authenticated with secret post",
        Some(TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::None) => {
            "The client cannot be authenticated with secret basic"
        }
    }
}

fn request(fault: &RequestFault) -> Option<Told> {
    Some(match fault {
        RequestFault::Missing(name) => Told::bad("invalid_request", format!("The parameter {name} is missing")),
        RequestFault::NoClientCredentials | RequestFault::Basic(_) | RequestFault::ClientId(_) => {
            Told::bad("invalid_client", NO_CLIENT)
        }
        RequestFault::NoClientSecret => {
            Told::bad("invalid_client", "The client cannot be authenticated with secret basic")
        }
        RequestFault::Scope(_) => Told::bad("invalid_scope", "The scopes are not allowed or invalid"),
        // The original fails with 500 and `internal_error`, by which a monitor is alarmed and a client tries again. What is
        // wrong is the request, and trying again helps nobody: RFC 6749 §5.2, in the members of the original.
        RequestFault::UnsupportedGrantType(_)
        | RequestFault::CodeVerifier(_)
        | RequestFault::Retry(_)
        | RequestFault::Target(_)
        | RequestFault::TokenTypeHint
        | RequestFault::TwoMethods
        | RequestFault::ClientIdMismatch => return None,
    })
}

fn redeem(verdict: RedeemVerdict) -> Option<Told> {
    match verdict {
        RedeemVerdict::ClientDisabled => Some(Told::bad("invalid_client", NO_CLIENT)),
        // Nothing is known of its words for codes.
        RedeemVerdict::Redeemed
        | RedeemVerdict::Retried
        | RedeemVerdict::Replayed
        | RedeemVerdict::Malformed
        | RedeemVerdict::Forged
        | RedeemVerdict::UnknownGrant
        | RedeemVerdict::WrongClient
        | RedeemVerdict::RolledBack
        | RedeemVerdict::DeadEpoch
        | RedeemVerdict::Expired
        | RedeemVerdict::WrongVerifier
        | RedeemVerdict::WrongRedirectUri
        | RedeemVerdict::Revoked
        | RedeemVerdict::UserDisabled
        | RedeemVerdict::Unavailable => None,
    }
}

fn refresh(verdict: Verdict) -> Option<Told> {
    match verdict {
        // Its tokens never expire and are gone once used: to it they are all the same.
        Verdict::Malformed
        | Verdict::Forged
        | Verdict::UnknownGrant
        | Verdict::WrongClient
        | Verdict::WrongSender
        | Verdict::RetryTooLate
        | Verdict::DeadEpoch
        | Verdict::ReuseDetected
        | Verdict::Revoked
        | Verdict::ExpiredIdle
        | Verdict::ExpiredAbsolute
        | Verdict::UserDisabled => Some(Told::bad("invalid_grant", NO_TOKEN)),
        Verdict::ClientDisabled => Some(Told::bad("invalid_client", NO_CLIENT)),
        Verdict::ScopeExceeded
        | Verdict::TargetRefused
        | Verdict::RolledBack
        | Verdict::Unavailable
        | Verdict::Rotated
        | Verdict::Reissued
        | Verdict::Consumed
        | Verdict::Forked
        | Verdict::Retried => None,
    }
}
