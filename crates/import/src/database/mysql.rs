use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Row, Value};
use zeroize::Zeroizing;

use super::query::Dialect;
use super::{
    Among, Cell, Cells, Column, DatabaseUrl, Fault, Key, KeyedRow, Page, Shape, VALUE_BYTES_MAX, key_too_long,
};
use crate::OpenError;

/// MySQL or MariaDB, read in one transaction.
///
/// The session keeps the server's time zone: `TIMESTAMP` columns then read as the program wrote them, which had the same.
pub(crate) struct MysqlDatabase {
    connection: Conn,
}

impl MysqlDatabase {
    /// Connects, without TLS, and begins to read.
    ///
    /// # Errors
    /// When the server is not there, refuses the user, or is too old for a consistent snapshot.
    pub(crate) async fn connect(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let options: Opts = OptsBuilder::default()
            .ip_or_hostname(url.host.clone())
            .tcp_port(url.port)
            .user(Some(url.user.clone()))
            .pass(url.password.as_ref().map(|password| password.expose().to_owned()))
            .db_name(Some(url.database.clone()))
            .prefer_socket(Some(false))
            .into();
        let connect = async {
            let mut connection = Conn::new(options).await?;
            connection.query_drop("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
            connection.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
            mysql_async::Result::Ok(connection)
        };
        let connection =
            connect.await.map_err(|error| OpenError::Connect { url: url.to_string(), cause: error.to_string() })?;
        Ok(Self { connection })
    }

    pub(super) async fn shapes(&mut self) -> Result<Vec<Shape>, OpenError> {
        let rows: Result<Vec<(String, String, String)>, _> = self
            .connection
            .query(
                "SELECT table_name, column_name, data_type FROM information_schema.columns
                 WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position",
            )
            .await;
        let mut shapes: Vec<Shape> = Vec::new();
        for (table, name, type_name) in rows.map_err(|error| OpenError::Tables(error.to_string()))? {
            let column = Column { name, type_name };
            match shapes.last_mut() {
                Some(shape) if shape.name == table => shape.columns.push(column),
                _ => shapes.push(Shape { name: table, columns: vec![column] }),
            }
        }
        Ok(shapes)
    }

    pub(super) async fn page(&mut self, page: &Page<'_>) -> Result<Vec<KeyedRow>, Fault> {
        let rows = self.rows(page.sql(Dialect::Mysql), page.after.map(parameter).into_iter().collect()).await?;
        let keyed = |row: Row| {
            let mut values = row.unwrap();
            let key = values.pop().ok_or("a row without its key")?;
            Ok(KeyedRow { key: self::key(key)?, cells: values.into_iter().map(cell).collect() })
        };
        rows.into_iter().map(keyed).collect()
    }

    pub(super) async fn among(&mut self, among: &Among<'_>) -> Result<Vec<Cells>, Fault> {
        let rows = self.rows(among.sql(Dialect::Mysql), among.values.iter().map(Value::from).collect()).await?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect())
    }

    async fn rows(&mut self, sql: String, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let parameters = if parameters.is_empty() { Params::Empty } else { Params::Positional(parameters) };
        Ok(self.connection.exec(sql, parameters).await?)
    }
}

fn cell(value: Value) -> Cell {
    match bytes(value) {
        None => Cell::Null,
        Some(bytes) if bytes.len() > VALUE_BYTES_MAX => Cell::TooLong,
        Some(bytes) => Cell::from_bytes(bytes),
    }
}

fn key(value: Value) -> Result<Key, Fault> {
    match bytes(value) {
        None => Err("a row without a key was not left out".into()),
        Some(bytes) if bytes.len() > VALUE_BYTES_MAX => Err(key_too_long()),
        Some(bytes) => Ok(Key::Text(Zeroizing::new(bytes))),
    }
}

fn parameter(key: &Key) -> Value {
    match key {
        Key::Integer(number) => Value::Int(*number),
        Key::Real(number) => Value::Double(*number),
        Key::Text(bytes) | Key::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(bytes),
        // Every value is asked for as text or bytes; this is for a server that gives it otherwise.
        other @ (Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Date(..)
        | Value::Time(..)) => Some(other.as_sql(true).trim_matches('\'').as_bytes().to_vec()),
    }
}
