use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use regrant_engine::{Event, Happening, Observer, Verdict};
use regrant_grant::GrantId;

/// Hears of the grants whose tokens are ahead of their rows.
#[derive(Default)]
pub(crate) struct Alarm(Mutex<HashSet<GrantId>>);

impl Alarm {
    /// Those grants.
    pub(crate) fn grants(&self) -> HashSet<GrantId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Alarm {
    fn happened(&self, event: &Event<'_>) {
        if let Happening::Refresh { verdict: Verdict::RolledBack, grant: Some(grant), .. } = event.happening {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(grant);
        }
    }
}
