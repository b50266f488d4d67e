use regrant_protocol::Kid;
use regrant_store::{AnnouncedKey, Changes, NODE_REMEMBERED_SECONDS, Node, NodeId, SeenNode, StoreError};

use crate::columns::Columns;
use crate::connection::Value;
use crate::id_bytes::IdBytes;
use crate::rows::high_water::FoundPlace;
use crate::statements::shared::{
    COUNT_CLIENT_CHANGE, COUNT_KEY_CHANGE, DELETE_NODES_SEEN_BEFORE_OR_AFTER, SELECT_CHANGES, SELECT_NODES_SEEN_UNTIL,
    UPSERT_NODE, WAIT_FOR_NOBODY,
};
use crate::transaction::Transaction;

/// A node that was seen later than that was seen by a clock that has been put back since. One that is there tells so again within
/// a second; the others are not.
const SEEN_AHEAD_MILLISECONDS_MAX: i64 = 1_000;

/// How often clients and keys were changed, and how far the store has come.
pub(crate) async fn changes(transaction: &Transaction) -> Result<(Changes, FoundPlace), StoreError> {
    let server = transaction.lease().generation();
    let found = transaction.one(SELECT_CHANGES, &[], |row| {
        let mut columns = Columns::new(row, "changes", &"1");
        let (clients, keys) = (columns.count("clients")?, columns.count("keys")?);
        let found = FoundPlace::read(&mut columns)?;
        let changes = Changes { clients, keys, server, waits_for_standby: columns.next("waits_for_standby")? };
        Ok((changes, found))
    });
    let missing = || StoreError::Inconsistent {
        table: "changes",
        column: "only_row",
        row: "any".to_owned(),
        problem: "there is none".to_owned(),
    };
    found.await?.ok_or_else(missing)
}

/// Counts a change of a client, and tells every node when it is committed.
pub(crate) async fn count_client_change(transaction: &Transaction) -> Result<(), StoreError> {
    transaction.rows(COUNT_CLIENT_CHANGE, &[]).await.map(drop)
}

/// Counts a change of a key, and tells every node when it is committed.
pub(crate) async fn count_key_change(transaction: &Transaction) -> Result<(), StoreError> {
    transaction.rows(COUNT_KEY_CHANGE, &[]).await.map(drop)
}

/// Notes what a node tells of itself, and forgets those that are gone.
pub(crate) async fn note_node(transaction: &Transaction, node: &Node) -> Result<(), StoreError> {
    transaction.rows(WAIT_FOR_NOBODY, &[]).await?;
    let Node { id, name, version, newest_key } = node;
    let (kid, check_value) = (i16::from(newest_key.kid.0), &newest_key.check_value[..]);
    let now = transaction.now();
    let values: [Value<'_>; 6] = [&IdBytes(id.0), name, version, &kid, &check_value, &now.milliseconds()];
    transaction.execute(UPSERT_NODE, &values).await?;
    let remembered = now.plus_seconds(-i64::from(NODE_REMEMBERED_SECONDS));
    let ahead = now.plus_milliseconds(SEEN_AHEAD_MILLISECONDS_MAX);
    let values: [Value<'_>; 2] = [&remembered.milliseconds(), &ahead.milliseconds()];
    transaction.execute(DELETE_NODES_SEEN_BEFORE_OR_AFTER, &values).await.map(drop)
}

/// The nodes that are remembered, by name.
pub(crate) async fn nodes(transaction: &Transaction) -> Result<Vec<SeenNode>, StoreError> {
    let now = transaction.now();
    let ahead = now.plus_milliseconds(SEEN_AHEAD_MILLISECONDS_MAX).milliseconds();
    let values: [Value<'_>; 1] = [&ahead];
    let found = transaction.all(SELECT_NODES_SEEN_UNTIL, &values, |row| {
        let mut columns = Columns::new(row, "nodes", &"of unreadable id");
        let id = columns.id("id").map(NodeId)?;
        let (name, version): (String, String) = (columns.next("name")?, columns.next("version")?);
        columns.enter("nodes", &name);
        let newest_key =
            AnnouncedKey { kid: columns.small("newest_kid").map(Kid)?, check_value: columns.bytes("check_value")? };
        let seen_at = columns.time("seen_at")?;
        // It may have told a moment after this was begun.
        let seen_milliseconds_ago = u64::try_from(now.milliseconds_since(seen_at)).unwrap_or(0);
        Ok(SeenNode { node: Node { id, version, newest_key, name: name.clone() }, seen_milliseconds_ago })
    });
    found.await
}
