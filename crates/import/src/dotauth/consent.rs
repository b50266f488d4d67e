use regrant_protocol::{ClientId, Scope};

use super::document::Document;
use crate::record::{ForeignConsent, Record};
use crate::scope_text::lenient_scope;
use crate::table::{ColumnFault, Row};

/// What a user allowed a client.
pub(super) fn consent(row: &Row<'_>, document: &Document) -> Result<Record, ColumnFault> {
    let missing = |member| ColumnFault::new("data", format!("it has no {member}"), "delete the row");
    let wrong = |error: String| ColumnFault::new("data", error, "delete the row: the user is asked again");
    let client = document.text("clientId").ok_or_else(|| missing("clientId"))?;
    let scope: Scope =
        lenient_scope(&document.texts("grantedScopes").join(" ")).map_err(|error| wrong(error.to_string()))?;
    Ok(Record::Consent(ForeignConsent {
        origin: row.origin.clone(),
        subject: document.text("subject").ok_or_else(|| missing("subject"))?.to_owned(),
        client: ClientId::parse(client).map_err(|error| wrong(format!("clientId: {error}")))?,
        scope,
    }))
}
