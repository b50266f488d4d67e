use std::fmt;

use crate::Write;

/// What became of a refresh. Code, metrics, logs, audit and pages use these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The successor was issued.
    Rotated,
    /// The same refresh token was given back (`reuse`).
    Reissued,
    /// The token was used for the only time (`consume`).
    Consumed,
    /// A sibling was made (`fork`).
    Forked,
    /// The same sender presents the superseded token again: it gets the same successor, and nothing is written.
    Retried,
    /// The same sender, after the retry window: refused, and nothing changes.
    RetryTooLate,
    /// A token of an earlier epoch or of another master key: refused, and nothing changes.
    DeadEpoch,
    /// A superseded token from whom it should not come from: the grant is revoked, or an alert is raised, by policy.
    ReuseDetected,
    /// A token ahead of its row: the database is older than its tokens.
    RolledBack,
    /// Not a token of ours by its form.
    Malformed,
    /// A tag that we did not make.
    Forged,
    /// No row of this name.
    UnknownGrant,
    /// A token of another client.
    WrongClient,
    /// Bound to a key that the sender did not prove.
    WrongSender,
    /// The grant was revoked, or a cutoff ended it.
    Revoked,
    /// Not used for too long.
    ExpiredIdle,
    /// The grant reached its end.
    ExpiredAbsolute,
    /// The user is disabled, locked or removed.
    UserDisabled,
    /// The client is disabled or removed.
    ClientDisabled,
    /// More scope than was granted.
    ScopeExceeded,
    /// A resource that was not granted.
    TargetRefused,
    /// Nothing was decided: try again.
    Unavailable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 22] = [
        Self::Rotated,
        Self::Reissued,
        Self::Consumed,
        Self::Forked,
        Self::Retried,
        Self::RetryTooLate,
        Self::DeadEpoch,
        Self::ReuseDetected,
        Self::RolledBack,
        Self::Malformed,
        Self::Forged,
        Self::UnknownGrant,
        Self::WrongClient,
        Self::WrongSender,
        Self::Revoked,
        Self::ExpiredIdle,
        Self::ExpiredAbsolute,
        Self::UserDisabled,
        Self::ClientDisabled,
        Self::ScopeExceeded,
        Self::TargetRefused,
        Self::Unavailable,
    ];

    /// The name of the verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Reissued => "reissued",
            Self::Consumed => "consumed",
            Self::Forked => "forked",
            Self::Retried => "retried",
            Self::RetryTooLate => "retry_too_late",
            Self::DeadEpoch => "dead_epoch",
            Self::ReuseDetected => "reuse_detected",
            Self::RolledBack => "rolled_back",
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::UnknownGrant => "unknown_grant",
            Self::WrongClient => "wrong_client",
            Self::WrongSender => "wrong_sender",
            Self::Revoked => "revoked",
            Self::ExpiredIdle => "expired_idle",
            Self::ExpiredAbsolute => "expired_absolute",
            Self::UserDisabled => "user_disabled",
            Self::ClientDisabled => "client_disabled",
            Self::ScopeExceeded => "scope_exceeded",
            Self::TargetRefused => "target_refused",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether tokens are given.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Rotated | Self::Reissued | Self::Consumed | Self::Forked | Self::Retried)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict and what has to be written before anybody hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What became of the refresh.
    pub verdict: Verdict,
    /// What is written.
    pub write: Write,
}

impl Decision {
    /// A decision that changes nothing.
    #[must_use]
    pub const fn unchanged(verdict: Verdict) -> Self {
        Self { verdict, write: Write::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_own_name_and_place() {
        let mut names: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Verdict::ALL.len());
        assert!(Verdict::ALL.iter().all(|verdict| verdict.to_string() == verdict.as_str()));
        assert!(Verdict::ALL.windows(2).all(|pair| pair[0] < pair[1]), "in the order of the enum, each once");
    }
}
