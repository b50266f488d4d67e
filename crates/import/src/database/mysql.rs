use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Row, Value};

use super::query::Dialect;
use super::{Among, Cell, Cells, Column, DatabaseUrl, Fault, Page, Shape};
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

    pub(super) async fn page(&mut self, page: &Page<'_>) -> Result<Vec<Cells>, Fault> {
        self.rows(page.sql(Dialect::Mysql), page.after.map(Value::from).into_iter().collect()).await
    }

    pub(super) async fn among(&mut self, among: &Among<'_>) -> Result<Vec<Cells>, Fault> {
        self.rows(among.sql(Dialect::Mysql), among.values.iter().map(Value::from).collect()).await
    }

    async fn rows(&mut self, sql: String, parameters: Vec<Value>) -> Result<Vec<Cells>, Fault> {
        let parameters = if parameters.is_empty() { Params::Empty } else { Params::Positional(parameters) };
        let rows: Vec<Row> = self.connection.exec(sql, parameters).await?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect())
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::NULL => Cell::Null,
        Value::Bytes(bytes) => Cell::from_bytes(bytes),
        // Every column is cast to text; this is for a server that does not.
        other @ (Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Date(..)
        | Value::Time(..)) => Cell::from_bytes(other.as_sql(true).trim_matches('\'').as_bytes().to_vec()),
    }
}
