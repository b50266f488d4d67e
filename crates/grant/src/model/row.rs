use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, Resources, RetryChallenge, Scope, Subject, Timestamp};

use super::settings::{ClientType, Settings, TICK_SECONDS};
use super::token::Token;
use crate::{Binding, Generation, Grant, GrantId, GrantSecret, OldAccessTokens, Policy, ScopeNarrowing};

/// The present of the model: only the distance to it counts.
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The key that the tokens of a bound client are bound to.
pub(super) const CLIENT_KEY: Binding = Binding::DpopKey([1; 32]);

/// Stands for an end that never comes.
const NEVER_TICKS: u8 = u8::MAX;

/// The row of the grant, as far as it changes in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) generation: u8,
    kid: u8,
    epoch: u8,
    /// Ticks since the rotation, up to [`Row::age_max_ticks`].
    age_ticks: u8,
    /// Ticks to the idle end; 0 when it has passed.
    idle_left_ticks: u8,
    /// Ticks to the absolute end; 0 when it has passed.
    absolute_left_ticks: u8,
    /// 0 for none.
    retry_challenge: u8,
    has_used_challenge: bool,
    pub(super) revoked: bool,
}

impl Row {
    /// The row of a new grant.
    pub(super) fn first(settings: &Settings) -> Self {
        let Token { generation, kid, epoch } = settings.first_token();
        Self {
            generation,
            kid,
            epoch,
            age_ticks: 0,
            idle_left_ticks: ticks_or_never(settings.idle_ticks),
            absolute_left_ticks: ticks_or_never(settings.absolute_ticks),
            retry_challenge: 0,
            has_used_challenge: false,
            revoked: false,
        }
    }

    /// Nothing in the rule tells older rotations apart: the window has long been closed.
    fn age_max_ticks(settings: &Settings) -> u8 {
        settings.window_ticks + 2
    }

    /// One tick passes.
    pub(super) fn tick(&mut self, settings: &Settings) {
        self.age_ticks = (self.age_ticks + 1).min(Self::age_max_ticks(settings));
        for left in [&mut self.idle_left_ticks, &mut self.absolute_left_ticks] {
            if *left != NEVER_TICKS {
                *left = left.saturating_sub(1);
            }
        }
    }

    /// The head of its current token.
    pub(super) const fn current(&self) -> Token {
        Token { generation: self.generation, kid: self.kid, epoch: self.epoch }
    }

    /// The challenge that a retry has to prove, as the model numbers them; 0 for none.
    pub(super) fn retry_challenge(&self) -> u8 {
        self.retry_challenge
    }

    /// The row as the rule reads it.
    pub(super) fn to_grant(self, template: &Grant) -> Grant {
        Grant {
            generation: Generation(u32::from(self.generation)),
            kid: Kid(self.kid),
            epoch: EpochNumber(self.epoch),
            rotated_at: NOW.plus_seconds(-seconds(self.age_ticks)),
            idle_expires_at: end(self.idle_left_ticks),
            absolute_expires_at: end(self.absolute_left_ticks),
            retry_challenge: challenge(self.retry_challenge),
            has_used_challenge: self.has_used_challenge,
            revoked_at: self.revoked.then_some(NOW),
            ..template.clone()
        }
    }

    /// The row as the rule wrote it.
    pub(super) fn from_grant(grant: &Grant, settings: &Settings) -> Self {
        let age_ticks = ticks(NOW.milliseconds_since(grant.rotated_at));
        let left = |end: Option<Timestamp>| end.map_or(NEVER_TICKS, |end| ticks(end.milliseconds_since(NOW)));
        Self {
            generation: u8::try_from(grant.generation.0).expect("a model has few generations"),
            kid: grant.kid.0,
            epoch: grant.epoch.0,
            age_ticks: age_ticks.min(Self::age_max_ticks(settings)),
            idle_left_ticks: left(grant.idle_expires_at),
            absolute_left_ticks: left(grant.absolute_expires_at),
            retry_challenge: grant.retry_challenge.map_or(0, |challenge| challenge.as_bytes()[0]),
            has_used_challenge: grant.has_used_challenge,
            revoked: grant.revoked_at.is_some(),
        }
    }
}

