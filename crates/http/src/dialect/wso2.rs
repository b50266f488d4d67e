use regrant_engine::{BeforeClient, Endpoint, RedeemVerdict, TokenError, Unproven, Verdict};
use regrant_protocol::{ParamsError, RequestFault, TokenEndpointAuthMethod};

use super::fault::{Fault, Told};
use super::members::{Member, Members};
use super::values::{
    BasicBesideBody, BasicEncoding, Challenge, ErrorCaching, ErrorMembers, NeverExpires, OtherMethods, RevocationBody,
    SecretsInQuery, Words,
};
use super::{Dialect, Paths};
use crate::form::FormFault;

/// What every fault of client authentication is told that has no other words.
const CREDENTIALS_INVALID: &str = "Client credentials are invalid.";
/// What is told of a way to authenticate that the original does not know.
const UNSUPPORTED_METHOD: &str = "Unsupported Client Authentication Method!";
/// What every refused code, and a refusal without words of its own, is told.
const GRANT_INVALID: &str = "Provided Authorization Grant is invalid";
/// A used token's row is gone, or none of those that are looked at.
const NO_ROW: &str = "Persisted access token data not found";

impl Dialect {
    /// WSO2 Identity Server. The header `DeactivatedAccessToken` is never sent: no access token is kept in the clear.
    #[must_use]
    pub fn wso2() -> Self {
        Self {
            paths: Paths {
                token: &["/oauth2/token"],
                revocation: &["/oauth2/revoke"],
                introspection: &["/oauth2/introspect"],
                authorization: &["/oauth2/authorize"],
                userinfo: &["/oauth2/userinfo"],
                jwks: &["/oauth2/jwks"],
                metadata: &["/oauth2/token/.well-known/openid-configuration"],
                ..Paths::default()
            },
            any_charset: true,
            json_body: true,
            secrets_in_query: SecretsInQuery::Refuse,
            basic_encoding: BasicEncoding::Raw,
            basic_beside_body: BasicBesideBody::RefusePair,
            told_before_client: BeforeClient::Everything,
            other_methods: OtherMethods::Empty,
            // The order of a HashMap of Java.
            success_members: Members(vec![
                Member::AccessToken,
                Member::RefreshToken,
                Member::Scope,
                Member::IdToken,
                Member::TokenType,
                Member::ExpiresIn,
            ]),
            never_expires: NeverExpires::LongMax,
            error_caching: ErrorCaching::Nothing,
            error_members: ErrorMembers::DescriptionFirst,
            challenge: Challenge::Host,
            words: Words::Wso2,
            revocation: RevocationBody::EmptyJson,
            ..Self::standard()
        }
    }
}

/// What the server says; `None` where it has no words.
pub(super) fn words(fault: &Fault<'_>, endpoint: Endpoint) -> Option<Told> {
    match fault {
        Fault::Method { .. } => None,
        Fault::SecretInQuery => Some(Told::bad("invalid_request", "Invalid request with sensitive data in the URL.")),
        Fault::Unreadable(FormFault::Params(ParamsError::Repeated(_))) => {
            Some(Told::bad("invalid_request", "Invalid request with repeated parameters."))
        }
        Fault::Unreadable(_) => None,
        Fault::Refused { error, username } => refused(error, *username, endpoint),
    }
}

