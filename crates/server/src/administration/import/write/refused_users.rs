use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use regrant_protocol::Subject;

/// The most users that may be left out: all are at hand while tokens are written.
const REFUSED_USERS_MAX: usize = 100_000;

/// The subjects whose tokens and consents stay behind: here they are somebody else's, or nobody's.
#[derive(Default)]
pub(super) struct RefusedUsers(BTreeSet<Subject>);

impl RefusedUsers {
    /// Leaves a user out.
    ///
    /// # Errors
    /// When there are more than [`REFUSED_USERS_MAX`]: then the two systems have other users by the same names.
    pub(super) fn add(&mut self, subject: Subject) -> Result<()> {
        self.0.insert(subject);
        ensure!(
            self.0.len() <= REFUSED_USERS_MAX,
            "more than {REFUSED_USERS_MAX} users are somebody else here: were the users of another system imported before?"
        );
        Ok(())
    }

    /// Whether the user was left out.
    pub(super) fn has(&self, subject: &Subject) -> bool {
        self.0.contains(subject)
    }
}
