use std::pin::Pin;

use regrant_store::{MovedRow, MovedTable};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use super::value::Arriving;
use crate::statements::moved::select_all;

/// Rows on their way into a table, by `COPY`.
pub(crate) struct CopyIn(Pin<Box<BinaryCopyInWriter>>);

impl CopyIn {
    /// Begins with `sql`, which copies into this table.
    pub(crate) async fn begin(client: &Client, table: MovedTable, sql: &str) -> Result<Self, Error> {
        // Whoever reads the table is told the types of its columns.
        let statement = client.prepare(&select_all(table)).await?;
        let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
        Ok(Self(Box::pin(BinaryCopyInWriter::new(client.copy_in(sql).await?, &types))))
    }

    /// The next row.
    pub(crate) async fn write(&mut self, row: &MovedRow) -> Result<(), Error> {
        self.0.as_mut().write_raw(row.iter().map(Arriving)).await
    }

    /// There are no more rows.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        self.0.as_mut().finish().await.map(drop)
    }
}