fn refused(error: &TokenError, username: Option<&str>, endpoint: Endpoint) -> Option<Told> {
    match error {
        TokenError::Request(fault) => request(fault, endpoint),
        // Whoever presents nothing but a name is asked for more by no authenticator of the original.
        TokenError::ClientNotAuthenticated(Unproven { method: TokenEndpointAuthMethod::None, .. }) => {
            Some(Told::new(401, "invalid_client", UNSUPPORTED_METHOD))
        }
        TokenError::ClientNotAuthenticated(_) | TokenError::ClientDisabled => {
            Some(Told::new(401, "invalid_client", CREDENTIALS_INVALID))
        }
        TokenError::GrantTypeNotAllowed { .. } | TokenError::PublicClient => Some(Told::bad(
            "unauthorized_client",
            "The authenticated client is not authorized to use this authorization grant type",
        )),
        TokenError::Credentials | TokenError::UserDisabled => Some(match username {
            Some(username) => Told::bad("invalid_grant", format!("Authentication failed for {username}")),
            None => Told::bad("invalid_grant", GRANT_INVALID),
        }),
        TokenError::Scope(_) => Some(Told::bad("invalid_scope", "Invalid Scope!")),
        TokenError::Redeem { verdict, .. } => redeem(*verdict),
        TokenError::Refresh { verdict, .. } => refresh(*verdict),
        // The original answers 502 when its database fails: like every answer without a decision, that is a 503 of ours.
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

fn request(fault: &RequestFault, endpoint: Endpoint) -> Option<Told> {
    let invalid_request = |description: &'static str| Told::bad("invalid_request", description);
    Some(match fault {
        RequestFault::Missing("grant_type") => invalid_request("Missing grant_type parameter value"),
        RequestFault::Missing("token") if endpoint == Endpoint::Introspection => {
            Told { body: Some("{\"error\": \"Invalid input\"}"), ..invalid_request("Invalid input") }
        }
        RequestFault::Missing("token") => invalid_request("Invalid revocation request"),
        RequestFault::Missing(name) => Told::bad("invalid_request", format!("Missing parameters: {name}")),
        RequestFault::UnsupportedGrantType(_) => invalid_request("Unsupported grant_type value"),
        RequestFault::Scope(_) => Told::bad("invalid_scope", "Invalid Scope!"),
        RequestFault::NoClientCredentials => Told::new(401, "invalid_client", "Client ID not found in the request."),
        RequestFault::NoClientSecret | RequestFault::ClientId(_) => {
            Told::new(401, "invalid_client", CREDENTIALS_INVALID)
        }
        RequestFault::Basic(_) => Told::new(401, "invalid_client", UNSUPPORTED_METHOD),
        RequestFault::TwoMethods | RequestFault::ClientIdMismatch => {
            invalid_request("The client MUST NOT use more than one authentication method in each")
        }
        RequestFault::CodeVerifier(_)
        | RequestFault::Retry(_)
        | RequestFault::Target(_)
        | RequestFault::TokenTypeHint => return None,
    })
}

fn redeem(verdict: RedeemVerdict) -> Option<Told> {
    match verdict {
        RedeemVerdict::Replayed
        | RedeemVerdict::Malformed
        | RedeemVerdict::Forged
        | RedeemVerdict::UnknownGrant
        | RedeemVerdict::WrongClient
        | RedeemVerdict::DeadEpoch
        | RedeemVerdict::Expired
        | RedeemVerdict::WrongVerifier
        | RedeemVerdict::WrongRedirectUri
        | RedeemVerdict::Revoked
        | RedeemVerdict::UserDisabled => Some(Told::bad("invalid_grant", GRANT_INVALID)),
        RedeemVerdict::ClientDisabled => Some(Told::new(401, "invalid_client", CREDENTIALS_INVALID)),
        RedeemVerdict::Redeemed | RedeemVerdict::Retried | RedeemVerdict::RolledBack | RedeemVerdict::Unavailable => {
            None
        }
    }
}

fn refresh(verdict: Verdict) -> Option<Told> {
    let invalid_grant = |description: &'static str| Some(Told::bad("invalid_grant", description));
    match verdict {
        Verdict::Malformed
        | Verdict::Forged
        | Verdict::UnknownGrant
        | Verdict::WrongClient
        | Verdict::WrongSender
        | Verdict::DeadEpoch
        | Verdict::ReuseDetected => invalid_grant(NO_ROW),
        Verdict::RetryTooLate => invalid_grant("Refresh token grace period has expired."),
        Verdict::Revoked => invalid_grant("Invalid refresh token state"),
        Verdict::ExpiredIdle | Verdict::ExpiredAbsolute => invalid_grant("Refresh token is expired."),
        Verdict::UserDisabled => invalid_grant(GRANT_INVALID),
        Verdict::ClientDisabled => Some(Told::new(401, "invalid_client", CREDENTIALS_INVALID)),
        Verdict::ScopeExceeded => Some(Told::bad("invalid_scope", "Invalid Scope!")),
        Verdict::TargetRefused
        | Verdict::RolledBack
        | Verdict::Unavailable
        | Verdict::Rotated
        | Verdict::Reissued
        | Verdict::Consumed
        | Verdict::Forked
        | Verdict::Retried => None,
    }
}
