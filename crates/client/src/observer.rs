use crate::{LogInReason, TokenError};

/// Hears what becomes of a credential. Called by the exchange itself: it must return soon.
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
}

/// An [`Observer`] that hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: &Event) {}
}
