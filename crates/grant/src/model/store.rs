use regrant_protocol::EpochNumber;

use super::row::{NOW, Row};
use super::settings::Settings;
use super::token::Token;
use crate::{Party, RecoverPublic, Recovery, Surroundings};

/// The store beside the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Store {
    pub(super) epoch: u8,
    /// The newest master key that the store has announced.
    pub(super) newest_kid: u8,
    /// The user's cutoff; the grant was made under 0.
    pub(super) cutoff: u8,
    pub(super) client_enabled: bool,
    pub(super) user_enabled: bool,
    /// A token was ahead of its row: 503 until the operator decides.
    pub(super) alarmed: bool,
    pub(super) snapshot: Snapshot,
    /// How often a copy was put back.
    pub(super) restores: u8,
    /// What becomes of senders without a proof while the store recovers; `None` when it does not.
    pub(super) recovers: Option<RecoverPublic>,
}

/// A copy of the store that may be put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Snapshot {
    NotTaken,
    Taken { row: Row, cutoff: u8 },
}

impl Store {
    pub(super) const fn new() -> Self {
        Self {
            epoch: Token::FIRST.epoch,
            newest_kid: Token::FIRST.kid,
            cutoff: 0,
            client_enabled: true,
            user_enabled: true,
            alarmed: false,
            snapshot: Snapshot::NotTaken,
            restores: 0,
            recovers: None,
        }
    }

    pub(super) fn surroundings(&self) -> Surroundings<'static> {
        Surroundings {
            epoch: EpochNumber(self.epoch),
            client: Some(Party { enabled: self.client_enabled, cutoff: 0, version: 1 }),
            user: Some(Party { enabled: self.user_enabled, cutoff: u32::from(self.cutoff), version: 1 }),
            root: None,
            session_ends_at: None,
        }
    }

    /// How the store takes tokens of the epoch before; as long as it does, the end of that is a second away.
    pub(super) fn recovery(&self) -> Option<Recovery> {
        let public = self.recovers?;
        Some(Recovery { former: EpochNumber(self.epoch - 1), until: NOW.plus_seconds(1), public })
    }

    /// Nobody is disabled.
    pub(super) const fn everybody_is_enabled(&self) -> bool {
        self.client_enabled && self.user_enabled
    }

    /// The nodes, told apart by the newest master key they have: one may not have loaded the newest yet.
    pub(super) fn nodes(&self) -> impl Iterator<Item = u8> {
        self.newest_kid.saturating_sub(1).max(Token::FIRST.kid)..=self.newest_kid
    }

    /// One tick passes.
    pub(super) fn tick(&mut self, settings: &Settings) {
        if let Snapshot::Taken { row, .. } = &mut self.snapshot {
            row.tick(settings);
        }
    }
}
