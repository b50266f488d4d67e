use regrant_grant::Party;
use regrant_protocol::{Subject, Username};
use regrant_store::stored::{profile, user_status};
use regrant_store::{ChangeError, Credential, Ending, Page, StoreError, User, UserChange, UserStatus};
use rusqlite::{Row, params};

use super::{consent, session};
use crate::columns::{Columns, stored_count};
use crate::statements::user::{
    INSERT_USER, RAISE_USER_CUTOFF, REHASH_USER_CREDENTIAL, REMOVE_USER, SELECT_NAME, SELECT_USER, SELECT_USER_NAMED,
    SELECT_USER_PARTY, SELECT_USERS_PAGE, UPDATE_USER_CREDENTIAL, UPDATE_USER_PROFILE, UPDATE_USER_STATUS,
};
use crate::transaction::Transaction;

pub(crate) const TABLE: &str = "users";

/// The user of this subject.
pub(crate) fn find(transaction: &Transaction<'_>, subject: &Subject) -> Result<Option<User>, StoreError> {
    transaction.one(SELECT_USER, [subject.as_str()], read)
}

/// The user who logs in by this name.
pub(crate) fn find_named(transaction: &Transaction<'_>, username: &Username) -> Result<Option<User>, StoreError> {
    transaction.one(SELECT_USER_NAMED, [username.as_str()], read)
}

/// The first users after a login name, in the order of these names.
pub(crate) fn page(
    transaction: &Transaction<'_>,
    after: Option<&Username>,
    count_max: u32,
) -> Result<Page<User, Username>, StoreError> {
    let after = after.map_or("", Username::as_str);
    let items = transaction.all(SELECT_USERS_PAGE, params![after, count_max], read)?;
    let is_full = items.len() == count_max as usize;
    let next = items.last().filter(|_| is_full).map(|last| last.username.clone());
    Ok(Page { items, next })
}

/// What the rule needs to know of the user of this subject.
pub(crate) fn find_party(transaction: &Transaction<'_>, subject: &Subject) -> Result<Option<Party>, StoreError> {
    let party = transaction
        .one(SELECT_USER_PARTY, [subject.as_str()], |row| read_party(&mut Columns::new(row, TABLE, subject)))?;
    Ok(party.flatten())
}

/// Reads what the rule needs to know of a user; `None` when it was removed.
pub(crate) fn read_party(columns: &mut Columns<'_>) -> Result<Option<Party>, StoreError> {
    let status = columns.next_as("status", |text: String| user_status::from_text(&text))?;
    let party = Party {
        enabled: status == UserStatus::Active,
        cutoff: columns.next("cutoff")?,
        version: columns.count("version")?,
    };
    let is_removed = columns.optional_time("removed_at")?.is_some();
    Ok((!is_removed).then_some(party))
}

/// Adds a user whose subject no client or user has or had, and by whose name nobody logs in.
pub(crate) fn add(transaction: &Transaction<'_>, user: &User) -> Result<(), ChangeError> {
    claim_name(transaction, user.subject.as_str())?;
    if find_named(transaction, &user.username)?.is_some() {
        return Err(ChangeError::Taken(user.username.as_str().to_owned()));
    }
    let User { subject, username, credential, status, profile, cutoff, version } = user;
    let credential = credential.as_ref().map(Credential::expose);
    let version = stored_count(*version)?;
    transaction.execute(
        INSERT_USER,
        params![
            subject.as_str(),
            username.as_str(),
            credential,
            user_status::to_text(*status),
            profile::to_json(profile),
            cutoff,
            version,
        ],
    )?;
    Ok(())
}

/// Changes the user of this subject and, unless the password is the same, raises the version.
pub(crate) fn change(transaction: &Transaction<'_>, subject: &Subject, change: &UserChange) -> Result<(), ChangeError> {
    let name = subject.as_str();
    let changed = match change {
        UserChange::Status(status) => transaction.execute(UPDATE_USER_STATUS, [name, user_status::to_text(*status)]),
        UserChange::Password { seen_version, credential } => {
            let seen_version = seen_version.map(stored_count).transpose()?;
            transaction.execute(UPDATE_USER_CREDENTIAL, params![name, credential.expose(), seen_version])
        }
        UserChange::Rehashed { from, to } => {
            transaction.execute(REHASH_USER_CREDENTIAL, [name, from.expose(), to.expose()])
        }
        UserChange::Profile { seen_version, profile } => {
            let seen_version = stored_count(*seen_version)?;
            transaction.execute(UPDATE_USER_PROFILE, params![name, profile::to_json(profile), seen_version])
        }
        UserChange::RaiseCutoff => transaction.execute(RAISE_USER_CUTOFF, [name]),
        UserChange::Remove => {
            session::remove_all(transaction, subject)?;
            consent::forget(transaction, subject, None)?;
            transaction.execute(REMOVE_USER, params![name, transaction.now().milliseconds()])
        }
    };
    match changed? {
        1 => note(transaction, subject, change).map_err(Into::into),
        _ if find_party(transaction, subject)?.is_some() => Err(ChangeError::Outdated(name.to_owned())),
        _ => Err(ChangeError::Unknown(name.to_owned())),
    }
}

/// Notes for the journal what a change has ended, or switched.
fn note(transaction: &Transaction<'_>, subject: &Subject, change: &UserChange) -> Result<(), StoreError> {
    let user = subject.clone();
    match change {
        UserChange::Password { .. } | UserChange::Rehashed { .. } | UserChange::Profile { .. } => {}
        UserChange::Status(status) => transaction.ended(Ending::UserStatus { user, status: *status }),
        UserChange::RaiseCutoff => {
            if let Some(Party { cutoff, .. }) = find_party(transaction, subject)? {
                transaction.ended(Ending::UserCutoff { user, cutoff });
            }
        }
        UserChange::Remove => transaction.ended(Ending::UserRemoved { user, at: transaction.now() }),
    }
    Ok(())
}

/// Refuses a name that a client or a subject has or had: they are one set of names (RFC 9068 §5).
pub(crate) fn claim_name(transaction: &Transaction<'_>, name: &str) -> Result<(), ChangeError> {
    match transaction.one(SELECT_NAME, [name], |_| Ok(()))? {
        Some(()) => Err(ChangeError::Taken(name.to_owned())),
        None => Ok(()),
    }
}

fn read(row: &Row<'_>) -> Result<User, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"of unreadable subject");
    let subject = columns.next_as("subject", |text: String| Subject::parse(&text))?;
    columns.enter(TABLE, &subject);
    Ok(User {
        username: columns.next_as("username", |text: String| Username::parse(&text))?,
        credential: columns.next::<Option<String>>("credential")?.map(Credential::new),
        status: columns.next_as("status", |text: String| user_status::from_text(&text))?,
        profile: columns.next_as("profile", |json: String| profile::from_json(&json))?,
        cutoff: columns.next("cutoff")?,
        version: columns.count("version")?,
        subject: subject.clone(),
    })
}
