use regrant_grant::{Grant, GrantId, Write};
use regrant_protocol::Timestamp;
use regrant_store::StoreError;
use tokio_postgres::Row;

use crate::columns::stored_count;
use crate::id_bytes::IdBytes;
use crate::look_up::Found;
use crate::statements::grant::SELECT_WITNESSES;
use crate::transaction::Transaction;

/// What a step relied on without writing it: client, user, login session and the grants that it only read. It is looked at once
/// more, after the rows are written and locked: by then a change may have been committed that the first look did not see, and
/// that no lock and no version of a grant shows.
pub(crate) struct Witness {
    client: Option<(i32, i64)>,
    user: Option<(i32, i64)>,
    session: Option<IdBytes>,
    session_ends_at: Option<Timestamp>,
    /// The grant and the root of its family, as far as they were found and are not written.
    grants: [Option<(IdBytes, i64)>; 2],
}

impl Witness {
    /// Of a step that found this, and writes that.
    pub(crate) fn new(found: &Found, write: &Write) -> Result<Self, StoreError> {
        let written = match write {
            Write::Update(row) => Some(row.id),
            Write::Insert(_) | Write::ListAccessToken { .. } | Write::Nothing => None,
        };
        Ok(Self {
            client: found.client.map(|row| (row.key, row.version)),
            user: found.user.map(|row| (row.key, row.version)),
            session: found.session.map(|id| IdBytes(id.0)),
            session_ends_at: found.session_ends_at,
            grants: [relied_on(found.grant.as_ref(), written)?, relied_on(found.root.as_ref(), written)?],
        })
    }

    fn is_so(&self, row: &Row) -> Result<bool, StoreError> {
        let read =
            |index| row.try_get::<_, Option<i64>>(index).map_err(|error| StoreError::Unavailable(error.to_string()));
        let [first, second] = self.grants;
        Ok(read(0)? == self.client.map(|(_, version)| version)
            && read(1)? == self.user.map(|(_, version)| version)
            && read(2)? == self.session_ends_at.map(Timestamp::milliseconds)
            && read(3)? == first.map(|(_, version)| version)
            && read(4)? == second.map(|(_, version)| version))
    }
}

/// For each of these whether it is so still.
pub(crate) async fn are_so(transaction: &Transaction, witnesses: &[&Witness]) -> Result<Vec<bool>, StoreError> {
    let clients: Vec<_> = witnesses.iter().map(|witness| witness.client.map(|(key, _)| key)).collect();
    let users: Vec<_> = witnesses.iter().map(|witness| witness.user.map(|(key, _)| key)).collect();
    let sessions: Vec<_> = witnesses.iter().map(|witness| witness.session).collect();
    let [first, second] =
        [0, 1].map(|index| witnesses.iter().map(|witness| witness.grants[index].map(|(id, _)| id)).collect::<Vec<_>>());
    let rows = transaction.rows(SELECT_WITNESSES, &[&clients, &users, &sessions, &first, &second]).await?;
    witnesses.iter().zip(&rows).map(|(witness, row)| witness.is_so(row)).collect()
}

fn relied_on(grant: Option<&Grant>, written: Option<GrantId>) -> Result<Option<(IdBytes, i64)>, StoreError> {
    let relied_on = grant.filter(|grant| Some(grant.id) != written);
    relied_on.map(|grant| Ok((IdBytes(grant.id.0), stored_count(grant.version)?))).transpose()
}
