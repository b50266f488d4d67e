use regrant_engine::{BeforeClient, Endpoint, RedeemVerdict, ScopeLimit, TokenError, Verdict};
use regrant_protocol::{RequestFault, TokenEndpointAuthMethod};

use super::fault::{Fault, Told};
use super::members::{Member, Members};
use super::values::{
    BasicBesideBody, BasicEncoding, Challenge, ClientFailureStatus, ErrorCaching, JsonStyle, KeptRefreshToken,
    MalformedBasic, NeverExpires, OptionsMethod, OtherBody, RepeatedParameter, RevocationBody, ScopeMember,
    TokenTypeHint, Words,
};
use super::{Dialect, Paths};

impl Dialect {
    /// bshaffer's oauth2-server-php, as its `Server` is by default.
    #[must_use]
    pub fn bshaffer() -> Self {
        Self {
            paths: Paths {
                token: &["/token.php"],
                revocation: &["/revoke.php"],
                authorization: &["/authorize.php"],
                ..Paths::default()
            },
            any_charset: true,
            json_body: true,
            multipart_body: true,
            other_body: OtherBody::Empty,
            repeated_parameter: RepeatedParameter::Last,
            php_values: true,
            scope_in_query: true,
            basic_encoding: BasicEncoding::Raw,
            malformed_basic: MalformedBasic::Ignore,
            basic_beside_body: BasicBesideBody::Basic,
            secret_for_client_credentials: true,
            told_before_client: BeforeClient::GrantType,
            // Of a refresh alone: that a client may not use passwords comes first, so that it cannot try them.
            refresh_token_before_grant_type: true,
            token_type_hint: TokenTypeHint::Known,
            options_method: OptionsMethod::Allow,
            success_members: Members(vec![
                Member::AccessToken,
                Member::ExpiresIn,
                Member::TokenType,
                Member::Scope,
                Member::RefreshToken,
                Member::IdToken,
            ]),
            kept_refresh_token: KeptRefreshToken::LeftOut,
            scope: ScopeMember::Null,
            never_expires: NeverExpires::Null,
            json: JsonStyle::Php,
            error_caching: ErrorCaching::CacheControl,
            client_failure_status: ClientFailureStatus::BadRequest,
            challenge: Challenge::Nothing,
            words: Words::Bshaffer,
            // The original revokes for anybody who has a token. Here the client authenticates first, as RFC 7009 §2.1 asks.
            revocation: RevocationBody::Revoked,
            ..Self::standard()
        }
    }
}

/// What the library says; `None` where it has no words.
pub(super) fn words(fault: &Fault<'_>, dialect: &Dialect, endpoint: Endpoint) -> Option<Told> {
    match fault {
        Fault::Method { .. } => {
            Some(Told { uri: Some("http://tools.ietf.org/html/rfc6749#section-3.2"), ..method(endpoint) })
        }
        // It is never refused for that.
        Fault::SecretInQuery => None,
        Fault::Unreadable(_) => None,
        Fault::Refused { error, .. } => refused(error, dialect, endpoint),
    }
}

fn method(endpoint: Endpoint) -> Told {
    let doing = if endpoint == Endpoint::Revocation { "revoking" } else { "requesting" };
    Told::new(405, "invalid_request", format!("The request method must be POST when {doing} an access token"))
}

