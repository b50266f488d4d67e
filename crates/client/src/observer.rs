use std::time::Duration;

use crate::{LogInReason, TokenError};

/// Hears what becomes of a credential. Called by whoever does it, exchanges and callers: it must return soon.
pub trait Observer: Send + Sync {
    /// Something happened. Events hold no secrets.
    fn observe(&self, event: &Event);
}

/// What a [`TokenManager`](crate::TokenManager) tells its [`Observer`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// New tokens are kept.
    Refreshed {
        /// How many requests it took.
        tries: u32,
    },
    /// There are no new tokens, and no person is needed for them.
    Failed(TokenError),
    /// A person has to log in. It is told once, until somebody has.
    LogInNeeded(LogInReason),
    /// An exchange, a login or a logout has waited so long for its turn among all that use the credential, whether it came or not.
    LockWaited(Duration),
    /// A caller waits for an exchange that another caller has begun.
    Joined,
}

/// An [`Observer`] that hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: &Event) {}
}
