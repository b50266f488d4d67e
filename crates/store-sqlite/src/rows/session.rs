use regrant_grant::{Grant, SessionId};
use regrant_protocol::{Subject, Timestamp};
use regrant_store::{ChangeError, Ending, LIVE_SESSIONS_MAX, Session, StoreError};
use rusqlite::{Row, named_params, params};

use super::user;
use crate::columns::Columns;
use crate::statements::session::{
    DELETE_SESSIONS_OF_USER, END_OLDEST_SESSIONS, END_SESSION, END_SESSIONS_OF_USER, KEEP_SESSION, SELECT_SESSION,
    SELECT_SESSION_END,
};
use crate::transaction::Transaction;

const TABLE: &str = "sessions";

/// The session of this name.
pub(crate) fn find(transaction: &Transaction<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    transaction.one(SELECT_SESSION, [&id.0], read)
}

/// When the session of this name ends, if it is one of `user`.
pub(crate) fn find_end(
    transaction: &Transaction<'_>,
    id: SessionId,
    user: &Subject,
) -> Result<Option<Timestamp>, StoreError> {
    transaction
        .one(SELECT_SESSION_END, params![id.0, user.as_str()], |row| Columns::new(row, TABLE, &id).time("expires_at"))
}

/// When the session of a grant ends, if it is in one.
pub(crate) fn find_end_for(transaction: &Transaction<'_>, grant: &Grant) -> Result<Option<Timestamp>, StoreError> {
    grant.session.map_or(Ok(None), |id| find_end(transaction, id, &grant.subject))
}

/// Adds a session, or replaces the one of this name, which must be of the same user and have not ended.
pub(crate) fn keep(transaction: &Transaction<'_>, session: &Session) -> Result<(), ChangeError> {
    let Session { id, secret_digest, user, created_at, authenticated_at, expires_at } = session;
    let kept = transaction.execute(
        KEEP_SESSION,
        named_params! {
            ":id": id.0,
            ":secret_digest": secret_digest,
            ":user": user.as_str(),
            ":created_at": created_at.milliseconds(),
            ":authenticated_at": authenticated_at.milliseconds(),
            ":expires_at": expires_at.milliseconds(),
            ":now": transaction.now().milliseconds(),
        },
    )?;
    match kept {
        1 => end_oldest(transaction, session),
        _ if user::find_party(transaction, user)?.is_some() => Err(ChangeError::Taken(id.to_string())),
        _ => Err(ChangeError::Unknown(user.as_str().to_owned())),
    }
}

/// Ends what makes the sessions of a user more than there may be, now that there is this one.
fn end_oldest(transaction: &Transaction<'_>, newest: &Session) -> Result<(), ChangeError> {
    let ended = transaction.all(
        END_OLDEST_SESSIONS,
        named_params! {
            ":id": newest.id.0,
            ":user": newest.user.as_str(),
            ":count_max": LIVE_SESSIONS_MAX,
            ":now": transaction.now().milliseconds(),
        },
        |row| Columns::new(row, TABLE, &newest.user).next("id").map(SessionId),
    )?;
    if !ended.is_empty() {
        tracing::info!(user = %newest.user, sessions = ended.len(), "ended to make room");
    }
    for id in ended {
        transaction.ended(Ending::Session { id, at: transaction.now() });
    }
    Ok(())
}

/// Ends a session now.
pub(crate) fn end(transaction: &Transaction<'_>, id: SessionId) -> Result<(), StoreError> {
    let at = transaction.now();
    if transaction.execute(END_SESSION, params![id.0, at.milliseconds()])? > 0 {
        transaction.ended(Ending::Session { id, at });
    }
    Ok(())
}

/// Ends the sessions of `user` now, but for one.
pub(crate) fn end_all(
    transaction: &Transaction<'_>,
    user: &Subject,
    except: Option<SessionId>,
) -> Result<(), StoreError> {
    let (at, kept) = (transaction.now(), except.map(|id| id.0));
    if transaction.execute(END_SESSIONS_OF_USER, params![user.as_str(), at.milliseconds(), kept])? > 0 {
        transaction.ended(Ending::SessionsOfUser { user: user.clone(), except, at });
    }
    Ok(())
}

/// Takes out every session of a user who is removed.
pub(crate) fn remove_all(transaction: &Transaction<'_>, user: &Subject) -> Result<(), StoreError> {
    transaction.execute(DELETE_SESSIONS_OF_USER, [user.as_str()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Session, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"of unreadable name");
    let id = columns.next("id").map(SessionId)?;
    columns.enter(TABLE, &id);
    Ok(Session {
        id,
        secret_digest: columns.next("secret_digest")?,
        user: columns.next_as("user", |text: String| Subject::parse(&text))?,
        created_at: columns.time("created_at")?,
        authenticated_at: columns.time("authenticated_at")?,
        expires_at: columns.time("expires_at")?,
    })
}
