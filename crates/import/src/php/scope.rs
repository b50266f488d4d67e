use crate::reader::Context;
use crate::record::{ForeignScope, Record};
use crate::table::{ColumnFault, Row, TableSpec};

pub(super) static BSHAFFER_SCOPES: TableSpec = scopes(&["oauth_scopes"]);
pub(super) static REDCORE_SCOPES: TableSpec = scopes(&["redcore_oauth_scopes"]);

const fn scopes(names: &'static [&'static str]) -> TableSpec {
    TableSpec {
        names,
        key: "scope",
        key_is_unique: false,
        key_is_token: false,
        required: &[],
        optional: &["is_default"],
        looked_up_by: &[],
    }
}

/// A scope that anybody may ask for.
pub(super) fn scope(row: &Row<'_>, _: &Context) -> Result<Record, ColumnFault> {
    Ok(Record::Scope(ForeignScope {
        origin: row.origin.clone(),
        name: row.required("scope")?.to_owned(),
        description: None,
        is_default: row.is_true("is_default")?,
    }))
}
