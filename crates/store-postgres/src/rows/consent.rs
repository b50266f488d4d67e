use regrant_protocol::{ClientId, Scope, Subject};
use regrant_store::stored::resources;
use regrant_store::{ChangeError, Consent, StoreError};
use tokio_postgres::Row;

use super::user;
use crate::columns::Columns;
use crate::connection::Value;
use crate::statements::consent::{
    DELETE_CONSENT, DELETE_CONSENTS_OF_USER, DELETE_CONSENTS_TO_CLIENT, KEEP_CONSENT, SELECT_CONSENT,
};
use crate::transaction::Transaction;

/// What this user allowed this client.
pub(crate) async fn find(
    transaction: &Transaction,
    user: &Subject,
    client: &ClientId,
) -> Result<Option<Consent>, StoreError> {
    transaction.one(SELECT_CONSENT, &[&user.as_str(), &client.as_str()], read).await
}

/// Remembers a consent in place of the one before.
pub(crate) async fn keep(transaction: &Transaction, consent: &Consent) -> Result<(), ChangeError> {
    let Consent { user, client, scope, resources, given_at } = consent;
    let resources = resources::to_text(resources);
    let values: [Value<'_>; 5] =
        [&user.as_str(), &client.as_str(), &scope.as_str(), &resources, &given_at.milliseconds()];
    match transaction.execute(KEEP_CONSENT, &values).await? {
        1 => Ok(()),
        _ if user::lock(transaction, user).await? => Err(ChangeError::Unknown(client.as_str().to_owned())),
        _ => Err(ChangeError::Unknown(user.as_str().to_owned())),
    }
}

/// Forgets what this user allowed this client, or every client.
pub(crate) async fn forget(
    transaction: &Transaction,
    user: &Subject,
    client: Option<&ClientId>,
) -> Result<(), StoreError> {
    match client {
        Some(client) => transaction.execute(DELETE_CONSENT, &[&user.as_str(), &client.as_str()]).await.map(drop),
        None => transaction.execute(DELETE_CONSENTS_OF_USER, &[&user.as_str()]).await.map(drop),
    }
}

/// Forgets what users allowed a client that is removed.
pub(crate) async fn forget_client(transaction: &Transaction, client: &ClientId) -> Result<(), StoreError> {
    transaction.execute(DELETE_CONSENTS_TO_CLIENT, &[&client.as_str()]).await.map(drop)
}

fn read(row: &Row) -> Result<Consent, StoreError> {
    let mut columns = Columns::new(row, "consents", &"of unreadable user");
    let user = columns.next_as("user", Subject::parse)?;
    columns.enter("consents", &user);
    Ok(Consent {
        client: columns.next_as("client", ClientId::parse)?,
        scope: columns.next_as("scope", Scope::parse)?,
        resources: columns.next_as("resources", resources::from_text)?,
        given_at: columns.time("given_at")?,
        user: user.clone(),
    })
}
