use super::document::Document;
use crate::record::{ForeignScope, Record};
use crate::table::{ColumnFault, Row};

/// A scope; none is granted to those who ask for nothing.
pub(super) fn scope(row: &Row<'_>, document: &Document) -> Result<Record, ColumnFault> {
    let name = document.text("name").map_or_else(|| row.key(), Ok)?.to_owned();
    let description = document.text("description").map(ToOwned::to_owned);
    Ok(Record::Scope(ForeignScope { origin: row.origin.clone(), name, description, is_default: false }))
}
