//! What a token manager knows between two exchanges.

use std::collections::HashMap;

use tokio::sync::watch;

use crate::exchange::Unsaved;
use crate::{AccessToken, Credential, DpopKey, Event, LogInReason, Target, TokenError};

#[derive(Default)]
pub(crate) struct State {
    /// As this process saw it last.
    pub(crate) credential: Option<Credential>,
    /// For each target that something is known of.
    pub(crate) slots: HashMap<Target, Slot>,
    /// What the last exchange could not write.
    pub(crate) unsaved: Option<Unsaved>,
    pub(crate) is_log_in_told: bool,
    /// How many logins and logouts there were here.
    pub(crate) logins: u64,
}

#[derive(Default)]
pub(crate) struct Slot {
    /// What an API has refused.
    pub(crate) rejected: Option<AccessToken>,
    /// The exchange that is under way.
    pub(crate) flight: Option<Flight>,
}

pub(crate) type Landing = Option<Result<(), TokenError>>;
pub(crate) type Flight = watch::Receiver<Landing>;

impl State {
    pub(crate) fn current(&self, target: &Target) -> Option<&AccessToken> {
        Some(&self.credential.as_ref()?.access_for(Some(target))?.token)
    }

    pub(crate) fn rejected(&self, target: &Target) -> Option<&AccessToken> {
        self.slots.get(target)?.rejected.as_ref()
    }

    /// The token that is kept, if it is not rejected, however little of its life is left.
    pub(crate) fn kept(&self, target: &Target) -> Option<AccessToken> {
        self.current(target).filter(|&token| self.rejected(target) != Some(token)).cloned()
    }

    pub(crate) fn dpop_key(&self) -> Option<DpopKey> {
        self.credential.as_ref()?.dpop_key.clone()
    }

    pub(crate) fn slot(&mut self, target: &Target) -> &mut Slot {
        if self.slots.len() >= SLOTS_MAX {
            // A rejection that is forgotten is found out again by one request.
            self.slots.retain(|own, slot| own == target || slot.flight.is_some());
        }
        self.slots.entry(target.clone()).or_default()
    }

    /// Begins anew with what a login or a logout has left.
    pub(crate) fn begin(&mut self, credential: Option<Credential>) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.values_mut().for_each(|slot| slot.rejected = None);
        *self = Self { credential, slots, logins: self.logins + 1, ..Self::default() };
    }

    /// What has to be told of an exchange.
    pub(crate) fn event(&mut self, result: &Result<(), TokenError>, tries: u32) -> Option<Event> {
        let reason: &LogInReason = match result {
            Ok(()) => {
                self.is_log_in_told = false;
                return (tries > 0).then_some(Event::Refreshed { tries });
            }
            Err(TokenError::LogIn(reason)) => reason,
            Err(error) => return Some(Event::Failed(error.clone())),
        };
        let is_told = std::mem::replace(&mut self.is_log_in_told, true);
        (!is_told).then(|| Event::LogInNeeded(reason.clone()))
    }
}

/// How many targets are remembered that nothing is under way for.
const SLOTS_MAX: usize = 64;
