use std::sync::Arc;

use regrant_protocol::{Clock, Timestamp};
use regrant_store::{AnnouncedKey, StoreError};
use tokio_postgres::Row;

use crate::connect::Connector;
use crate::connection::Connection;
use crate::migration::{MIGRATIONS, NEWEST_SCHEMA, read};
use crate::pool::Pool;
use crate::rows::key;
use crate::statements::database::{SELECT_COPY_FACTS, SELECT_SERVER_FACTS, SELECT_TIME};
use crate::transaction::Transaction;
use crate::{Address, OpenError};

/// What a database is like. It is a primary of a version that will do, or there would be an error instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The version of the server, in its words.
    pub server: String,
    /// The `synchronous_commit` of our sessions.
    pub synchronous_commit: String,
    /// Whether a commit waits for another server too.
    pub waits_for_standby: bool,
    /// Whether what is committed survives a power cut.
    pub survives_power_cut: bool,
    /// The schema of the store; `None` where there is no store yet.
    pub schema: Option<i32>,
    /// The newest schema that this version knows.
    pub newest_schema: i32,
    /// How far the clock of the database is ahead of that which was given; less than 0 where it is behind.
    pub ahead_milliseconds: i64,
    /// The master keys that the store knows.
    pub announced_keys: Vec<AnnouncedKey>,
    /// What decides about a copy of it.
    pub copying: Copying,
}

/// What `pg_dump` and `pg_basebackup` would meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copying {
    /// Tables and sequences of ours that this user may not read, so that its `pg_dump` fails; `None` where it may read all.
    pub unreadable: Option<String>,
    /// How large the database is.
    pub bytes: u64,
    /// Whether the server archives its log.
    pub archives_log: bool,
    /// When it failed to, and has not since; `None` where it did not fail.
    pub archive_fails_since: Option<Timestamp>,
}

/// Looks at a database as at any moment of its life, and changes nothing.
///
/// # Errors
/// As [`PostgresStore::open`](crate::PostgresStore::open).
pub async fn examine(address: &Address, clock: &dyn Clock) -> Result<Examination, OpenError> {
    let connector = Arc::new(Connector::new(address.clone())?);
    let connection = connector.connect().await?;
    let schema = read(&connector, connection.client(), MIGRATIONS).await?;
    let facts = async {
        let ahead_milliseconds = ahead_of(&connection, clock).await?;
        let rows = connection.query(SELECT_SERVER_FACTS, &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::Unavailable("it says nothing about itself".to_owned()))?;
        let facts = facts(row).map_err(|error| unreadable(&error))?;
        let rows = connection.query(SELECT_COPY_FACTS, &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::Unavailable("it says nothing about itself".to_owned()))?;
        Ok::<_, StoreError>((ahead_milliseconds, facts, copying(row).map_err(|error| unreadable(&error))?))
    };
    let unavailable = |error: StoreError| connector.unavailable(&error);
    let (ahead_milliseconds, facts, copying) = facts.await.map_err(unavailable)?;
    let (server, synchronous_commit, waits_for_standby, survives_power_cut) = facts;
    let announced_keys = match schema {
        Some(_) => {
            let lease = Pool::new(Arc::clone(&connector), 1).lease().await.map_err(unavailable)?;
            key::announced(&Transaction::reading(lease)).await.map_err(unavailable)?
        }
        None => Vec::new(),
    };
    Ok(Examination {
        server,
        synchronous_commit,
        waits_for_standby,
        survives_power_cut,
        schema,
        newest_schema: NEWEST_SCHEMA,
        ahead_milliseconds,
        announced_keys,
        copying,
    })
}

/// Half of the way there and back is no difference of clocks.
async fn ahead_of(connection: &Connection, clock: &dyn Clock) -> Result<i64, StoreError> {
    // The way of a statement that has to be prepared first is longer.
    connection.prepared(SELECT_TIME).await?;
    let asked_at = clock.now();
    let rows = connection.query(SELECT_TIME, &[]).await?;
    let answered_at = clock.now();
    let told: i64 = match rows.first() {
        Some(row) => row.try_get(0).map_err(|error| unreadable(&error))?,
        None => return Err(StoreError::Unavailable("it tells no time".to_owned())),
    };
    let between = asked_at.plus_milliseconds(answered_at.milliseconds_since(asked_at) / 2);
    Ok(told - between.milliseconds())
}

fn facts(row: &Row) -> Result<(String, String, bool, bool), tokio_postgres::Error> {
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
}

fn copying(row: &Row) -> Result<Copying, tokio_postgres::Error> {
    Ok(Copying {
        unreadable: row.try_get(0)?,
        bytes: row.try_get::<_, i64>(1)?.unsigned_abs(),
        archives_log: row.try_get(2)?,
        archive_fails_since: row.try_get::<_, Option<i64>>(3)?.map(Timestamp::from_milliseconds),
    })
}

fn unreadable(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
