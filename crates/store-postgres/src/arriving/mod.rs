//! A store of another kind moves in: all of it in one transaction, so that nobody sees half of it.

mod copy;
mod error;
mod value;

use regrant_grant::Realm;
use regrant_store::{MovedRow, MovedTable, MovedValue, RowsDigest, TableDigest};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use crate::connect::Connector;
use crate::connection::{CommitFailure, Connection};
use crate::id_bytes::IdBytes;
use crate::migration::{MIGRATIONS, migrate_within};
use crate::open_error::said;
use crate::statements::database::{BEGIN, LOCK_MIGRATIONS, ROLLBACK, SELECT_IS_STORE};
use crate::statements::key::SELECT_REALM;
use crate::statements::moved::{
    CLOSE, FETCH_SOME, SET_NEXT_KEYS, SET_UP_MOVE, copy_into, declare_all, empty_all, lock_all, select_is_filled,
};
use crate::{Address, Genesis, OpenError};

pub(crate) use copy::CopyIn;
pub use error::ArrivalError;
use value::Arrived;

/// A database into which a store moves. Until [`commit`](Self::commit) it is for everybody else as it was; when this is dropped
/// instead, it stays so.
pub struct ArrivingStore {
    connector: Connector,
    connection: Connection,
}

impl ArrivingStore {
    /// Begins to move the store of this realm into the database, which has to be empty, or to have a schema and nothing in it. The
    /// schema is made, or brought to the newest. Servers that are started there meanwhile wait.
    ///
    /// # Errors
    /// [`ArrivalError`], among others when there is a store already.
    pub async fn begin(address: Address, realm: Realm) -> Result<Self, ArrivalError> {
        let connector = Connector::new(address)?;
        let connection = connector.connect().await?;
        let arriving = Self { connector, connection };
        // What was made with the schema goes again; it is not known to anybody.
        let genesis = Genesis { realm, epoch_random: [0; 16] };
        let client = arriving.connection.client();
        client.batch_execute(BEGIN).await.map_err(|error| arriving.failed(&error))?;
        migrate_within(&arriving.connector, client, MIGRATIONS, &genesis).await?;
        client.batch_execute(SET_UP_MOVE).await.map_err(|error| arriving.failed(&error))?;
        client.batch_execute(&lock_all()).await.map_err(|error| arriving.failed(&error))?;
        arriving.refuse_rows(realm).await?;
        client.batch_execute(&empty_all()).await.map_err(|error| arriving.failed(&error))?;
        Ok(arriving)
    }

    /// Begins to write the rows of a table, each column as the table has it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn table(&self, table: MovedTable) -> Result<ArrivingRows<'_>, ArrivalError> {
        let refused = |error: Error| self.refused(table, &error);
        let copy = CopyIn::begin(self.connection.client(), table, &copy_into(table)).await.map_err(refused)?;
        Ok(ArrivingRows { store: self, table, copy })
    }

    /// Reads back what was written into a table, and compares. `passed` hears how many rows were read more.
    ///
    /// # Errors
    /// When it is something else.
    pub async fn check(
        &self,
        table: MovedTable,
        expected: TableDigest,
        mut passed: impl FnMut(u64),
    ) -> Result<(), ArrivalError> {
        let mut digest = RowsDigest::default();
        let read = async {
            let client = self.connection.client();
            client.batch_execute(&declare_all(table)).await?;
            // A cursor knows its columns when it is declared.
            let fetch = client.prepare(FETCH_SOME).await?;
            loop {
                let rows = client.query(&fetch, &[]).await?;
                for row in &rows {
                    digest.add(&values(row, table)?);
                }
                if rows.is_empty() {
                    break client.batch_execute(CLOSE).await;
                }
                passed(rows.len() as u64);
            }
        };
        read.await.map_err(|error: Error| self.refused(table, &error))?;
        let found = digest.end();
        if found == expected {
            return Ok(());
        }
        Err(ArrivalError::Differs {
            address: self.connector.shown(),
            table,
            expected: expected.rows,
            found: found.rows,
        })
    }

    /// Makes the store that was written the one that everybody sees.
    ///
    /// # Errors
    /// [`ArrivalError::Unknown`] when nobody knows whether that has happened; with every other error it has not.
    pub async fn commit(self) -> Result<(), ArrivalError> {
        let client = self.connection.client();
        client.batch_execute(SET_NEXT_KEYS).await.map_err(|error| self.failed(&error))?;
        self.connection.commit_or_tell().await.map_err(|failure| match failure {
            CommitFailure::Undone(error) => self.failed(&error),
            CommitFailure::Unknown(cause) => ArrivalError::Unknown { address: self.connector.shown(), cause },
        })
    }

    /// Whether the store of this realm is in the database for good; a move that is under way there is waited for.
    ///
    /// # Errors
    /// When the database cannot be used, or commits nothing: what it shows may be on no standby, or be of a primary that was replaced.
    pub async fn has_arrived(address: Address, realm: Realm) -> Result<bool, ArrivalError> {
        let connector = Connector::new(address)?;
        let connection = connector.connect().await?;
        let client = connection.client();
        let look = async {
            client.batch_execute(BEGIN).await?;
            client.batch_execute(LOCK_MIGRATIONS).await?;
            if !client.query_one(SELECT_IS_STORE, &[]).await?.get::<_, bool>(0) {
                return Ok(None);
            }
            client.query_opt(SELECT_REALM, &[]).await
        };
        let found = async {
            let found = look.await?;
            client.batch_execute(ROLLBACK).await.map(|()| found)
        };
        let found = found.await.map_err(|error: Error| OpenError::of_driver(connector.shown(), &error))?;
        connection.confirm().await.map_err(|error| connector.unavailable(&error))?;
        connection.lose();
        Ok(found.and_then(|row| row.try_get::<_, IdBytes>(0).ok()).is_some_and(|found| Realm(found.0) == realm))
    }

    /// Refuses a database in which there is more than a schema.
    async fn refuse_rows(&self, realm: Realm) -> Result<(), ArrivalError> {
        let client = self.connection.client();
        let found = client.query_opt(SELECT_REALM, &[]).await.map_err(|error| self.failed(&error))?;
        let found = found.and_then(|row| row.try_get::<_, IdBytes>(0).ok());
        let whose = if found == Some(IdBytes(realm.0)) { "this store" } else { "another store" };
        // A new store has these.
        let made_with_schema = [MovedTable::Identity, MovedTable::Epochs, MovedTable::HighWater];
        for table in MovedTable::ALL.into_iter().filter(|table| !made_with_schema.contains(table)) {
            if is_filled(client, table).await.map_err(|error| self.failed(&error))? {
                return Err(ArrivalError::NotEmpty { address: self.connector.shown(), table: table.name(), whose });
            }
        }
        Ok(())
    }

    fn failed(&self, error: &Error) -> ArrivalError {
        let address = self.connector.shown();
        match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => ArrivalError::InUse { address, cause: said(error) },
            _ => OpenError::of_driver(address, error).into(),
        }
    }

    fn refused(&self, table: MovedTable, error: &Error) -> ArrivalError {
        ArrivalError::Refused { address: self.connector.shown(), table, cause: said(error) }
    }
}