/// What never changes in the row.
pub(super) fn template(client: ClientType) -> Grant {
    Grant {
        id: GrantId([0x11; 16]),
        secret: GrantSecret::new([0x12; 16]),
        version: 1,
        root: None,
        client: client_id(),
        subject: Subject::parse("alice").expect("a subject"),
        scope: Scope::parse("read").expect("a scope"),
        resources: Resources::none(),
        binding: if client == ClientType::Bound { CLIENT_KEY } else { Binding::None },
        session: None,
        approved_from: None,
        code: None,
        generation: Generation::FIRST,
        kid: Kid::FIRST,
        epoch: EpochNumber::FIRST,
        rotated_at: NOW,
        access_lifetime: ACCESS_LIFETIME,
        retry_challenge: None,
        has_used_challenge: false,
        created_at: NOW,
        authenticated_at: NOW,
        idle_expires_at: None,
        absolute_expires_at: None,
        revoked_at: None,
        client_cutoff: 0,
        user_cutoff: 0,
    }
}

/// Longer than every retry window of the model, so that it never closes one.
const ACCESS_LIFETIME: Lifetime = Lifetime::from_seconds(600);

/// The client's settings as the rule reads them.
pub(super) fn policy(settings: &Settings) -> Policy {
    let lifetime = |ticks: u8| Lifetime::from_seconds(u32::from(ticks) * TICK_SECONDS);
    Policy {
        rotation: settings.rotation,
        retry_window_seconds: Some(u32::from(settings.window_ticks) * TICK_SECONDS),
        on_reuse: settings.on_reuse,
        scope_narrowing: ScopeNarrowing::AccessToken,
        old_access_tokens: OldAccessTokens::Keep,
        code_retry_seconds: 0,
        access_lifetime: ACCESS_LIFETIME,
        idle_lifetime: lifetime(settings.idle_ticks),
        absolute_lifetime: lifetime(settings.absolute_ticks),
    }
}

/// The honest client.
pub(super) fn client_id() -> ClientId {
    ClientId::parse("app").expect("a client identifier")
}

/// The challenge with this number; 0 for none.
pub(super) fn challenge(number: u8) -> Option<RetryChallenge> {
    (number != 0).then(|| RetryChallenge::from_bytes([number; 16]))
}

fn ticks_or_never(ticks: u8) -> u8 {
    if ticks == 0 { NEVER_TICKS } else { ticks }
}

fn end(left_ticks: u8) -> Option<Timestamp> {
    (left_ticks != NEVER_TICKS).then(|| NOW.plus_seconds(seconds(left_ticks)))
}

fn seconds(ticks: u8) -> i64 {
    i64::from(ticks) * i64::from(TICK_SECONDS)
}

fn ticks(milliseconds: i64) -> u8 {
    u8::try_from(milliseconds / (i64::from(TICK_SECONDS) * 1000)).unwrap_or(NEVER_TICKS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { idle_ticks: 5, absolute_ticks: 9, ..Settings::honest(ClientType::Challenge) }
    }

    #[test]
    fn what_the_rule_reads_and_writes_back_is_the_same_row() {
        let settings = settings();
        let mut row = Row { retry_challenge: 3, has_used_challenge: true, ..Row::first(&settings) };
        for revoked in [false, true] {
            row.revoked = revoked;
            for ticks in 0..12 {
                let grant = row.to_grant(&template(settings.client));
                assert_eq!(Row::from_grant(&grant, &settings), row, "after {ticks} ticks");
                row.tick(&settings);
            }
        }
    }

    #[test]
    fn time_moves_the_rotation_back_and_the_ends_closer() {
        let settings = settings();
        let mut row = Row::first(&settings);
        row.tick(&settings);
        row.tick(&settings);
        let grant = row.to_grant(&template(settings.client));
        assert_eq!(NOW.milliseconds_since(grant.rotated_at), 20_000);
        assert_eq!(grant.idle_expires_at, Some(NOW.plus_seconds(30)));
        assert_eq!(grant.absolute_expires_at, Some(NOW.plus_seconds(70)));
    }

    #[test]
    fn a_row_without_ends_never_ends() {
        let settings = Settings::honest(ClientType::Bearer);
        let mut row = Row::first(&settings);
        for _ in 0..1_000 {
            row.tick(&settings);
        }
        assert_eq!(row.to_grant(&template(settings.client)).refresh_expires_at(), None);
    }
}
