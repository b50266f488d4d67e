use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use regrant_protocol::Secret;

use crate::OpenError;
use crate::database::{Database, DatabaseUrl, MysqlDatabase, PostgresDatabase, Scheme, SqliteDatabase};
use crate::dump::{Interest, read_directory, read_dump};

/// Where a foreign database is: a SQLite file, a dump, a directory of CSV files, or a server.
#[derive(Clone, Debug)]
pub struct Source(Place);

#[derive(Clone, Debug)]
enum Place {
    Path(PathBuf),
    Server(Box<DatabaseUrl>),
}

impl Source {
    /// Takes a path, or the URL of a MySQL, MariaDB or PostgreSQL server, to which `password` belongs.
    ///
    /// Servers are spoken to without TLS: over loopback, a private network or a tunnel.
    ///
    /// # Errors
    /// When a URL is incomplete, of another server, or holds the password.
    pub fn parse(text: &str, password: Option<Secret>) -> Result<Self, OpenError> {
        Ok(Self(match DatabaseUrl::parse(text, password)? {
            Some(url) => Place::Server(Box::new(url)),
            None => Place::Path(text.into()),
        }))
    }

    /// Opens it for reading alone. A dump is read to its end here, which takes as long as it is big.
    pub(crate) async fn open(&self, interest: &dyn Interest) -> Result<Database, OpenError> {
        match &self.0 {
            Place::Server(url) => match url.scheme {
                Scheme::Mysql => MysqlDatabase::connect(url).await.map(Database::Mysql),
                Scheme::Postgres => PostgresDatabase::connect(url).await.map(Database::Postgres),
            },
            Place::Path(path) => open_path(path, interest).map(Database::Sqlite),
        }
    }
}

fn open_path(path: &Path, interest: &dyn Interest) -> Result<SqliteDatabase, OpenError> {
    let cannot = |error: std::io::Error| OpenError::File { path: path.to_owned(), cause: error.to_string() };
    if path.metadata().map_err(cannot)?.is_dir() {
        return read_directory(path, interest);
    }
    let mut beginning = Vec::new();
    File::open(path).map_err(cannot)?.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut beginning).map_err(cannot)?;
    if beginning == SQLITE_MAGIC { SqliteDatabase::open(path) } else { read_dump(path, interest) }
}

/// How every SQLite file begins.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
