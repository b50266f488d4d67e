use regrant_protocol::{ClientId, Scope, Subject};
use regrant_store::stored::resources;
use regrant_store::{ChangeError, Consent, StoreError};
use rusqlite::{Row, params};

use super::user;
use crate::columns::Columns;
use crate::statements::consent::{
    DELETE_CONSENT, DELETE_CONSENTS_OF_USER, DELETE_CONSENTS_TO_CLIENT, KEEP_CONSENT, SELECT_CONSENT,
};
use crate::transaction::Transaction;

const TABLE: &str = "consents";

/// What this user allowed this client.
pub(crate) fn find(
    transaction: &Transaction<'_>,
    user: &Subject,
    client: &ClientId,
) -> Result<Option<Consent>, StoreError> {
    transaction.one(SELECT_CONSENT, [user.as_str(), client.as_str()], read)
}

/// Remembers a consent in place of the one before.
pub(crate) fn keep(transaction: &Transaction<'_>, consent: &Consent) -> Result<(), ChangeError> {
    let Consent { user, client, scope, resources, given_at } = consent;
    let resources = resources::to_text(resources);
    let kept = transaction.execute(
        KEEP_CONSENT,
        params![user.as_str(), client.as_str(), scope.as_str(), resources, given_at.milliseconds()],
    )?;
    match kept {
        1 => Ok(()),
        _ if user::find_party(transaction, user)?.is_some() => Err(ChangeError::Unknown(client.as_str().to_owned())),
        _ => Err(ChangeError::Unknown(user.as_str().to_owned())),
    }
}

/// Forgets what this user allowed this client, or every client.
pub(crate) fn forget(
    transaction: &Transaction<'_>,
    user: &Subject,
    client: Option<&ClientId>,
) -> Result<(), StoreError> {
    match client {
        Some(client) => transaction.execute(DELETE_CONSENT, [user.as_str(), client.as_str()])?,
        None => transaction.execute(DELETE_CONSENTS_OF_USER, [user.as_str()])?,
    };
    Ok(())
}

/// Forgets what users allowed a client that is removed.
pub(crate) fn forget_client(transaction: &Transaction<'_>, client: &ClientId) -> Result<(), StoreError> {
    transaction.execute(DELETE_CONSENTS_TO_CLIENT, [client.as_str()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Consent, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"of unreadable user");
    let user = columns.next_as("user", |text: String| Subject::parse(&text))?;
    columns.enter(TABLE, &user);
    Ok(Consent {
        client: columns.next_as("client", |text: String| ClientId::parse(&text))?,
        scope: columns.next_as("scope", |text: String| Scope::parse(&text))?,
        resources: columns.next_as("resources", resources::from_text)?,
        given_at: columns.time("given_at")?,
        user: user.clone(),
    })
}
