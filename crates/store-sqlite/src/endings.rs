use regrant_protocol::Timestamp;
use regrant_store::stored::user_status;
use regrant_store::{Ending, StoreError};
use rusqlite::params;

use crate::rows::{consent, key, listed_access_token, session};
use crate::statements::client::{REMOVE_CLIENT, UPDATE_CLIENT_ENABLED};
use crate::statements::high_water::{END_GRANT, LIFT_CLIENT_CUTOFF, LIFT_USER_CUTOFF};
use crate::statements::session::{END_SESSION, END_SESSIONS_OF_USER};
use crate::statements::user::{REMOVE_USER, UPDATE_USER_STATUS};
use crate::transaction::Transaction;

/// Does again what a journal says was done. What is done already, or is about something that is not here, changes nothing.
pub(crate) fn apply(transaction: &Transaction<'_>, ending: &Ending) -> Result<(), StoreError> {
    let milliseconds = |at: &Timestamp| at.milliseconds();
    match ending {
        Ending::Grant { id, at } => transaction.execute(END_GRANT, params![id.0, milliseconds(at)]),
        Ending::Session { id, at } => transaction.execute(END_SESSION, params![id.0, milliseconds(at)]),
        Ending::SessionsOfUser { user, except, at } => {
            let except = except.map(|id| id.0);
            transaction.execute(END_SESSIONS_OF_USER, params![user.as_str(), milliseconds(at), except])
        }
        Ending::AccessToken { id, until } => return listed_access_token::insert(transaction, id, *until),
        Ending::ClientCutoff { client, cutoff } => {
            transaction.execute(LIFT_CLIENT_CUTOFF, params![client.as_str(), cutoff])
        }
        Ending::ClientEnabled { client, enabled } => {
            transaction.execute(UPDATE_CLIENT_ENABLED, params![client.as_str(), enabled])
        }
        Ending::ClientRemoved { client, at } => {
            consent::forget_client(transaction, client)?;
            transaction.execute(REMOVE_CLIENT, params![client.as_str(), milliseconds(at)])
        }
        Ending::UserCutoff { user, cutoff } => transaction.execute(LIFT_USER_CUTOFF, params![user.as_str(), cutoff]),
        Ending::UserStatus { user, status } => {
            transaction.execute(UPDATE_USER_STATUS, params![user.as_str(), user_status::to_text(*status)])
        }
        Ending::UserRemoved { user, at } => {
            session::remove_all(transaction, user)?;
            consent::forget(transaction, user, None)?;
            transaction.execute(REMOVE_USER, params![user.as_str(), milliseconds(at)])
        }
        Ending::MasterKeysRetired { oldest } => return key::forget_below(transaction, *oldest),
        Ending::SigningKeyWithdrawn { key_id, at } => return key::withdraw(transaction, key_id, *at).map(drop),
        Ending::Epoch { .. } => Ok(0),
    }
    .map(drop)
}
