use regrant_grant::SessionId;
use regrant_protocol::Subject;
use regrant_store::{ChangeError, Ending, LIVE_SESSIONS_MAX, Session, StoreError};
use tokio_postgres::Row;

use super::user;
use crate::columns::Columns;
use crate::connection::Value;
use crate::id_bytes::IdBytes;
use crate::statements::session::{
    DELETE_SESSIONS_OF_USER, END_OLDEST_SESSIONS, END_SESSION, END_SESSIONS_OF_USER, KEEP_SESSION, SELECT_SESSION,
};
use crate::transaction::Transaction;

/// The session of this name.
pub(crate) async fn find(transaction: &Transaction, id: SessionId) -> Result<Option<Session>, StoreError> {
    transaction.one(SELECT_SESSION, &[&IdBytes(id.0)], read).await
}

/// Adds a session, or replaces the one of this name, which must be of the same user and have not ended.
pub(crate) async fn keep(transaction: &Transaction, session: &Session) -> Result<(), ChangeError> {
    let Session { id, secret_digest, user, created_at, authenticated_at, expires_at } = session;
    if !user::lock(transaction, user).await? {
        return Err(ChangeError::Unknown(user.as_str().to_owned()));
    }
    let now = transaction.now().milliseconds();
    let [created_at, authenticated_at, expires_at] =
        [created_at, authenticated_at, expires_at].map(|time| time.milliseconds());
    let values: [Value<'_>; 7] =
        [&IdBytes(id.0), &&secret_digest[..], &user.as_str(), &created_at, &authenticated_at, &expires_at, &now];
    match transaction.execute(KEEP_SESSION, &values).await? {
        1 => end_oldest(transaction, session).await,
        _ => Err(ChangeError::Taken(id.to_string())),
    }
}

/// Ends what makes the sessions of a user more than there may be, now that there is this one.
async fn end_oldest(transaction: &Transaction, newest: &Session) -> Result<(), ChangeError> {
    let (now, count_max) = (transaction.now().milliseconds(), i64::from(LIVE_SESSIONS_MAX));
    let values: [Value<'_>; 4] = [&IdBytes(newest.id.0), &newest.user.as_str(), &now, &count_max];
    let read = |row: &Row| Columns::new(row, "sessions", &newest.user).id("id").map(SessionId);
    let ended = transaction.all(END_OLDEST_SESSIONS, &values, read).await?;
    if !ended.is_empty() {
        tracing::info!(user = %newest.user, sessions = ended.len(), "ended to make room");
    }
    for id in ended {
        transaction.ended(Ending::Session { id, at: transaction.now() });
    }
    Ok(())
}

/// Ends a session now.
pub(crate) async fn end(transaction: &Transaction, id: SessionId) -> Result<(), StoreError> {
    let at = transaction.now();
    if transaction.execute(END_SESSION, &[&IdBytes(id.0), &at.milliseconds()]).await? > 0 {
        transaction.ended(Ending::Session { id, at });
    }
    Ok(())
}

/// Ends the sessions of `user` now, but for one.
pub(crate) async fn end_all(
    transaction: &Transaction,
    user: &Subject,
    except: Option<SessionId>,
) -> Result<(), StoreError> {
    let (at, kept) = (transaction.now(), except.map(|id| IdBytes(id.0)));
    if transaction.execute(END_SESSIONS_OF_USER, &[&user.as_str(), &at.milliseconds(), &kept]).await? > 0 {
        transaction.ended(Ending::SessionsOfUser { user: user.clone(), except, at });
    }
    Ok(())
}

/// Takes out every session of a user who is removed.
pub(crate) async fn remove_all(transaction: &Transaction, user: &Subject) -> Result<(), StoreError> {
    transaction.execute(DELETE_SESSIONS_OF_USER, &[&user.as_str()]).await.map(drop)
}

fn read(row: &Row) -> Result<Session, StoreError> {
    let mut columns = Columns::new(row, "sessions", &"of unreadable name");
    let id = columns.id("id").map(SessionId)?;
    columns.enter("sessions", &id);
    Ok(Session {
        id,
        secret_digest: columns.bytes("secret_digest")?,
        user: columns.next_as("user", Subject::parse)?,
        created_at: columns.time("created_at")?,
        authenticated_at: columns.time("authenticated_at")?,
        expires_at: columns.time("expires_at")?,
    })
}
