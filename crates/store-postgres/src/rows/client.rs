use regrant_grant::{GrantSecret, Party};
use regrant_protocol::ClientId;
use regrant_store::stored::client_settings;
use regrant_store::{ChangeError, Client, ClientChange, ClientHandle, Ending, StoreError};
use tokio_postgres::Row;

use super::shared::count_client_change;
use super::{consent, user};
use crate::columns::{Columns, stored_count};
use crate::connection::Value;
use crate::id_bytes::IdBytes;
use crate::statements::client::{
    INSERT_CLIENT, RAISE_CLIENT_CUTOFF, REMOVE_CLIENT, SELECT_CLIENT, SELECT_CLIENT_WITH_HANDLE, SELECT_CLIENTS,
    UPDATE_CLIENT_ENABLED, UPDATE_CLIENT_SETTINGS,
};
use crate::transaction::Transaction;

/// The client of this name.
pub(crate) async fn find(transaction: &Transaction, id: &ClientId) -> Result<Option<Client>, StoreError> {
    transaction.one(SELECT_CLIENT, &[&id.as_str()], read).await
}

/// The client of this handle.
pub(crate) async fn find_by_handle(
    transaction: &Transaction,
    handle: ClientHandle,
) -> Result<Option<Client>, StoreError> {
    transaction.one(SELECT_CLIENT_WITH_HANDLE, &[&IdBytes(handle.0)], read).await
}

/// Every client, by name.
pub(crate) async fn all(transaction: &Transaction) -> Result<Vec<Client>, StoreError> {
    transaction.all(SELECT_CLIENTS, &[], read).await
}

/// Adds a client whose name no client or user has or had.
pub(crate) async fn add(transaction: &Transaction, client: &Client) -> Result<(), ChangeError> {
    user::claim_name(transaction, client.id.as_str()).await?;
    let Client { id, handle, secret, party, settings } = client;
    let (handle, secret) = (IdBytes(handle.0), IdBytes(*secret.expose()));
    let (cutoff, version) = (party.cutoff.cast_signed(), stored_count(party.version)?);
    let settings = client_settings::to_json(settings);
    let values: [Value<'_>; 7] = [&id.as_str(), &handle, &secret, &party.enabled, &cutoff, &version, &settings];
    match transaction.execute(INSERT_CLIENT, &values).await? {
        1 => Ok(count_client_change(transaction).await?),
        _ => {
            Err(StoreError::Unavailable("another client has its handle; add it again with another one".to_owned())
                .into())
        }
    }
}

/// Changes the client of this name and raises its version.
pub(crate) async fn change(transaction: &Transaction, id: &ClientId, change: &ClientChange) -> Result<(), ChangeError> {
    let name = id.as_str();
    let changed = match change {
        ClientChange::Settings { seen_version, settings } => {
            let values: [Value<'_>; 3] = [&name, &client_settings::to_json(settings), &stored_count(*seen_version)?];
            transaction.execute(UPDATE_CLIENT_SETTINGS, &values).await?
        }
        ClientChange::Enabled(enabled) => transaction.execute(UPDATE_CLIENT_ENABLED, &[&name, enabled]).await?,
        ClientChange::RaiseCutoff => {
            let read = |row: &Row| Columns::new(row, "clients", &name).bits("cutoff");
            let raised = transaction.one(RAISE_CLIENT_CUTOFF, &[&name], read).await?;
            if let Some(cutoff) = raised {
                transaction.ended(Ending::ClientCutoff { client: id.clone(), cutoff });
            }
            u64::from(raised.is_some())
        }
        ClientChange::Remove => {
            let now = transaction.now().milliseconds();
            let removed = transaction.execute(REMOVE_CLIENT, &[&name, &now]).await?;
            // Whoever consented meanwhile is waited for by now.
            consent::forget_client(transaction, id).await?;
            removed
        }
    };
    match changed {
        1 => {
            note(transaction, id, change);
            Ok(count_client_change(transaction).await?)
        }
        _ if find(transaction, id).await?.is_some() => Err(ChangeError::Outdated(name.to_owned())),
        _ => Err(ChangeError::Unknown(name.to_owned())),
    }
}

/// Notes what a change has ended, or switched.
fn note(transaction: &Transaction, id: &ClientId, change: &ClientChange) {
    let client = id.clone();
    match change {
        ClientChange::Enabled(enabled) => transaction.ended(Ending::ClientEnabled { client, enabled: *enabled }),
        ClientChange::Remove => transaction.ended(Ending::ClientRemoved { client, at: transaction.now() }),
        // The cutoff is noted where it is known.
        ClientChange::Settings { .. } | ClientChange::RaiseCutoff => {}
    }
}

fn read(row: &Row) -> Result<Client, StoreError> {
    let mut columns = Columns::new(row, "clients", &"of unreadable name");
    let id = columns.next_as("id", ClientId::parse)?;
    columns.enter("clients", &id);
    Ok(Client {
        handle: columns.id("handle").map(ClientHandle)?,
        secret: columns.id("secret").map(GrantSecret::new)?,
        party: Party {
            enabled: columns.next("enabled")?,
            cutoff: columns.bits("cutoff")?,
            version: columns.count("version")?,
        },
        settings: columns.next_as("settings", client_settings::from_json)?,
        id: id.clone(),
    })
}
