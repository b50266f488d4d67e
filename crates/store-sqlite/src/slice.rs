use regrant_store::{SLICE_ROWS_MAX, StoreError};
use rusqlite::params;

use crate::columns::Columns;
use crate::statements::grant::SELECT_GRANTS_SLICE_END;
use crate::transaction::Transaction;

/// A key that no row's key comes after.
const LAST_KEY: [u8; 17] = [0xFF; 17];

/// As many rows as a caller may have.
pub(crate) fn rows_max(asked_for: u32) -> u32 {
    asked_for.clamp(1, SLICE_ROWS_MAX)
}

/// Some rows of the table of grants, in the order of their ids.
pub(crate) struct Slice {
    /// It begins after this id.
    pub(crate) after: Vec<u8>,
    /// It ends with this id; `None` when it holds all that follow.
    end: Option<Vec<u8>>,
}

impl Slice {
    /// The next rows after an id.
    pub(crate) fn of_grants(transaction: &Transaction<'_>, after: &[u8], rows_max: u32) -> Result<Self, StoreError> {
        let end = transaction.one(SELECT_GRANTS_SLICE_END, params![after, rows_max], |row| {
            Columns::new(row, "grants", &"of unreadable name").next("id")
        })?;
        Ok(Self { after: after.to_owned(), end })
    }

    /// The last id that may be in it.
    pub(crate) fn last(&self) -> &[u8] {
        self.end.as_deref().unwrap_or(&LAST_KEY)
    }

    /// Where the next slice begins; `None` when there is none.
    pub(crate) fn into_end(self) -> Option<Vec<u8>> {
        self.end
    }
}
