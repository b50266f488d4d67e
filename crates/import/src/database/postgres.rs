use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

use super::query::Dialect;
use super::{Among, Cell, Cells, Column, DatabaseUrl, Fault, Page, Shape};
use crate::OpenError;

/// PostgreSQL, read in one transaction.
pub(crate) struct PostgresDatabase {
    client: Client,
}

impl PostgresDatabase {
    /// Connects, without TLS, and begins to read.
    ///
    /// # Errors
    /// When the server is not there, or refuses the user.
    pub(crate) async fn connect(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let mut config = Config::new();
        config.host(&url.host).port(url.port).user(&url.user).dbname(&url.database);
        config.application_name("regrant import");
        if let Some(password) = &url.password {
            config.password(password.expose());
        }
        let connect = async {
            let (client, connection) = config.connect(NoTls).await?;
            // It ends with the client; what goes wrong on it, the client hears.
            tokio::spawn(connection);
            client
                .batch_execute(
                    "SET datestyle = 'ISO, YMD'; SET TIME ZONE 'UTC'; SET intervalstyle = 'postgres';
                     BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                )
                .await?;
            Ok::<_, tokio_postgres::Error>(client)
        };
        let client = connect.await.map_err(|error| OpenError::Connect { url: url.to_string(), cause: said(&error) })?;
        Ok(Self { client })
    }

    pub(super) async fn shapes(&self) -> Result<Vec<Shape>, OpenError> {
        let rows = self
            .client
            .query(
                "SELECT n.nspname || '.' || c.relname, a.attname::text, format_type(a.atttypid, NULL)
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
                 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
                   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
                 ORDER BY 1, a.attnum",
                &[],
            )
            .await
            .map_err(|error| OpenError::Tables(said(&error)))?;
        let mut shapes: Vec<Shape> = Vec::new();
        for row in rows {
            let (table, column): (String, _) = (row.get(0), Column { name: row.get(1), type_name: row.get(2) });
            match shapes.last_mut() {
                Some(shape) if shape.name == table => shape.columns.push(column),
                _ => shapes.push(Shape { name: table, columns: vec![column] }),
            }
        }
        Ok(shapes)
    }

    pub(super) async fn page(&self, page: &Page<'_>) -> Result<Vec<Cells>, Fault> {
        let after = page.after;
        let parameters: Vec<&(dyn ToSql + Sync)> = after.iter().map(|after| after as &(dyn ToSql + Sync)).collect();
        self.rows(&page.sql(Dialect::Postgres), &parameters).await
    }

    pub(super) async fn among(&self, among: &Among<'_>) -> Result<Vec<Cells>, Fault> {
        self.rows(&among.sql(Dialect::Postgres), &[&among.values]).await
    }

    async fn rows(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Cells>, Fault> {
        let rows = self.client.query(sql, parameters).await.map_err(|error| said(&error))?;
        rows.iter().map(|row| cells(row).map_err(Into::into)).collect()
    }
}

fn cells(row: &Row) -> Result<Cells, tokio_postgres::Error> {
    let cell = |column| {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map_or(Cell::Null, |text| Cell::from_bytes(text.into_bytes())))
    };
    (0..row.len()).map(cell).collect()
}

/// The message of the server, which the driver's own hides behind "db error".
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{}: {}", answer.severity(), answer.message()),
        None => error.to_string(),
    }
}
