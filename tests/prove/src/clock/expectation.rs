//! What a refresh must come to, whatever the clock does: written anew from the promises, not from the rule.

use regrant_grant::Verdict;

use super::Kind;
use crate::instance::{ABSOLUTE_SECONDS, ACCESS_SECONDS, IDLE_SECONDS};

/// A grant as it is expected to be. Times are seconds.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    kind: Kind,
    misreading: Option<Misreading>,
    generation: u32,
    /// The latest time that the grant has seen: a clock that is behind it counts as it.
    used_at: i64,
    idle_end: i64,
    absolute_end: i64,
    is_revoked: bool,
}

/// What is expected of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// 200 with the refresh token of this generation.
    Token(u32),
    /// 200, and no refresh token of this grant in it.
    NoToken,
    /// Refused.
    Refused(Verdict),
}

/// A wrong expectation. Each must differ from what the server does somewhere, or the requests would not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misreading {
    /// A clock that was set back is believed.
    BelievesAClockThatIsBehind,
    /// A retry moves the window.
    RetryMovesTheWindow,
    /// A late retry of a sender that proves itself ends the grant.
    LatenessEndsAProvenGrant,
    /// A late retry of a public bearer is refused and ends nothing.
    LatenessNeverEndsAGrant,
    /// What expired stays expired when the clock is back.
    ExpiryIsFinal,
}

impl Misreading {
    /// Every one.
    pub(crate) const ALL: [Self; 5] = [
        Self::BelievesAClockThatIsBehind,
        Self::RetryMovesTheWindow,
        Self::LatenessEndsAProvenGrant,
        Self::LatenessNeverEndsAGrant,
        Self::ExpiryIsFinal,
    ];
}

impl Expectation {
    /// A grant that is born at `now`.
    pub(crate) fn born(kind: Kind, now: i64, misreading: Option<Misreading>) -> Self {
        let (idle_end, absolute_end) = (now + i64::from(IDLE_SECONDS), now + i64::from(ABSOLUTE_SECONDS));
        Self { kind, misreading, generation: 1, used_at: now, idle_end, absolute_end, is_revoked: false }
    }

    /// The generation whose token is the current one.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether the grant has been ended.
    pub(crate) fn is_revoked(&self) -> bool {
        self.is_revoked
    }

    /// The moment after which no token of the grant is good.
    pub(crate) fn absolute_end(&self) -> i64 {
        self.absolute_end
    }

    /// What comes of presenting the token of `generation` when the clock shows `clock`.
    pub(crate) fn present(&mut self, generation: u32, clock: i64) -> Expected {
        let now = if self.misreads(Misreading::BelievesAClockThatIsBehind) { clock } else { clock.max(self.used_at) };
        if self.is_revoked {
            return Expected::Refused(Verdict::Revoked);
        }
        if self.absolute_end <= now || self.idle_end <= now {
            self.is_revoked = self.misreads(Misreading::ExpiryIsFinal);
            let is_absolute = self.absolute_end <= now;
            return Expected::Refused(if is_absolute { Verdict::ExpiredAbsolute } else { Verdict::ExpiredIdle });
        }
        if generation == self.generation {
            return self.advance(now);
        }
        if generation + 1 < self.generation {
            return self.end();
        }
        self.retry(now)
    }

    fn advance(&mut self, now: i64) -> Expected {
        if self.kind == Kind::ConfidentialFork {
            return Expected::NoToken;
        }
        self.used_at = now;
        self.idle_end = now + i64::from(IDLE_SECONDS);
        match self.kind {
            Kind::ConfidentialReuse => Expected::Token(self.generation),
            Kind::ConfidentialConsume => {
                self.generation += 1;
                Expected::NoToken
            }
            Kind::Confidential | Kind::PublicBearer | Kind::PublicWithChallenge | Kind::ConfidentialFork => {
                self.generation += 1;
                Expected::Token(self.generation)
            }
        }
    }

    fn retry(&mut self, now: i64) -> Expected {
        let window = match self.kind {
            Kind::ConfidentialConsume => i64::from(ACCESS_SECONDS),
            Kind::PublicBearer => 60,
            Kind::PublicWithChallenge => 60 * 60,
            Kind::Confidential | Kind::ConfidentialReuse | Kind::ConfidentialFork => 24 * 60 * 60,
        };
        if now - self.used_at < window {
            if self.misreads(Misreading::RetryMovesTheWindow) {
                self.used_at = now;
            }
            let is_consumed = self.kind == Kind::ConfidentialConsume;
            return if is_consumed { Expected::NoToken } else { Expected::Token(self.generation) };
        }
        let ends = match self.kind {
            Kind::PublicBearer => !self.misreads(Misreading::LatenessNeverEndsAGrant),
            Kind::Confidential
            | Kind::PublicWithChallenge
            | Kind::ConfidentialReuse
            | Kind::ConfidentialConsume
            | Kind::ConfidentialFork => self.misreads(Misreading::LatenessEndsAProvenGrant),
        };
        if ends { self.end() } else { Expected::Refused(Verdict::RetryTooLate) }
    }

    fn end(&mut self) -> Expected {
        self.is_revoked = true;
        Expected::Refused(Verdict::ReuseDetected)
    }

    fn misreads(&self, misreading: Misreading) -> bool {
        self.misreading == Some(misreading)
    }
}
