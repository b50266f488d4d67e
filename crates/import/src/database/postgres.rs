use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Row};
use zeroize::Zeroizing;

use super::query::Dialect;
use super::{
    Among, Cell, Cells, Column, DatabaseUrl, Fault, Key, KeyedRow, Page, Shape, VALUE_BYTES_MAX, key_too_long,
};
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
            client.batch_execute(AS_IT_IS).await?;
            client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
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

    pub(super) async fn page(&self, page: &Page<'_>) -> Result<Vec<KeyedRow>, Fault> {
        let parameters: Vec<&(dyn ToSql + Sync)> =
            page.after.iter().map(|after| *after as &(dyn ToSql + Sync)).collect();
        let rows = self.rows(&page.sql(Dialect::Postgres), &parameters).await?;
        let count = page.columns.len();
        rows.iter().map(|row| Ok(KeyedRow { key: key(row, count)?, cells: cells(row, count)? })).collect()
    }

    pub(super) async fn among(&self, among: &Among<'_>) -> Result<Vec<Cells>, Fault> {
        let rows = self.rows(&among.sql(Dialect::Postgres), &[&among.values]).await?;
        rows.iter().map(|row| cells(row, among.columns.len())).collect()
    }

    async fn rows(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
        self.client.query(sql, parameters).await.map_err(|error| said(&error).into())
    }
}

fn cells(row: &Row, count: usize) -> Result<Cells, Fault> {
    let cell =
        |column| Ok(row.try_get::<_, Option<Bytes<'_>>>(column)?.map_or(Cell::Null, |bytes| Cell::copied(bytes.0)));
    (0..count).map(cell).collect()
}

fn key(row: &Row, column: usize) -> Result<Key, Fault> {
    let Bytes(bytes) = row.try_get(column)?;
    if bytes.len() > VALUE_BYTES_MAX { Err(key_too_long()) } else { Ok(Key::Text(Zeroizing::new(bytes.to_vec()))) }
}

/// Text as it comes: a database in `SQL_ASCII` holds any bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT
    }
}

impl ToSql for Key {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Integer(number) => number.to_string().to_sql(of, out),
            Self::Real(number) => number.to_string().to_sql(of, out),
            Self::Text(bytes) | Self::Blob(bytes) => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT
    }

    to_sql_checked!();
}

/// What makes values texts that can be read. A database that was not told what its bytes mean gives them out as they are.
const AS_IT_IS: &str = "
    SET datestyle = 'ISO, YMD'; SET TIME ZONE 'UTC'; SET intervalstyle = 'postgres';
    SELECT set_config('client_encoding', 'SQL_ASCII', false) WHERE current_setting('server_encoding') = 'SQL_ASCII'";

/// The message of the server, which the driver's own hides behind "db error".
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{}: {}", answer.severity(), answer.message()),
        None => error.to_string(),
    }
}
