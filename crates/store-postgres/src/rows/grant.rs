use regrant_grant::{Generation, Grant, GrantId, GrantSecret, Party, SessionId};
use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, RetryChallenge, Scope, Subject, Timestamp};
use regrant_store::StoreError;
use regrant_store::stored::{approved_from, binding, code, resources};
use tokio_postgres::Row;

use super::party::PartyRow;
use crate::columns::Columns;

/// A grant, and what the rule needs to know of its client, its user and its login session.
pub(crate) struct GrantRow {
    pub(crate) grant: Grant,
    pub(crate) client: Option<PartyRow>,
    pub(crate) user: Option<PartyRow>,
    pub(crate) session_ends_at: Option<Timestamp>,
    /// The place of the first column after all this.
    pub(crate) columns: usize,
}

impl GrantRow {
    /// What the rule needs to know of the client; `None` when it was removed.
    pub(crate) fn client_party(&self) -> Option<Party> {
        self.client.and_then(|row| row.party)
    }

    /// What the rule needs to know of the user; `None` when they were removed.
    pub(crate) fn user_party(&self) -> Option<Party> {
        self.user.and_then(|row| row.party)
    }
}

/// The id of the grant in a row that may be unreadable otherwise.
pub(crate) fn read_id(row: &Row) -> Result<GrantId, StoreError> {
    Columns::new(row, TABLE, &"of unreadable name").id("id").map(GrantId)
}

/// Reads a grant and what is around it.
pub(crate) fn read(row: &Row) -> Result<GrantRow, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"of unreadable name");
    let id = columns.id("id").map(GrantId)?;
    columns.enter(TABLE, &id);
    let grant = read_grant(id, &mut columns)?;
    let index = columns.index();
    let mut columns = Columns::beginning_at(index, row, TABLE, &id);
    let client = PartyRow::client(&mut columns, &grant.client)?;
    let user = PartyRow::user(&mut columns, &grant.subject)?;
    columns.enter("sessions", &id);
    let session_ends_at = columns.optional_time("expires_at")?;
    let columns = columns.index();
    Ok(GrantRow { grant, client, user, session_ends_at, columns })
}

/// The refusal of a grant whose family has no root.
pub(crate) fn rootless(grant: &Grant) -> StoreError {
    inconsistent(grant, "root", "it names a grant that does not exist".to_owned())
}

/// The refusal of a row that a rule made of a grant.
pub(crate) fn inconsistent(grant: &Grant, column: &'static str, problem: String) -> StoreError {
    StoreError::Inconsistent { table: TABLE, column, row: grant.id.to_string(), problem }
}

const TABLE: &str = "grants";

fn read_grant(id: GrantId, columns: &mut Columns<'_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        id,
        secret: columns.id("secret").map(GrantSecret::new)?,
        version: columns.count("version")?,
        root: columns.optional_id("root")?.map(GrantId),
        client: columns.next_as("client", ClientId::parse)?,
        subject: columns.next_as("user", Subject::parse)?,
        scope: columns.next_as("scope", Scope::parse)?,
        resources: columns.next_as("resources", resources::from_text)?,
        binding: columns.next_as("binding", binding::from_bytes)?,
        session: columns.optional_id("session")?.map(SessionId),
        approved_from: columns
            .next_as("approved_from", |stored: Option<&str>| stored.map(approved_from::from_text).transpose())?,
        code: columns.next_as("code", |stored: Option<&str>| stored.map(code::from_json).transpose())?,
        generation: columns.bits("generation").map(Generation)?,
        kid: columns.small("kid").map(Kid)?,
        epoch: columns.small("epoch").map(EpochNumber)?,
        rotated_at: columns.time("rotated_at")?,
        access_lifetime: columns.bits("access_lifetime").map(Lifetime::from_seconds)?,
        retry_challenge: columns.optional_id("retry_challenge")?.map(RetryChallenge::from_bytes),
        has_used_challenge: columns.next("has_used_challenge")?,
        created_at: columns.time("created_at")?,
        authenticated_at: columns.time("authenticated_at")?,
        idle_expires_at: columns.optional_time("idle_expires_at")?,
        absolute_expires_at: columns.optional_time("absolute_expires_at")?,
        revoked_at: columns.optional_time("revoked_at")?,
        client_cutoff: columns.bits("client_cutoff")?,
        user_cutoff: columns.bits("user_cutoff")?,
    })
}