impl Drop for ArrivingStore {
    fn drop(&mut self) {
        // Without its connection the server undoes what was not committed.
        self.connection.lose();
    }
}

/// A table that is being written.
pub struct ArrivingRows<'a> {
    store: &'a ArrivingStore,
    table: MovedTable,
    copy: CopyIn,
}

impl ArrivingRows<'_> {
    /// Writes the next rows.
    ///
    /// # Errors
    /// When a value does not fit, or the database is away.
    pub async fn write(&mut self, rows: &[MovedRow]) -> Result<(), ArrivalError> {
        for row in rows {
            self.copy.write(row).await.map_err(|error| self.store.refused(self.table, &error))?;
        }
        Ok(())
    }

    /// There are no more rows.
    ///
    /// # Errors
    /// When the database does not take them.
    pub async fn end(self) -> Result<(), ArrivalError> {
        self.copy.end().await.map_err(|error| self.store.refused(self.table, &error))
    }
}

async fn is_filled(client: &Client, table: MovedTable) -> Result<bool, Error> {
    client.query_one(&select_is_filled(table), &[]).await?.try_get(0)
}

fn values(row: &tokio_postgres::Row, table: MovedTable) -> Result<Vec<MovedValue>, Error> {
    (0..table.columns().len()).map(|index| row.try_get::<_, Arrived>(index).map(|value| value.0)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regrant_databases::Postgres;

    use super::*;

    /// What only this kind of store has, or both kinds have for themselves.
    const OWN: [&str; 4] = ["migrations.", "changes.", "nodes.", "epochs.begun_"];

    #[tokio::test]
    async fn every_column_of_every_table_arrives_or_is_known_to_be_of_this_kind_alone() {
        let database = Postgres::shared().database();
        let address = Address::parse(&database.url(), None).unwrap();
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        let connector = Connector::new(address).unwrap();
        crate::migration::migrate(&connector, MIGRATIONS, &genesis).await.unwrap();
        let arrives: BTreeSet<String> = MovedTable::ALL
            .iter()
            .flat_map(|table| table.columns().iter().map(move |column| format!("{table}.{column}")))
            .collect();
        let all = "SELECT table_name || '.' || column_name FROM information_schema.columns
                   WHERE table_schema = 'regrant' AND column_name <> 'only_row'";
        let is_own = |column: &&str| OWN.iter().any(|own| column.starts_with(own));
        let all = database.sql(all);
        let all: BTreeSet<String> = all.lines().filter(|line| !is_own(line)).map(str::to_owned).collect();
        assert_eq!(arrives, all);
    }
}
