use std::collections::BTreeMap;

use regrant_protocol::{Profile, Secret};

use crate::ReadError;
use crate::database::Database;
use crate::record::{ForeignPassword, ForeignUser, Record};
use crate::table::{ColumnFault, Pages, Row, Table, TableSpec};

pub(super) static USERS: TableSpec = TableSpec {
    names: &["UM_USER"],
    key: "UM_ID",
    key_is_unique: false,
    key_is_token: false,
    required: &["UM_USER_NAME", "UM_USER_PASSWORD", "UM_SALT_VALUE", "UM_TENANT_ID"],
    optional: &["UM_USER_ID"],
    looked_up_by: &["UM_USER_NAME"],
};

pub(super) static TENANTS: TableSpec = TableSpec {
    names: &["UM_TENANT"],
    key: "UM_ID",
    key_is_unique: true,
    key_is_token: false,
    required: &["UM_DOMAIN_NAME"],
    optional: &[],
    looked_up_by: &[],
};

/// The tenant that every installation has.
const SUPER_TENANT: &str = "-1234";
/// The store in which users are unless their name says otherwise.
const PRIMARY_STORE: &str = "PRIMARY";

/// A user of the primary store.
pub(super) fn user(row: &Row<'_>, tenants: &BTreeMap<String, String>) -> Result<Record, ColumnFault> {
    let name = row.required("UM_USER_NAME")?;
    let subject = qualified(name, None, row.required("UM_TENANT_ID")?, tenants);
    Ok(Record::User(Box::new(ForeignUser {
        origin: row.origin.clone(),
        username: subject.clone(),
        subject,
        password: password(row).unwrap_or_else(Into::into),
        profile: Profile { preferred_username: Some(name.to_owned()), ..Profile::default() },
        is_disabled: false,
        remarks: Vec::new(),
    })))
}

fn password(row: &Row<'_>) -> Result<ForeignPassword, ColumnFault> {
    let Some(hash) = row.text("UM_USER_PASSWORD")?.filter(|hash| !hash.is_empty()) else {
        return Ok(ForeignPassword::None);
    };
    let salt = row.text("UM_SALT_VALUE")?.unwrap_or_default();
    let [hash, salt] = [hash, salt].map(|part| Secret::new(part.to_owned()));
    Ok(ForeignPassword::Wso2 { hash, salt })
}

/// The one name of a user in all stores and tenants, as WSO2 writes it: `STORE/name@tenant`, without what is usual.
pub(super) fn qualified(name: &str, store: Option<&str>, tenant: &str, tenants: &BTreeMap<String, String>) -> String {
    let store = store.filter(|store| !store.is_empty() && !store.eq_ignore_ascii_case(PRIMARY_STORE));
    let name = match store {
        Some(store) if !name.contains('/') => format!("{store}/{name}"),
        _ => name.to_owned(),
    };
    match tenants.get(tenant) {
        _ if tenant == SUPER_TENANT => name,
        Some(domain) => format!("{name}@{domain}"),
        None => format!("{name}@tenant-{tenant}"),
    }
}

/// The domains of the tenants, by number.
///
/// # Errors
/// When the table cannot be read.
pub(super) async fn tenants(table: &Table, database: &mut Database) -> Result<BTreeMap<String, String>, ReadError> {
    let mut tenants = BTreeMap::new();
    let mut pages = Pages::default();
    while tenants.len() <= TENANTS_MAX {
        let Some(rows) = pages.next(table, database).await? else { break };
        tenants
            .extend(rows.iter().filter_map(|cells| Some((cells[0].text()?.to_owned(), cells[1].text()?.to_owned()))));
    }
    Ok(tenants)
}

/// The most tenants whose domains are known; users of others are named by their tenant's number.
const TENANTS_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_store_name_and_tenant() {
        let tenants = BTreeMap::from([("1".to_owned(), "example.com".to_owned())]);
        let cases = [
            ("alice", Some("PRIMARY"), "-1234", "alice", "the usual store and tenant"),
            ("alice", None, "-1234", "alice", "no store"),
            ("alice", Some("LDAP"), "-1234", "LDAP/alice", "another store"),
            ("LDAP/alice", Some("LDAP"), "-1234", "LDAP/alice", "a store that is in the name already"),
            ("alice", Some("PRIMARY"), "1", "alice@example.com", "another tenant"),
            ("alice", Some("LDAP"), "2", "LDAP/alice@tenant-2", "a tenant without a name"),
        ];
        for (name, store, tenant, expected, why) in cases {
            assert_eq!(qualified(name, store, tenant, &tenants), expected, "{why}");
        }
    }
}
