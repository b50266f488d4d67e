//! What a restore begins, whatever the store is.

use std::path::{Path, PathBuf};

use regrant_crypto::{Entropy, KeyRing, random};
use regrant_grant::{Realm, RecoverPublic, Recovery};
use regrant_protocol::{EpochNumber, Kid, Timestamp};
use regrant_store::{AnnouncedKey, Epoch, JournalMisfit, JournalSpan, Reached, Standing};

use crate::mark::{self, Marked};
use crate::{DataDirectory, RestoreError, STORE_FILE};

/// The longest time for which a restored store may take tokens of the epoch before: 30 days.
pub const RECOVERY_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

/// What becomes of the tokens that were issued before a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestorePolicy {
    /// All of them are dead.
    Strict,
    /// Those of senders that prove themselves are taken for a time.
    Recover {
        /// How long, in seconds, at most [`RECOVERY_SECONDS_MAX`].
        seconds: u32,
        /// What becomes of the others.
        public: RecoverPublic,
    },
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The epoch that begins.
    pub epoch: EpochNumber,
    /// How many records of the journal were done again.
    pub replayed: u64,
    /// Until when tokens of the epoch before are taken; `None` when they are dead.
    pub recovers_until: Option<Timestamp>,
    /// What was in place before, kept under this name; `None` when there was nothing.
    pub replaced: Option<PathBuf>,
}

/// The epoch that begins, and how far the store has come with it.
pub(crate) struct Begun {
    pub(crate) epoch: Epoch,
    pub(crate) reached: Reached,
}

impl Begun {
    /// The epoch after every one that the restored store, or what is outside it, knows of.
    pub(crate) fn after(
        restored: &Standing,
        outside: &[Option<Reached>],
        policy: RestorePolicy,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, RestoreError> {
        let former = restored.identity.epoch().number;
        let own = Reached { counter: restored.high_water.counter, epoch: former };
        let seen = || outside.iter().flatten().chain([&own]);
        let highest = seen().map(|reached| reached.epoch.0).max().unwrap_or(former.0);
        let number = EpochNumber(highest.checked_add(1).ok_or(RestoreError::NoEpochLeft)?);
        let counter = seen().map(|reached| reached.counter).max().unwrap_or_default().saturating_add(1);
        let recovery = match policy {
            RestorePolicy::Strict => None,
            RestorePolicy::Recover { seconds, public } => {
                let until = now.plus_seconds(i64::from(seconds.min(RECOVERY_SECONDS_MAX)));
                Some(Recovery { former, until, public })
            }
        };
        let epoch = Epoch { number, random: random(entropy), recovery };
        Ok(Self { epoch, reached: Reached { counter, epoch: number } })
    }
}

impl DataDirectory {
    /// What the mark says of a store of this realm; `None` when there is no mark. Mark and directory have to be of that store.
    pub(crate) fn marked(&self, mark: &Path, realm: Realm) -> Result<Option<Marked>, RestoreError> {
        let marked = mark::read(mark)?;
        if marked.is_some_and(|marked| marked.realm != realm) {
            return Err(RestoreError::AnotherStore(mark.to_owned()));
        }
        if Self::known_store(self.path())?.is_some_and(|known| known.realm != realm) {
            return Err(RestoreError::AnotherStore(self.path().join(STORE_FILE)));
        }
        Ok(marked)
    }
}

/// After which record a journal is replayed on a store that has the records up to `known`, and of which the mark says that it had
/// those up to `marked`.
pub(crate) fn replay_after(
    journal: Option<JournalSpan>,
    known: u64,
    marked: u64,
    gives_up: bool,
) -> Result<u64, RestoreError> {
    let Some(span) = journal else {
        let has_none = known.max(marked) == 0;
        return if has_none || gives_up { Ok(known) } else { Err(RestoreError::JournalNotNamed) };
    };
    let JournalSpan { begins_after, last, .. } = span;
    match span.fit(known) {
        Err(JournalMisfit::EndsBefore) => Err(RestoreError::JournalBehind { last, known }),
        Err(JournalMisfit::BeginsAfter) if gives_up => Ok(begins_after),
        Err(JournalMisfit::BeginsAfter) => Err(RestoreError::JournalGap { begins_after, known }),
        Ok(()) if last < marked && !gives_up => Err(RestoreError::JournalBehindMark { last, marked }),
        Ok(()) => Ok(known),
    }
}

/// The key file is of another store, or lacks this key.
pub(crate) struct AnotherKey(pub(crate) Kid);

/// Checks that the key file belongs to the copy. Keys that were retired since are gone from it, and so are their tokens.
pub(crate) fn check_keys(announced: &[AnnouncedKey], ring: &KeyRing) -> Result<(), AnotherKey> {
    for AnnouncedKey { kid, check_value } in announced {
        let is_retired = *kid < ring.oldest().0;
        if !is_retired && ring.check_value(*kid) != Some(*check_value) {
            return Err(AnotherKey(*kid));
        }
    }
    Ok(())
}

/// What the store is told of the keys in the key file, oldest first.
pub(crate) fn master_keys(ring: &KeyRing) -> Vec<AnnouncedKey> {
    let told = |kid| Some(AnnouncedKey { kid, check_value: ring.check_value(kid)? });
    ring.iter().filter_map(|(kid, _)| told(kid)).collect()
}
