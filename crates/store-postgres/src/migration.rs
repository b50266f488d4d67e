use regrant_grant::Realm;
use regrant_store::StoreError;
use tokio_postgres::Client;

use crate::connect::Connector;
use crate::connection::{CommitFailure, Value};
use crate::id_bytes::IdBytes;
use crate::statements::database::{
    BEGIN, CREATE_MIGRATIONS, CREATE_SCHEMA, INSERT_MIGRATION, LOCK_MIGRATIONS, SELECT_IS_STORE, SELECT_MIGRATIONS,
    SELECT_SCHEMA_EXISTS, SELECT_SCHEMA_HAS_TABLES,
};
use crate::statements::key::{INSERT_EPOCH, INSERT_REALM, SELECT_REALM};
use crate::{Genesis, OpenError};

/// A step of the schema. Its text never changes once it was released.
#[derive(Clone, Copy)]
pub(crate) struct Migration {
    number: i32,
    name: &'static str,
    sql: &'static str,
    /// The schema that a version has to know to work on what this makes of the database: the one before at most, so that the
    /// nodes of a cluster can be brought up to date one after another. So a migration adds; what it makes useless, the next one
    /// takes away.
    works_from: i32,
}

/// Every migration, numbered from 1 without a gap.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "store", sql: include_str!("../migrations/0001_store.sql"), works_from: 1 },
    Migration { number: 2, name: "high water", sql: include_str!("../migrations/0002_high_water.sql"), works_from: 1 },
    Migration {
        number: 3,
        name: "begun epochs",
        sql: include_str!("../migrations/0003_begun_epochs.sql"),
        works_from: 2,
    },
];

/// The newest schema that this version knows.
pub(crate) const NEWEST_SCHEMA: i32 = MIGRATIONS[MIGRATIONS.len() - 1].number;

/// The schema of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schema {
    /// That of its last migration.
    pub(crate) number: i32,
    /// What a version has to know to work on it.
    pub(crate) needed: i32,
}

impl Schema {
    /// Whether this version does not work on it.
    pub(crate) fn is_too_new(self) -> bool {
        self.needed > NEWEST_SCHEMA
    }

    /// What is told of one that is too new at the start.
    pub(crate) fn refusal(self, address: String) -> OpenError {
        OpenError::NewerSchema { address, found: self.number, needed: self.needed, known: NEWEST_SCHEMA }
    }

    /// The same while a node runs.
    pub(crate) fn error(self) -> StoreError {
        StoreError::NewerSchema { needed: self.needed, known: NEWEST_SCHEMA }
    }
}

/// A migration that a database has not been through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingMigration {
    /// Its number, which is that of the schema that it makes.
    pub number: i32,
    /// What it is about.
    pub name: &'static str,
    /// What it runs.
    pub sql: &'static str,
}

/// What is to be done to the database, which is left as it is.
pub(crate) async fn pending(
    connector: &Connector,
    migrations: &'static [Migration],
) -> Result<Vec<PendingMigration>, OpenError> {
    let connection = connector.connect().await?;
    let found = read(connector, connection.client(), migrations).await?;
    let is_pending = |migration: &&Migration| found.is_none_or(|schema| migration.number > schema);
    let told =
        |migration: &Migration| PendingMigration { number: migration.number, name: migration.name, sql: migration.sql };
    Ok(migrations.iter().filter(is_pending).map(told).collect())
}

/// Whether there is a store.
pub(crate) async fn exists(connector: &Connector) -> Result<bool, OpenError> {
    let connection = connector.connect().await?;
    Ok(read(connector, connection.client(), MIGRATIONS).await?.is_some())
}

/// The realm of the store; `None` where there is none.
pub(crate) async fn realm(connector: &Connector) -> Result<Option<Realm>, OpenError> {
    let connection = connector.connect().await?;
    if read(connector, connection.client(), MIGRATIONS).await?.is_none() {
        return Ok(None);
    }
    let found = connection.query(SELECT_REALM, &[]).await.map_err(|error| connector.unavailable(&error))?;
    Ok(found.first().and_then(|row| row.try_get::<_, IdBytes>(0).ok()).map(|bytes| Realm(bytes.0)))
}

