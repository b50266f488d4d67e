use regrant_protocol::{Subject, Username};
use regrant_store::stored::{profile, user_status};
use regrant_store::{ChangeError, Credential, Ending, Page, StoreError, User, UserChange};
use tokio_postgres::Row;

use super::{consent, session};
use crate::columns::{Columns, stored_count};
use crate::connection::Value;
use crate::statements::database::LOCK_NAME;
use crate::statements::user::{
    INSERT_USER, LOCK_USER, RAISE_USER_CUTOFF, REHASH_USER_CREDENTIAL, REMOVE_USER, SELECT_NAME, SELECT_USER,
    SELECT_USER_NAMED, SELECT_USERS_PAGE, UPDATE_USER_CREDENTIAL, UPDATE_USER_PROFILE, UPDATE_USER_STATUS,
};
use crate::transaction::Transaction;

/// The user of this subject.
pub(crate) async fn find(transaction: &Transaction, subject: &Subject) -> Result<Option<User>, StoreError> {
    transaction.one(SELECT_USER, &[&subject.as_str()], read).await
}

/// The user who logs in by this name.
pub(crate) async fn find_named(transaction: &Transaction, username: &Username) -> Result<Option<User>, StoreError> {
    transaction.one(SELECT_USER_NAMED, &[&username.as_str()], read).await
}

/// The first users after a login name, in the order of these names.
pub(crate) async fn page(
    transaction: &Transaction,
    after: Option<&Username>,
    count_max: u32,
) -> Result<Page<User, Username>, StoreError> {
    let after = after.map_or("", Username::as_str);
    let items = transaction.all(SELECT_USERS_PAGE, &[&after, &i64::from(count_max)], read).await?;
    let is_full = items.len() == count_max as usize;
    let next = items.last().filter(|_| is_full).map(|last| last.username.clone());
    Ok(Page { items, next })
}

/// Whether there is a user of this subject, who from now on is neither removed nor logged in by anybody else until the end of
/// the transaction.
pub(crate) async fn lock(transaction: &Transaction, subject: &Subject) -> Result<bool, StoreError> {
    Ok(!transaction.rows(LOCK_USER, &[&subject.as_str()]).await?.is_empty())
}

/// Adds a user whose subject no client or user has or had, and by whose name nobody logs in.
pub(crate) async fn add(transaction: &Transaction, user: &User) -> Result<(), ChangeError> {
    claim_name(transaction, user.subject.as_str()).await?;
    let User { subject, username, credential, status, profile, cutoff, version } = user;
    let credential = credential.as_ref().map(Credential::expose);
    let (status, profile) = (user_status::to_text(*status), profile::to_json(profile));
    let (cutoff, version) = (cutoff.cast_signed(), stored_count(*version)?);
    let values: [Value<'_>; 7] =
        [&subject.as_str(), &username.as_str(), &credential, &status, &profile, &cutoff, &version];
    match transaction.execute(INSERT_USER, &values).await? {
        1 => Ok(()),
        _ => Err(ChangeError::Taken(username.as_str().to_owned())),
    }
}

/// Changes the user of this subject and, unless the password is the same, raises the version.
pub(crate) async fn change(
    transaction: &Transaction,
    subject: &Subject,
    change: &UserChange,
) -> Result<(), ChangeError> {
    let name = subject.as_str();
    let changed = match change {
        UserChange::Status(status) => {
            transaction.execute(UPDATE_USER_STATUS, &[&name, &user_status::to_text(*status)]).await?
        }
        UserChange::Password { seen_version, credential } => {
            let seen_version = seen_version.map(stored_count).transpose()?;
            transaction.execute(UPDATE_USER_CREDENTIAL, &[&name, &credential.expose(), &seen_version]).await?
        }
        UserChange::Rehashed { from, to } => {
            transaction.execute(REHASH_USER_CREDENTIAL, &[&name, &from.expose(), &to.expose()]).await?
        }
        UserChange::Profile { seen_version, profile } => {
            let values: [Value<'_>; 3] = [&name, &profile::to_json(profile), &stored_count(*seen_version)?];
            transaction.execute(UPDATE_USER_PROFILE, &values).await?
        }
        UserChange::RaiseCutoff => {
            let read = |row: &Row| Columns::new(row, "users", &name).bits("cutoff");
            let raised = transaction.one(RAISE_USER_CUTOFF, &[&name], read).await?;
            if let Some(cutoff) = raised {
                transaction.ended(Ending::UserCutoff { user: subject.clone(), cutoff });
            }
            u64::from(raised.is_some())
        }
        UserChange::Remove => {
            let now = transaction.now().milliseconds();
            let removed = transaction.execute(REMOVE_USER, &[&name, &now]).await?;
            // Whoever logged in or consented meanwhile is waited for by now.
            session::remove_all(transaction, subject).await?;
            consent::forget(transaction, subject, None).await?;
            removed
        }
    };
    match changed {
        1 => {
            note(transaction, subject, change);
            Ok(())
        }
        _ if find(transaction, subject).await?.is_some() => Err(ChangeError::Outdated(name.to_owned())),
        _ => Err(ChangeError::Unknown(name.to_owned())),
    }
}

/// Notes what a change has ended, or switched.
fn note(transaction: &Transaction, subject: &Subject, change: &UserChange) {
    let user = subject.clone();
    match change {
        UserChange::Status(status) => transaction.ended(Ending::UserStatus { user, status: *status }),
        UserChange::Remove => transaction.ended(Ending::UserRemoved { user, at: transaction.now() }),
        // The cutoff is noted where it is known.
        UserChange::RaiseCutoff
        | UserChange::Password { .. }
        | UserChange::Rehashed { .. }
        | UserChange::Profile { .. } => {}
    }
}

/// Refuses a name that a client or a subject has or had: they are one set of names (RFC 9068 §5). Nobody else can claim it before
/// the end of the transaction.
pub(crate) async fn claim_name(transaction: &Transaction, name: &str) -> Result<(), ChangeError> {
    transaction.rows(LOCK_NAME, &[&name]).await?;
    match transaction.one(SELECT_NAME, &[&name], |_| Ok(())).await? {
        Some(()) => Err(ChangeError::Taken(name.to_owned())),
        None => Ok(()),
    }
}

fn read(row: &Row) -> Result<User, StoreError> {
    let mut columns = Columns::new(row, "users", &"of unreadable subject");
    let subject = columns.next_as("subject", Subject::parse)?;
    columns.enter("users", &subject);
    Ok(User {
        username: columns.next_as("username", Username::parse)?,
        credential: columns.next::<Option<String>>("credential")?.map(Credential::new),
        status: columns.next_as("status", user_status::from_text)?,
        profile: columns.next_as("profile", profile::from_json)?,
        cutoff: columns.bits("cutoff")?,
        version: columns.count("version")?,
        subject: subject.clone(),
    })
}
