use regrant_protocol::{ClientId, Secret};

use crate::reader::Context;
use crate::record::{ForeignClient, ForeignLifetimes, ForeignRotation, ForeignSecret, GrantTypes, Record};
use crate::redirect_uris::redirect_uris;
use crate::scope_text::lenient_scope;
use crate::table::{ColumnFault, Row, TableSpec};

pub(super) static BSHAFFER_CLIENTS: TableSpec = clients(&["oauth_clients"]);
pub(super) static REDCORE_CLIENTS: TableSpec = clients(&["redcore_oauth_clients"]);

const fn clients(names: &'static [&'static str]) -> TableSpec {
    TableSpec {
        names,
        key: "client_id",
        key_is_unique: true,
        key_is_token: false,
        required: &["client_secret", "redirect_uri", "grant_types", "scope"],
        optional: &[],
        looked_up_by: &[],
    }
}

/// A client, whose columns mean more than they say: NULL in `grant_types` and `scope` is "all", an empty `grant_types`
/// "none", and a secret that is NULL or empty makes it public.
pub(super) fn client(row: &Row<'_>, _: &Context) -> Result<Record, ColumnFault> {
    let id = row.required("client_id")?;
    let id = ClientId::parse(id).map_err(|error| {
        ColumnFault::new("client_id", format!("{error}"), "give the client another id at both ends, or leave it behind")
    })?;
    let secret = match row.text("client_secret")? {
        None | Some("") => ForeignSecret::None,
        Some(secret) => ForeignSecret::Plain(Secret::new(secret.to_owned())),
    };
    let grant_types = match row.text("grant_types")? {
        None => GrantTypes::All,
        Some(names) => GrantTypes::Listed(names.split_whitespace().map(ToOwned::to_owned).collect()),
    };
    let scope = row.text("scope")?.map(lenient_scope).transpose().map_err(|error| {
        ColumnFault::new("scope", error.to_string(), "correct the client's scope in the old database")
    })?;
    let (redirect_uris, refused_redirect_uris) = redirect_uris(row.text("redirect_uri")?.unwrap_or_default());
    Ok(Record::Client(Box::new(ForeignClient {
        origin: row.origin.clone(),
        id,
        is_public: secret == ForeignSecret::None,
        secret,
        other_secret: ForeignSecret::None,
        auth_method: None,
        is_disabled: false,
        name: None,
        redirect_uris,
        refused_redirect_uris,
        grant_types,
        scope,
        lifetimes: ForeignLifetimes::default(),
        rotation: ForeignRotation::default(),
        remarks: Vec::new(),
    })))
}
