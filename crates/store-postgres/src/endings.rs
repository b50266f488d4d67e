use regrant_store::stored::user_status;
use regrant_store::{Ending, StoreError};

use crate::id_bytes::IdBytes;
use crate::rows::{consent, key, session};
use crate::statements::client::{REMOVE_CLIENT, UPDATE_CLIENT_ENABLED};
use crate::statements::journal::{END_GRANT, LIFT_CLIENT_CUTOFF, LIFT_USER_CUTOFF};
use crate::statements::key::WITHDRAW_SIGNING_KEY;
use crate::statements::session::{END_SESSION, END_SESSIONS_OF_USER};
use crate::statements::user::{REMOVE_USER, UPDATE_USER_STATUS};
use crate::transaction::Transaction;
use crate::write;

/// Does again what a journal says was done. What is done already, or is about something that is not here, changes nothing.
pub(crate) async fn apply(transaction: &Transaction, ending: &Ending) -> Result<(), StoreError> {
    match ending {
        Ending::Grant { id, at } => transaction.execute(END_GRANT, &[&IdBytes(id.0), &at.milliseconds()]).await,
        Ending::Session { id, at } => transaction.execute(END_SESSION, &[&IdBytes(id.0), &at.milliseconds()]).await,
        Ending::SessionsOfUser { user, except, at } => {
            let except = except.map(|id| IdBytes(id.0));
            transaction.execute(END_SESSIONS_OF_USER, &[&user.as_str(), &at.milliseconds(), &except]).await
        }
        Ending::AccessToken { id, until } => return write::list_access_tokens(transaction, &[(*id, *until)]).await,
        Ending::ClientCutoff { client, cutoff } => {
            let (stored, wanted) = (cutoff.cast_signed(), i64::from(*cutoff));
            transaction.execute(LIFT_CLIENT_CUTOFF, &[&client.as_str(), &stored, &wanted]).await
        }
        Ending::ClientEnabled { client, enabled } => {
            transaction.execute(UPDATE_CLIENT_ENABLED, &[&client.as_str(), enabled]).await
        }
        Ending::ClientRemoved { client, at } => {
            consent::forget_client(transaction, client).await?;
            transaction.execute(REMOVE_CLIENT, &[&client.as_str(), &at.milliseconds()]).await
        }
        Ending::UserCutoff { user, cutoff } => {
            let (stored, wanted) = (cutoff.cast_signed(), i64::from(*cutoff));
            transaction.execute(LIFT_USER_CUTOFF, &[&user.as_str(), &stored, &wanted]).await
        }
        Ending::UserStatus { user, status } => {
            transaction.execute(UPDATE_USER_STATUS, &[&user.as_str(), &user_status::to_text(*status)]).await
        }
        Ending::UserRemoved { user, at } => {
            session::remove_all(transaction, user).await?;
            consent::forget(transaction, user, None).await?;
            transaction.execute(REMOVE_USER, &[&user.as_str(), &at.milliseconds()]).await
        }
        Ending::MasterKeysRetired { oldest } => return key::forget_below(transaction, *oldest).await,
        Ending::SigningKeyWithdrawn { key_id, at } => {
            transaction.execute(WITHDRAW_SIGNING_KEY, &[key_id, &at.milliseconds()]).await
        }
        Ending::Epoch { .. } => Ok(0),
    }
    .map(drop)
}
