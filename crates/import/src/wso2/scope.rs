use crate::reader::Context;
use crate::record::{ForeignScope, Record};
use crate::table::{ColumnFault, Row, TableSpec};

pub(super) static SCOPES: TableSpec = TableSpec {
    names: &["IDN_OAUTH2_SCOPE"],
    key: "SCOPE_ID",
    key_is_unique: true,
    key_is_token: false,
    required: &["NAME"],
    optional: &["DISPLAY_NAME", "DESCRIPTION"],
    looked_up_by: &[],
};

/// A scope that some application declared; none is granted to those who ask for nothing.
pub(super) fn scope(row: &Row<'_>, _: &Context) -> Result<Record, ColumnFault> {
    let description = row.text("DESCRIPTION")?.or(row.text("DISPLAY_NAME")?).filter(|text| !text.is_empty());
    Ok(Record::Scope(ForeignScope {
        origin: row.origin.clone(),
        name: row.required("NAME")?.to_owned(),
        description: description.map(ToOwned::to_owned),
        is_default: false,
    }))
}
