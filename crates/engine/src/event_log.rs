use regrant_grant::{RedeemVerdict, Verdict};
use regrant_store::StoreError;
use tracing::field::display;
use tracing::{Level, debug, error, info, warn};

use crate::{BrowserError, Event, Happening, Reason, RevokedGrants, TakeOverOutcome, TokenError, UserInfoError};

/// Writes one line of the audit trail.
macro_rules! audit {
    ($level:expr, $($fields:tt)*) => {
        match $level {
            Level::ERROR => error!(target: "audit", $($fields)*),
            Level::WARN => warn!(target: "audit", $($fields)*),
            Level::INFO => info!(target: "audit", $($fields)*),
            _ => debug!(target: "audit", $($fields)*),
        }
    };
}

impl Event<'_> {
    /// Writes the event to the log, with the target `audit`: one line, under the names that the documentation uses. In which
    /// request it was, the span around says. [`AuthorizationServer::observe`](crate::AuthorizationServer::observe) does this;
    /// it is for programs that do something to a store without a server.
    pub fn log(&self) {
        let event = self.happening.name();
        let source = self.source.map(display);
        match self.happening {
            Happening::Refresh { verdict, grant, client } => {
                let grant = grant.map(display);
                audit!(of_refresh(verdict), event, source, %verdict, grant, %client);
            }
            Happening::Redemption { verdict, grant, client } => {
                let grant = grant.map(display);
                audit!(of_redemption(verdict), event, source, %verdict, grant, %client);
            }
            Happening::Issued { grant_type, grant, client, subject } => {
                let (grant_type, grant, subject) = (grant_type.as_str(), grant.map(display), subject.map(display));
                info!(target: "audit", event, source, grant_type, grant, %client, subject);
            }
            Happening::TakeOver { outcome, client, grant, subject } => {
                let (level, outcome) = (of_take_over(outcome), outcome.as_str());
                let (grant, subject) = (grant.map(display), subject.map(display));
                audit!(level, event, source, outcome, grant, %client, subject);
            }
            Happening::ClientAuthenticationFailed { client, failure } => {
                info!(target: "audit", event, source, failure = failure.as_str(), %client);
            }
            Happening::LogIn { subject, outcome } => {
                let (outcome, subject) = (outcome.as_str(), subject.map(display));
                info!(target: "audit", event, source, outcome, subject);
            }
            Happening::LogOut { subject } | Happening::PasswordChanged { subject } => {
                info!(target: "audit", event, source, %subject);
            }
            Happening::Consent { subject, client, is_given } => {
                info!(target: "audit", event, source, is_given, %client, %subject);
            }
            Happening::CodeIssued { grant, client, subject } => {
                info!(target: "audit", event, source, %grant, %client, %subject);
            }
            Happening::Revoked { grants, by } => {
                let (mut grant, mut client, mut subject) = (None, None, None);
                match grants {
                    RevokedGrants::One(one) => grant = Some(display(one)),
                    RevokedGrants::OfClient(of) => client = Some(display(of)),
                    RevokedGrants::OfUser(of) => subject = Some(display(of)),
                }
                info!(target: "audit", event, source, by = by.as_str(), grant, client, subject);
            }
            Happening::AccessTokenRevoked { client, token } => {
                info!(target: "audit", event, source, %client, token);
            }
            Happening::Introspection { client, is_active } => {
                debug!(target: "audit", event, source, is_active, %client);
            }
            Happening::Refused { endpoint, client, reason } => {
                // What a caller wrote is in the reason: as a text and not by its `Display` it begins no line of its own.
                let (endpoint, client, text) = (endpoint.as_str(), client.map(display), reason.to_string());
                audit!(of_reason(reason), event, source, endpoint, client, reason = text);
            }
            Happening::OperatorRefused { failure } => {
                warn!(target: "audit", event, source, failure = failure.as_str());
            }
            Happening::Administered { act, object, door } => {
                info!(target: "audit", event, source, act = act.as_str(), object, door = door.as_str());
            }
        }
    }
}

const fn of_refresh(verdict: Verdict) -> Level {
    match verdict {
        Verdict::RolledBack => Level::ERROR,
        Verdict::ReuseDetected => Level::WARN,
        // What happens all the time when all is well.
        Verdict::Rotated | Verdict::Reissued | Verdict::Consumed | Verdict::Forked | Verdict::Retried => Level::DEBUG,
        Verdict::RetryTooLate
        | Verdict::DeadEpoch
        | Verdict::Malformed
        | Verdict::Forged
        | Verdict::UnknownGrant
        | Verdict::WrongClient
        | Verdict::WrongSender
        | Verdict::Revoked
        | Verdict::ExpiredIdle
        | Verdict::ExpiredAbsolute
        | Verdict::UserDisabled
        | Verdict::ClientDisabled
        | Verdict::ScopeExceeded
        | Verdict::TargetRefused
        | Verdict::Unavailable => Level::INFO,
    }
}

const fn of_take_over(outcome: TakeOverOutcome) -> Level {
    match outcome {
        TakeOverOutcome::TakenOver | TakeOverOutcome::Refused => Level::INFO,
        TakeOverOutcome::Unreachable | TakeOverOutcome::UserRefused => Level::WARN,
        TakeOverOutcome::Lost | TakeOverOutcome::Misconfigured => Level::ERROR,
    }
}

const fn of_redemption(verdict: RedeemVerdict) -> Level {
    match verdict {
        RedeemVerdict::RolledBack => Level::ERROR,
        RedeemVerdict::Replayed => Level::WARN,
        RedeemVerdict::Redeemed
        | RedeemVerdict::Retried
        | RedeemVerdict::Malformed
        | RedeemVerdict::Forged
        | RedeemVerdict::UnknownGrant
        | RedeemVerdict::WrongClient
        | RedeemVerdict::DeadEpoch
        | RedeemVerdict::Expired
        | RedeemVerdict::WrongVerifier
        | RedeemVerdict::WrongRedirectUri
        | RedeemVerdict::Revoked
        | RedeemVerdict::UserDisabled
        | RedeemVerdict::ClientDisabled
        | RedeemVerdict::Unavailable => Level::INFO,
    }
}

fn of_reason(reason: Reason<'_>) -> Level {
    match reason {
        Reason::Token(TokenError::Refresh { verdict, .. }) => of_refresh(*verdict),
        Reason::Token(TokenError::Redeem { verdict, .. }) => of_redemption(*verdict),
        Reason::Token(TokenError::Overloaded(_) | TokenError::NotTakenOver { .. }) => Level::WARN,
        Reason::Token(TokenError::Claims(_)) | Reason::Browser(BrowserError::UserNotKept { .. }) => Level::ERROR,
        Reason::Token(TokenError::Store(error))
        | Reason::UserInfo(UserInfoError::Store(error))
        | Reason::Browser(BrowserError::Store(error)) => of_store(error),
        Reason::Token(_) | Reason::UserInfo(_) | Reason::Browser(_) => Level::INFO,
    }
}

/// Load passes; anything else that the store fails at does not.
const fn of_store(error: &StoreError) -> Level {
    if matches!(error, StoreError::Overloaded(_) | StoreError::TooLate) { Level::WARN } else { Level::ERROR }
}