/// Brings the database to the last of `migrations`, and gives a new one its identity: all in one transaction, so that a crash
/// leaves what was there before. One node does it, and the others wait.
pub(crate) async fn migrate(
    connector: &Connector,
    migrations: &'static [Migration],
    genesis: &Genesis,
) -> Result<(), OpenError> {
    if pending(connector, migrations).await?.is_empty() {
        return Ok(());
    }
    let connection = connector.connect().await?;
    let client = connection.client();
    let failed = |error: tokio_postgres::Error| OpenError::of_driver(connector.shown(), &error);
    let outcome = async {
        client.batch_execute(BEGIN).await.map_err(failed)?;
        migrate_within(connector, client, migrations, genesis).await?;
        connection.commit_or_tell().await.map_err(|failure| match failure {
            CommitFailure::Undone(error) => failed(error),
            CommitFailure::Unknown(cause) => OpenError::Unknown { address: connector.shown(), cause },
        })
    }
    .await;
    // Without its connection the server undoes what was not committed.
    connection.lose();
    outcome
}

/// The same in a transaction that was begun, and that somebody else commits.
pub(crate) async fn migrate_within(
    connector: &Connector,
    client: &Client,
    migrations: &'static [Migration],
    genesis: &Genesis,
) -> Result<(), OpenError> {
    let failed = |error: tokio_postgres::Error| OpenError::of_driver(connector.shown(), &error);
    client.batch_execute(LOCK_MIGRATIONS).await.map_err(failed)?;
    let found = read(connector, client, migrations).await?;
    if found.is_none() {
        let exists: bool = client.query_one(SELECT_SCHEMA_EXISTS, &[]).await.map_err(failed)?.get(0);
        if !exists {
            client.batch_execute(CREATE_SCHEMA).await.map_err(failed)?;
        }
        client.batch_execute(CREATE_MIGRATIONS).await.map_err(failed)?;
    }
    for migration in migrations.iter().filter(|migration| found.is_none_or(|schema| migration.number > schema)) {
        client.batch_execute(migration.sql).await.map_err(failed)?;
        let values: [Value<'_>; 4] = [&migration.number, &migration.name, &migration.checksum(), &migration.works_from];
        client.execute(INSERT_MIGRATION, &values).await.map_err(failed)?;
    }
    if found.is_none() {
        client.execute(INSERT_REALM, &[&IdBytes(genesis.realm.0)]).await.map_err(failed)?;
        client.execute(INSERT_EPOCH, &[&FIRST_EPOCH, &IdBytes(genesis.epoch_random)]).await.map_err(failed)?;
    }
    Ok(())
}

impl Migration {
    /// FNV-1a, 64 bits: enough to notice an edit, and no promise against anybody who wants to deceive.
    fn checksum(&self) -> i64 {
        let hash = self
            .sql
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        hash.cast_signed()
    }
}

/// The schema of a store; `None` where there is none yet. One that this version cannot work on is refused.
pub(crate) async fn read(
    connector: &Connector,
    client: &Client,
    migrations: &'static [Migration],
) -> Result<Option<i32>, OpenError> {
    let address = connector.shown();
    let failed = |error: tokio_postgres::Error| OpenError::of_driver(connector.shown(), &error);
    let is_store: bool = client.query_one(SELECT_IS_STORE, &[]).await.map_err(failed)?.get(0);
    if !is_store {
        let is_taken: bool = client.query_one(SELECT_SCHEMA_HAS_TABLES, &[]).await.map_err(failed)?.get(0);
        return if is_taken { Err(OpenError::NotAStore { address }) } else { Ok(None) };
    }
    let mut schema = Schema { number: 0, needed: 0 };
    for row in client.query(SELECT_MIGRATIONS, &[]).await.map_err(failed)? {
        let (number, checksum, works_from): (i32, i64, i32) = (row.get(0), row.get(1), row.get(2));
        let ours = migrations.iter().find(|migration| migration.number == number);
        if number <= NEWEST_SCHEMA && ours.is_none_or(|migration| migration.checksum() != checksum) {
            return Err(OpenError::ForeignMigration { address, number });
        }
        schema = Schema { number: schema.number.max(number), needed: schema.needed.max(works_from) };
    }
    if schema.is_too_new() { Err(schema.refusal(address)) } else { Ok(Some(schema.number)) }
}

const FIRST_EPOCH: i16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_numbered_from_one_without_a_gap() {
        for (number, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.number, number, "{}", migration.name);
        }
    }

    #[test]
    fn a_version_works_on_what_the_next_migration_makes() {
        for migration in &MIGRATIONS[1..] {
            assert!(migration.works_from < migration.number, "{}", migration.name);
        }
    }
}