fn refused(error: &TokenError, dialect: &Dialect, endpoint: Endpoint) -> Option<Told> {
    match error {
        TokenError::Request(fault) => request(fault, dialect, endpoint),
        TokenError::ClientNotAuthenticated(unproven) => Some(match unproven.method {
            TokenEndpointAuthMethod::None => {
                Told::bad("invalid_client", "This client is invalid or must authenticate using a client secret")
            }
            TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::ClientSecretPost => {
                Told::bad("invalid_client", "The client credentials are invalid")
            }
        }),
        // To the library a client that may not log in any more is one that it does not know.
        TokenError::ClientDisabled => Some(Told::bad("invalid_client", "The client credentials are invalid")),
        TokenError::GrantTypeNotAllowed { .. } => {
            Some(Told::bad("unauthorized_client", "The grant type is unauthorized for this client_id"))
        }
        TokenError::PublicClient => Some(Told::bad("invalid_client", "client credentials are required")),
        TokenError::Credentials | TokenError::UserDisabled => {
            Some(Told::new(401, "invalid_grant", "Invalid username and password combination"))
        }
        TokenError::Scope(too_much) => Some(scope(too_much.limit)),
        TokenError::Redeem { verdict, has_verifier, .. } => redeem(*verdict, *has_verifier),
        TokenError::Refresh { verdict: Verdict::ScopeExceeded, limit, .. } => {
            Some(scope(limit.unwrap_or(ScopeLimit::Grant)))
        }
        TokenError::Refresh { verdict, .. } => refresh(*verdict),
        TokenError::TooManyFailures { .. }
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

fn request(fault: &RequestFault, dialect: &Dialect, endpoint: Endpoint) -> Option<Told> {
    Some(match fault {
        RequestFault::Missing("grant_type") => {
            Told::bad("invalid_request", "The grant type was not specified in the request")
        }
        RequestFault::Missing("username" | "password") => {
            Told::bad("invalid_request", "Missing parameters: \"username\" and \"password\" required")
        }
        RequestFault::Missing("token") if endpoint == Endpoint::Revocation => {
            Told::bad("invalid_request", "Missing token parameter to revoke")
        }
        RequestFault::Missing("scope") => {
            Told::bad("invalid_scope", "This application requires you specify a scope parameter")
        }
        RequestFault::Missing(name) => {
            Told::bad("invalid_request", format!("Missing parameter: \"{name}\" is required"))
        }
        RequestFault::UnsupportedGrantType(name) => {
            Told::bad("unsupported_grant_type", format!("Grant type \"{name}\" not supported"))
        }
        RequestFault::CodeVerifier(_) => {
            Told::bad("code_verifier_invalid", "The PKCE code verifier parameter is invalid.")
        }
        RequestFault::Scope(_) => scope(ScopeLimit::Nothing),
        RequestFault::TokenTypeHint => {
            Told::bad("invalid_request", "Token type hint must be either 'access_token' or 'refresh_token'")
        }
        RequestFault::NoClientCredentials if dialect.credentials_in_body => {
            Told::bad("invalid_client", "Client credentials were not found in the headers or body")
        }
        RequestFault::NoClientCredentials => {
            Told::bad("invalid_client", "Client credentials were not found in the headers")
        }
        RequestFault::NoClientSecret => Told::bad("invalid_client", "client credentials are required"),
        RequestFault::ClientId(_) => Told::bad("invalid_client", "The client credentials are invalid"),
        RequestFault::Basic(_)
        | RequestFault::Retry(_)
        | RequestFault::Target(_)
        | RequestFault::TwoMethods
        | RequestFault::ClientIdMismatch => return None,
    })
}

/// Of a client that has no scope the library asks whether the scope exists.
fn scope(limit: ScopeLimit) -> Told {
    Told::bad(
        "invalid_scope",
        match limit {
            ScopeLimit::Grant => "The scope requested is invalid for this request",
            ScopeLimit::Client => "The scope requested is invalid for this client",
            ScopeLimit::Nothing => "An unsupported scope was requested",
        },
    )
}

fn redeem(verdict: RedeemVerdict, has_verifier: bool) -> Option<Told> {
    let invalid_grant = |description: &'static str| Some(Told::bad("invalid_grant", description));
    match verdict {
        RedeemVerdict::Replayed
        | RedeemVerdict::Malformed
        | RedeemVerdict::Forged
        | RedeemVerdict::UnknownGrant
        | RedeemVerdict::DeadEpoch
        | RedeemVerdict::Revoked
        | RedeemVerdict::UserDisabled => invalid_grant("Authorization code doesn't exist or is invalid for the client"),
        RedeemVerdict::WrongClient => invalid_grant("authorization_code doesn't exist or is invalid for the client"),
        RedeemVerdict::Expired => invalid_grant("The authorization code has expired"),
        RedeemVerdict::WrongVerifier if has_verifier => Some(Told::bad(
            "code_verifier_mismatch",
            "The PKCE code verifier parameter does not match the code challenge.",
        )),
        RedeemVerdict::WrongVerifier => {
            Some(Told::bad("code_verifier_missing", "The PKCE code verifier parameter is required."))
        }
        RedeemVerdict::WrongRedirectUri => Some(Told {
            uri: Some("http://tools.ietf.org/html/rfc6749#section-4.1.3"),
            ..Told::bad("redirect_uri_mismatch", "The redirect URI is missing or do not match")
        }),
        RedeemVerdict::ClientDisabled => Some(Told::bad("invalid_client", "The client credentials are invalid")),
        RedeemVerdict::Redeemed | RedeemVerdict::Retried | RedeemVerdict::RolledBack | RedeemVerdict::Unavailable => {
            None
        }
    }
}

/// A used token is gone from the library's table, and so it is unknown. What revokes a grant here is no other sentence.
fn refresh(verdict: Verdict) -> Option<Told> {
    let invalid_grant = |description: &'static str| Some(Told::bad("invalid_grant", description));
    match verdict {
        Verdict::Malformed
        | Verdict::Forged
        | Verdict::UnknownGrant
        | Verdict::WrongSender
        | Verdict::RetryTooLate
        | Verdict::DeadEpoch
        | Verdict::ReuseDetected
        | Verdict::Revoked
        | Verdict::UserDisabled => invalid_grant("Invalid refresh token"),
        // The original says "expired" to a stranger too. Here the client is compared first: a stranger learns no more.
        Verdict::WrongClient => invalid_grant("refresh_token doesn't exist or is invalid for the client"),
        Verdict::ExpiredIdle | Verdict::ExpiredAbsolute => invalid_grant("Refresh token has expired"),
        Verdict::ClientDisabled => Some(Told::bad("invalid_client", "The client credentials are invalid")),
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
