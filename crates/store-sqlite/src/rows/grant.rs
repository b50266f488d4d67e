use regrant_grant::{Generation, Grant, GrantId, GrantSecret, Party, SessionId};
use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, RetryChallenge, Scope, Subject, Timestamp};
use regrant_store::stored::{approved_from, binding, code, resources};
use regrant_store::{Ending, StoreError};
use rusqlite::{Row, params};

use super::{client, user};
use crate::columns::{Columns, stored_count};
use crate::statements::grant::{DELETE_GRANT, INSERT_GRANT, SELECT_GRANT, UPDATE_GRANT, UPDATE_GRANT_AND_END};
use crate::transaction::Transaction;

/// A grant, and what the rule needs to know of its client and its user.
pub(crate) struct GrantRow {
    pub(crate) grant: Grant,
    pub(crate) client: Option<Party>,
    pub(crate) user: Option<Party>,
}

/// The grant of this name.
pub(crate) fn find(transaction: &Transaction<'_>, id: GrantId) -> Result<Option<GrantRow>, StoreError> {
    transaction.one(SELECT_GRANT, [&id.0], read)
}

/// Makes the row of `grant`, which must not exist.
pub(crate) fn insert(transaction: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    expect_one(write(transaction, INSERT_GRANT, grant)?, grant, "id", || {
        "it was to be made, but it exists, or its client or user never did".to_owned()
    })
}

/// Replaces the row of `grant`, which must exist with the version before.
pub(crate) fn update(transaction: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    let written = match write(transaction, UPDATE_GRANT, grant)? {
        0 => {
            if let Some(at) = grant.revoked_at {
                transaction.ended(Ending::Grant { id: grant.id, at });
            }
            write(transaction, UPDATE_GRANT_AND_END, grant)?
        }
        written => written,
    };
    expect_one(written, grant, "version", || {
        let version = grant.version;
        format!(
            "it was to become version {version}, but is not the one before, or of another client, user, session or root"
        )
    })
}

/// Removes the row of `grant`, which must be as it was read.
pub(crate) fn remove(transaction: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    let removed = transaction.execute(DELETE_GRANT, params![grant.id.0, stored_count(grant.version)?])?;
    expect_one(removed, grant, "version", || "it was to be removed, but is not as it was read".to_owned())
}

/// The refusal of a grant whose family has no root.
pub(crate) fn rootless(grant: &Grant) -> StoreError {
    inconsistent(grant, "root", "it names a grant that does not exist".to_owned())
}

const TABLE: &str = "grants";

fn expect_one(
    written: usize,
    grant: &Grant,
    column: &'static str,
    problem: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match written {
        1 => Ok(()),
        _ => Err(inconsistent(grant, column, problem())),
    }
}

fn inconsistent(grant: &Grant, column: &'static str, problem: String) -> StoreError {
    StoreError::Inconsistent { table: TABLE, column, row: grant.id.to_string(), problem }
}

fn write(transaction: &Transaction<'_>, sql: &str, grant: &Grant) -> Result<usize, StoreError> {
    transaction.execute(
        sql,
        // In the order of the columns of INSERT_GRANT, which number them.
        params![
            grant.id.0,
            grant.secret.expose(),
            stored_count(grant.version)?,
            grant.root.map(|root| root.0),
            grant.client.as_str(),
            grant.subject.as_str(),
            grant.scope.as_str(),
            resources::to_text(&grant.resources),
            binding::to_bytes(&grant.binding),
            grant.session.map(|session| session.0),
            grant.approved_from.as_ref().map(approved_from::to_text),
            grant.code.as_ref().map(code::to_json),
            grant.generation.0,
            grant.kid.0,
            grant.epoch.0,
            grant.rotated_at.milliseconds(),
            grant.access_lifetime.seconds(),
            grant.retry_challenge.as_ref().map(RetryChallenge::as_bytes),
            grant.has_used_challenge,
            grant.created_at.milliseconds(),
            grant.authenticated_at.milliseconds(),
            grant.idle_expires_at.map(Timestamp::milliseconds),
            grant.absolute_expires_at.map(Timestamp::milliseconds),
            grant.revoked_at.map(Timestamp::milliseconds),
            grant.client_cutoff,
            grant.user_cutoff,
        ],
    )
}

/// Reads a grant, and what the rule needs to know of its client and its user.
pub(crate) fn read(row: &Row<'_>) -> Result<GrantRow, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"of unreadable name");
    let id = columns.next("id").map(GrantId)?;
    columns.enter(TABLE, &id);
    let grant = read_grant(id, &mut columns)?;
    columns.enter(client::TABLE, &grant.client);
    let client = client::read_party(&mut columns)?;
    columns.enter(user::TABLE, &grant.subject);
    let user = user::read_party(&mut columns)?;
    Ok(GrantRow { grant, client, user })
}

fn read_grant(id: GrantId, columns: &mut Columns<'_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        id,
        secret: columns.next("secret").map(GrantSecret::new)?,
        version: columns.count("version")?,
        root: columns.next::<Option<_>>("root")?.map(GrantId),
        client: columns.text("client", ClientId::parse)?,
        subject: columns.text("user", Subject::parse)?,
        scope: columns.text("scope", Scope::parse)?,
        resources: columns.next_as("resources", resources::from_text)?,
        binding: columns.next_as("binding", |stored: Option<Vec<u8>>| binding::from_bytes(stored.as_deref()))?,
        session: columns.next::<Option<_>>("session")?.map(SessionId),
        approved_from: columns.next_as("approved_from", |stored: Option<String>| {
            stored.map(|text| approved_from::from_text(&text)).transpose()
        })?,
        code: columns
            .next_as("code", |stored: Option<String>| stored.map(|json| code::from_json(&json)).transpose())?,
        generation: columns.next("generation").map(Generation)?,
        kid: columns.next("kid").map(Kid)?,
        epoch: columns.next("epoch").map(EpochNumber)?,
        rotated_at: columns.time("rotated_at")?,
        access_lifetime: columns.next("access_lifetime").map(Lifetime::from_seconds)?,
        retry_challenge: columns.next::<Option<_>>("retry_challenge")?.map(RetryChallenge::from_bytes),
        has_used_challenge: columns.next("has_used_challenge")?,
        created_at: columns.time("created_at")?,
        authenticated_at: columns.time("authenticated_at")?,
        idle_expires_at: columns.optional_time("idle_expires_at")?,
        absolute_expires_at: columns.optional_time("absolute_expires_at")?,
        revoked_at: columns.optional_time("revoked_at")?,
        client_cutoff: columns.next("client_cutoff")?,
        user_cutoff: columns.next("user_cutoff")?,
    })
}
