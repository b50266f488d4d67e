use regrant_grant::{GrantSecret, Party};
use regrant_protocol::ClientId;
use regrant_store::stored::client_settings;
use regrant_store::{ChangeError, Client, ClientChange, ClientHandle, Ending, StoreError};
use rusqlite::{Row, params};

use super::{consent, user};
use crate::columns::{Columns, stored_count};
use crate::statements::client::{
    INSERT_CLIENT, RAISE_CLIENT_CUTOFF, REMOVE_CLIENT, SELECT_CLIENT, SELECT_CLIENT_PARTY, SELECT_CLIENT_WITH_HANDLE,
    SELECT_CLIENTS, UPDATE_CLIENT_ENABLED, UPDATE_CLIENT_SETTINGS,
};
use crate::transaction::Transaction;

pub(crate) const TABLE: &str = "clients";

/// The client of this name.
pub(crate) fn find(transaction: &Transaction<'_>, id: &ClientId) -> Result<Option<Client>, StoreError> {
    transaction.one(SELECT_CLIENT, [id.as_str()], read)
}

/// The client of this handle.
pub(crate) fn find_by_handle(
    transaction: &Transaction<'_>,
    handle: ClientHandle,
) -> Result<Option<Client>, StoreError> {
    transaction.one(SELECT_CLIENT_WITH_HANDLE, [&handle.0], read)
}

/// Every client, by name.
pub(crate) fn all(transaction: &Transaction<'_>) -> Result<Vec<Client>, StoreError> {
    transaction.all(SELECT_CLIENTS, [], read)
}

/// What the rule needs to know of the client of this name.
pub(crate) fn find_party(transaction: &Transaction<'_>, id: &ClientId) -> Result<Option<Party>, StoreError> {
    let party =
        transaction.one(SELECT_CLIENT_PARTY, [id.as_str()], |row| read_party(&mut Columns::new(row, TABLE, id)))?;
    Ok(party.flatten())
}

/// Reads what the rule needs to know of a client; `None` when it was removed.
pub(crate) fn read_party(columns: &mut Columns<'_>) -> Result<Option<Party>, StoreError> {
    let party = Party {
        enabled: columns.next("enabled")?,
        cutoff: columns.next("cutoff")?,
        version: columns.count("version")?,
    };
    let is_removed = columns.optional_time("removed_at")?.is_some();
    Ok((!is_removed).then_some(party))
}

/// Adds a client whose name no client or user has or had.
pub(crate) fn add(transaction: &Transaction<'_>, client: &Client) -> Result<(), ChangeError> {
    user::claim_name(transaction, client.id.as_str())?;
    let Client { id, handle, secret, party, settings } = client;
    let settings = client_settings::to_json(settings);
    let version = stored_count(party.version)?;
    transaction.execute(
        INSERT_CLIENT,
        params![id.as_str(), handle.0, secret.expose(), party.enabled, party.cutoff, version, settings],
    )?;
    Ok(())
}

/// Changes the client of this name and raises its version.
pub(crate) fn change(transaction: &Transaction<'_>, id: &ClientId, change: &ClientChange) -> Result<(), ChangeError> {
    let name = id.as_str();
    let changed = match change {
        ClientChange::Settings { seen_version, settings } => {
            let seen_version = stored_count(*seen_version)?;
            transaction.execute(UPDATE_CLIENT_SETTINGS, params![name, client_settings::to_json(settings), seen_version])
        }
        ClientChange::Enabled(enabled) => transaction.execute(UPDATE_CLIENT_ENABLED, params![name, enabled]),
        ClientChange::RaiseCutoff => transaction.execute(RAISE_CLIENT_CUTOFF, [name]),
        ClientChange::Remove => {
            consent::forget_client(transaction, id)?;
            transaction.execute(REMOVE_CLIENT, params![name, transaction.now().milliseconds()])
        }
    };
    match changed? {
        1 => note(transaction, id, change).map_err(Into::into),
        _ if find_party(transaction, id)?.is_some() => Err(ChangeError::Outdated(name.to_owned())),
        _ => Err(ChangeError::Unknown(name.to_owned())),
    }
}

/// Notes for the journal what a change has ended, or switched.
fn note(transaction: &Transaction<'_>, id: &ClientId, change: &ClientChange) -> Result<(), StoreError> {
    let client = id.clone();
    match change {
        ClientChange::Settings { .. } => {}
        ClientChange::Enabled(enabled) => transaction.ended(Ending::ClientEnabled { client, enabled: *enabled }),
        ClientChange::RaiseCutoff => {
            if let Some(Party { cutoff, .. }) = find_party(transaction, id)? {
                transaction.ended(Ending::ClientCutoff { client, cutoff });
            }
        }
        ClientChange::Remove => transaction.ended(Ending::ClientRemoved { client, at: transaction.now() }),
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Client, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"of unreadable name");
    let id = columns.next_as("id", |text: String| ClientId::parse(&text))?;
    columns.enter(TABLE, &id);
    Ok(Client {
        handle: columns.next("handle").map(ClientHandle)?,
        secret: columns.next("secret").map(GrantSecret::new)?,
        party: Party {
            enabled: columns.next("enabled")?,
            cutoff: columns.next("cutoff")?,
            version: columns.count("version")?,
        },
        settings: columns.next_as("settings", |json: String| client_settings::from_json(&json))?,
        id: id.clone(),
    })
}
