use std::fmt::Display;

use regrant_grant::Party;
use regrant_store::stored::user_status;
use regrant_store::{StoreError, UserStatus};

use crate::columns::Columns;

/// A client or a user, as far as steps ask: also one that was removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartyRow {
    pub(crate) key: i32,
    /// Every change raises it.
    pub(crate) version: i64,
    /// What the rule needs to know; `None` when it was removed.
    pub(crate) party: Option<Party>,
}

impl PartyRow {
    /// Reads a client; `None` where the row has none.
    pub(crate) fn client<'a>(columns: &mut Columns<'a>, id: &'a dyn Display) -> Result<Option<Self>, StoreError> {
        columns.enter("clients", id);
        Self::read(columns, |columns| columns.next("enabled"))
    }

    /// Reads a user; `None` where the row has none.
    pub(crate) fn user<'a>(columns: &mut Columns<'a>, subject: &'a dyn Display) -> Result<Option<Self>, StoreError> {
        columns.enter("users", subject);
        Self::read(columns, |columns| {
            columns.next_as("status", |stored: Option<&str>| {
                stored.map(|text| user_status::from_text(text).map(|status| status == UserStatus::Active)).transpose()
            })
        })
    }

    fn read(
        columns: &mut Columns<'_>,
        read_enabled: impl FnOnce(&mut Columns<'_>) -> Result<Option<bool>, StoreError>,
    ) -> Result<Option<Self>, StoreError> {
        let key: Option<i32> = columns.next("key")?;
        let enabled = read_enabled(columns)?;
        let cutoff: Option<i32> = columns.next("cutoff")?;
        let version = columns.next_as("version", |stored: Option<i64>| {
            stored.map_or(Ok(None), |stored| u64::try_from(stored).map(|version| Some((stored, version))))
        })?;
        let is_removed = columns.optional_time("removed_at")?.is_some();
        let (Some(key), Some(enabled), Some(cutoff), Some((stored, version))) = (key, enabled, cutoff, version) else {
            return Ok(None);
        };
        let party = Party { enabled, cutoff: cutoff.cast_unsigned(), version };
        Ok(Some(Self { key, version: stored, party: (!is_removed).then_some(party) }))
    }
}
