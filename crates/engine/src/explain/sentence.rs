use regrant_grant::{AccessVerdict, RedeemVerdict, Verdict};
use regrant_protocol::Timestamp;

use crate::{ClientAuthenticationFailure, LogInOutcome};

pub(super) const ID_TOKEN: &str = "This is an ID token: it tells a client who logged in, and opens nothing.";
pub(super) const UNKNOWN: &str = "This is no token that this server made or took over: by its form or its signature it is another's, or it was changed.";
pub(super) const NO_OWNER: &str =
    "This server made it, and it is good no longer: its grant or its client is not there any more.";
pub(super) const ACCESS_TOKEN_REVOKED: &str =
    "Its client revoked this access token alone (RFC 7009); the grant goes on.";
pub(super) const ACCESS_TOKEN_REPLACED: &str = "A refresh gave another since, and by its client's old_access_tokens it ended with \
                                                that; an API that does not ask the server still accepts a JWT.";
pub(super) const GRANT_TYPE_NOT_ALLOWED: &str =
    "It is refused, because its client may not use this grant type any more.";

/// What it means that a token names a signing key that was withdrawn.
pub(super) fn key_withdrawn(key_id: &str, withdrawn_at: Timestamp) -> String {
    format!(
        "It is refused, because signing key {key_id}, which it names, was withdrawn at {}: whether that key signed it cannot \
         be checked any more.",
        withdrawn_at.to_rfc3339()
    )
}

/// What a verdict on a refresh means, for an operator.
pub(crate) const fn of_refresh(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Rotated => "It is the current one: a use of it gives new tokens.",
        Verdict::Reissued => "It is the current one: a use of it gives a new access token and the same refresh token.",
        Verdict::Consumed => "It was not used yet: the only use of it gives an access token and no refresh token.",
        Verdict::Forked => "It is the current one: a use of it gives a sibling, and it stays as it is.",
        Verdict::Retried => {
            "It was used, its successor was not, and its retry window is open: its sender gets the same successor again."
        }
        Verdict::RetryTooLate => {
            "It is refused, because it was used before and its retry window has passed; its successor is good."
        }
        Verdict::DeadEpoch => {
            "It is refused, because it was made under another master key or before the database was restored."
        }
        Verdict::ReuseDetected => {
            "It is refused, because it was used before and replaced: a use of it counts as reuse, which ends the grant \
             unless the client's on_reuse says otherwise."
        }
        Verdict::RolledBack => {
            "Nothing is decided, because it is newer than the database: an older copy of the database was put in its place."
        }
        Verdict::Malformed => {
            "It is refused, because it has not the form of a refresh token: it was cut short or changed."
        }
        Verdict::Forged => {
            "It is refused, because its tags are not ours: it was changed, or is from another server or key."
        }
        Verdict::UnknownGrant => {
            "It is refused, because there is no such grant: it ended long ago and was swept, or the database is another one."
        }
        Verdict::WrongClient => "It is refused, because it was issued to another client.",
        Verdict::WrongSender => "It is refused, because it is bound to a key that its sender did not prove.",
        Verdict::Revoked => {
            "It is refused, because its grant has ended: it was revoked, all grants of its user or client were, or its \
             login session ended."
        }
        Verdict::ExpiredIdle => "It is refused, because it was not used for longer than its idle lifetime.",
        Verdict::ExpiredAbsolute => "It is refused, because its grant has reached the end of its lifetime.",
        Verdict::UserDisabled => "It is refused, because its user is locked, disabled or removed.",
        Verdict::ClientDisabled => "It is refused, because its client is disabled or removed.",
        Verdict::ScopeExceeded => {
            "It is refused, because the scope is wider than what was granted and what the client may still have."
        }
        Verdict::TargetRefused => {
            "It is refused, because the resource is not one that was granted and that the client may still name."
        }
        Verdict::Unavailable => {
            "Nothing is decided: the request comes again, or its key is not loaded in this process; it is answered 503."
        }
    }
}

