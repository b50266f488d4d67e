use regrant_grant::{Generation, Grant, GrantId, GrantSecret, Party, SessionId};
use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, RetryChallenge, Scope, Subject, Timestamp};
use regrant_store::StoreError;
use regrant_store::stored::{approved_from, binding, code, resources};
use rusqlite::{Row, named_params, params};

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
        0 => write(transaction, UPDATE_GRANT_AND_END, grant)?,
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
        named_params! {
            ":id": grant.id.0,
            ":secret": grant.secret.expose(),
            ":version": stored_count(grant.version)?,
            ":root": grant.root.map(|root| root.0),
            ":client": grant.client.as_str(),
            ":user": grant.subject.as_str(),
            ":scope": grant.scope.as_str(),
            ":resources": resources::to_text(&grant.resources),
            ":binding": binding::to_bytes(&grant.binding),
            ":session": grant.session.map(|session| session.0),
            ":approved_from": grant.approved_from.as_ref().map(approved_from::to_text),
            ":code": grant.code.as_ref().map(code::to_json),
            ":generation": grant.generation.0,
            ":kid": grant.kid.0,
            ":epoch": grant.epoch.0,
            ":rotated_at": grant.rotated_at.milliseconds(),
            ":access_lifetime": grant.access_lifetime.seconds(),
            ":retry_challenge": grant.retry_challenge.as_ref().map(RetryChallenge::as_bytes),
            ":has_used_challenge": grant.has_used_challenge,
            ":created_at": grant.created_at.milliseconds(),
            ":authenticated_at": grant.authenticated_at.milliseconds(),
            ":idle_expires_at": grant.idle_expires_at.map(Timestamp::milliseconds),
            ":absolute_expires_at": grant.absolute_expires_at.map(Timestamp::milliseconds),
            ":revoked_at": grant.revoked_at.map(Timestamp::milliseconds),
            ":client_cutoff": grant.client_cutoff,
            ":user_cutoff": grant.user_cutoff,
        },
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
        client: columns.next_as("client", |text: String| ClientId::parse(&text))?,
        subject: columns.next_as("user", |text: String| Subject::parse(&text))?,
        scope: columns.next_as("scope", |text: String| Scope::parse(&text))?,
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
