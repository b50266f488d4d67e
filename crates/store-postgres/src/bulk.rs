use regrant_protocol::ClientId;
use regrant_store::{MovedRow, MovedTable};
use tokio_postgres::Error;

use crate::arriving::CopyIn;
use crate::connect::Connector;
use crate::connection::Connection;
use crate::statements::bulk::{
    ANALYZE, SELECT_CLIENT_KEY, SELECT_NEXT_USER_KEY, SELECT_SIZES, WITHOUT_TIMEOUTS, copy_more_into,
};
use crate::statements::moved::SET_NEXT_KEYS;
use crate::{Address, OpenError};

/// Rows that are written past every rule, as fast as a database takes them: to measure on a store that nobody needs afterwards.
pub struct BulkRows {
    connector: Connector,
    connection: Connection,
}

/// What a table or an index takes on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationSize {
    /// Its name.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
}

impl BulkRows {
    /// Opens a database that has a store.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn open(address: Address) -> Result<Self, OpenError> {
        let connector = Connector::new(address)?;
        let connection = connector.connect().await?;
        let bulk = Self { connector, connection };
        bulk.run(WITHOUT_TIMEOUTS).await?;
        Ok(bulk)
    }

    /// By which number rows name this client, which has to be there; and the first that no user has.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn keys(&self, client: &ClientId) -> Result<(i64, i64), OpenError> {
        let driver = self.connection.client();
        let read = async {
            let client: i32 = driver.query_one(SELECT_CLIENT_KEY, &[&client.as_str()]).await?.try_get(0)?;
            let user: i32 = driver.query_one(SELECT_NEXT_USER_KEY, &[]).await?.try_get(0)?;
            Ok((i64::from(client), i64::from(user)))
        };
        read.await.map_err(|error| self.failed(&error))
    }

    /// Copies rows into a table.
    ///
    /// # Errors
    /// When the database does not take one; then it has none of them.
    pub async fn copy(&self, table: MovedTable, rows: &[MovedRow]) -> Result<(), OpenError> {
        let copy = async {
            let mut copy = CopyIn::begin(self.connection.client(), table, &copy_more_into(table)).await?;
            for row in rows {
                copy.write(row).await?;
            }
            copy.end().await
        };
        copy.await.map_err(|error| self.failed(&error))
    }

    /// No more rows come: the database looks at what it has.
    ///
    /// # Errors
    /// When it is away.
    pub async fn end(&self) -> Result<(), OpenError> {
        self.run(SET_NEXT_KEYS).await?;
        self.run(ANALYZE).await
    }

    /// What each table of the store and each of its indexes takes, the largest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sizes(&self) -> Result<Vec<RelationSize>, OpenError> {
        let rows = self.connection.client().query(SELECT_SIZES, &[]).await.map_err(|error| self.failed(&error))?;
        let read = |row: &tokio_postgres::Row| {
            Ok(RelationSize { name: row.try_get(0)?, bytes: row.try_get::<_, i64>(1)?.cast_unsigned() })
        };
        rows.iter().map(read).collect::<Result<_, Error>>().map_err(|error| self.failed(&error))
    }

    async fn run(&self, sql: &str) -> Result<(), OpenError> {
        self.connection.client().batch_execute(sql).await.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> OpenError {
        OpenError::of_driver(self.connector.shown(), error)
    }
}