/// What a verdict on a code means, for an operator.
pub(crate) const fn of_redemption(verdict: RedeemVerdict) -> &'static str {
    match verdict {
        RedeemVerdict::Redeemed => "It was not redeemed yet: with its verifier and redirect URI it gives tokens.",
        RedeemVerdict::Retried => "It was redeemed a moment ago, and its sender may still have the same tokens again.",
        RedeemVerdict::Replayed => {
            "It is refused, because it was redeemed before: that looks like theft, and a use of it ends the grant."
        }
        RedeemVerdict::Malformed => {
            "It is refused, because it has not the form of a code: it was cut short or changed."
        }
        RedeemVerdict::Forged => {
            "It is refused, because its tags are not ours: it was changed, or is from another server or key."
        }
        RedeemVerdict::UnknownGrant => {
            "It is refused, because there is no such grant: it ended long ago and was swept, or the database is another one."
        }
        RedeemVerdict::WrongClient => "It is refused, because it was issued to another client.",
        RedeemVerdict::RolledBack => {
            "Nothing is decided, because it is newer than the database: an older copy of the database was put in its place."
        }
        RedeemVerdict::DeadEpoch => {
            "It is refused, because it was made under another master key or before the database was restored."
        }
        RedeemVerdict::Expired => "It is refused, because it was not redeemed within its lifetime of a minute.",
        RedeemVerdict::WrongVerifier => {
            "It is refused, because code_verifier is not the one of the code_challenge, or one of them is missing."
        }
        RedeemVerdict::WrongRedirectUri => {
            "It is refused, because redirect_uri is not the one of the authorization request, or is missing."
        }
        RedeemVerdict::Revoked => {
            "It is refused, because its grant has ended: it was revoked, all grants of its user or client were, or its \
             login session ended."
        }
        RedeemVerdict::UserDisabled => "It is refused, because its user is locked, disabled or removed.",
        RedeemVerdict::ClientDisabled => "It is refused, because its client is disabled or removed.",
        RedeemVerdict::Unavailable => {
            "Nothing is decided, because its key is not loaded in this process; it is answered 503."
        }
    }
}

/// What a verdict on an access token means, for an operator.
pub(super) const fn of_access(verdict: AccessVerdict) -> &'static str {
    match verdict {
        AccessVerdict::Active => "It is good.",
        AccessVerdict::Expired => "It has expired.",
        AccessVerdict::Revoked => {
            "Its grant has ended: it was revoked, all grants of its user or client were, or its login session ended."
        }
        AccessVerdict::UserDisabled => "Its user is locked, disabled or removed.",
        AccessVerdict::ClientDisabled => "Its client is disabled or removed.",
        AccessVerdict::DeadEpoch => "It was made before the database was restored.",
        AccessVerdict::RolledBack => {
            "It is newer than the database: an older copy of the database was put in its place, or its grant is gone."
        }
    }
}

/// The name of a verdict on an access token.
pub(super) const fn access_name(verdict: AccessVerdict) -> &'static str {
    match verdict {
        AccessVerdict::Active => "active",
        AccessVerdict::Expired => "expired",
        AccessVerdict::Revoked => "revoked",
        AccessVerdict::UserDisabled => "user_disabled",
        AccessVerdict::ClientDisabled => "client_disabled",
        AccessVerdict::DeadEpoch => "dead_epoch",
        AccessVerdict::RolledBack => "rolled_back",
    }
}

/// Why a client is not taken for what it says it is, for an operator.
pub(crate) const fn of_client(failure: ClientAuthenticationFailure) -> &'static str {
    match failure {
        ClientAuthenticationFailure::WrongCredentials => {
            "There is no such client, its secret was wrong, or the method is not one that is registered for it."
        }
        ClientAuthenticationFailure::ClientDisabled => "The client proved who it is, and is disabled.",
        ClientAuthenticationFailure::TooManyFailures => {
            "Too many wrong secrets came for this client from this address before; it has to wait as Retry-After says."
        }
    }
}

/// What became of an attempt to log in, for an operator.
pub(crate) const fn of_log_in(outcome: LogInOutcome) -> &'static str {
    match outcome {
        LogInOutcome::LoggedIn => "The user is logged in.",
        LogInOutcome::WrongCredentials => "There is no such user, or the password was wrong.",
        LogInOutcome::UserDisabled => "The password was right, and the user is locked or disabled.",
        LogInOutcome::TooManyFailures => {
            "Too many wrong passwords came for this name or from this address before; the next try has to wait."
        }
    }
}
