use std::fmt;
use std::sync::Arc;

use crate::{ClaimsHook, Event, Observer};

/// What a program that contains the server adds to it. By default nothing.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Hears of everything that happens.
    pub observer: Option<Arc<dyn Observer>>,
    /// Adds claims to access tokens.
    pub claims: Option<Arc<dyn ClaimsHook>>,
}

impl Hooks {
    /// Writes an event to the log, and lets the observer hear of it.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        event.log();
        if let Some(observer) = &self.observer {
            observer.happened(event);
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (observer, claims) = (self.observer.is_some(), self.claims.is_some());
        f.debug_struct("Hooks").field("observer", &observer).field("claims", &claims).finish()
    }
}
