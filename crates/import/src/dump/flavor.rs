use std::io::Read;
use std::path::Path;

use crate::OpenError;

/// Whose SQL a dump is written in: they escape characters differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    /// `mysqldump`, `mariadb-dump`, phpMyAdmin.
    Mysql,
    /// `pg_dump` in its plain format.
    Postgres,
    /// `sqlite3 file .dump`.
    Sqlite,
}

impl Flavor {
    /// Whether names and keys that differ in case alone are the same there.
    pub(super) const fn ignores_case(self) -> bool {
        matches!(self, Self::Mysql)
    }
}

/// How much of a file says what it is.
const BEGINNING_BYTES_MAX: u64 = 64 * 1024;

/// Says whose dump a file is, by how it begins.
///
/// # Errors
/// When it is something else that people call a dump, with what to do about it.
pub(super) fn recognize(file: impl Read, path: &Path) -> Result<Flavor, OpenError> {
    let mut beginning = Vec::new();
    file.take(BEGINNING_BYTES_MAX)
        .read_to_end(&mut beginning)
        .map_err(|error| OpenError::File { path: path.to_owned(), cause: error.to_string() })?;
    let format = |found, remedy| OpenError::Format { path: path.to_owned(), found, remedy };
    for (magic, found, remedy) in OTHERS {
        if beginning.starts_with(magic) {
            return Err(format(found, remedy));
        }
    }
    let text = String::from_utf8_lossy(&beginning);
    let marks = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    if marks(&["PostgreSQL database dump", "pg_catalog.", "FROM stdin;"]) {
        Ok(Flavor::Postgres)
    } else if marks(&["MySQL dump", "MariaDB dump", "phpMyAdmin", "ENGINE=", "/*!"]) || text.contains('`') {
        Ok(Flavor::Mysql)
    } else if marks(&["CREATE TABLE", "INSERT INTO", "create table", "insert into"]) {
        Ok(Flavor::Sqlite)
    } else {
        Err(format(
            "no database and no SQL dump",
            "give a SQLite file, or what mysqldump, pg_dump --format=plain or sqlite3's .dump wrote",
        ))
    }
}

/// What begins so, what it is, and what to do.
const OTHERS: [(&[u8], &str, &str); 7] = [
    (b"PGDMP", "a dump in pg_dump's own format", "write it as SQL with pg_restore --file=dump.sql"),
    (b"\x1f\x8b", "packed by gzip", "unpack it first"),
    (b"BZh", "packed by bzip2", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it first"),
    (b"PK\x03\x04", "packed by zip", "unpack it first"),
    (
        b"\xff\xfe",
        "UTF-16, as PowerShell writes redirected output",
        "convert it with iconv --from-code=UTF-16 --to-code=UTF-8, or let the dump program write the file",
    ),
    (b"\xfe\xff", "UTF-16", "convert it with iconv --from-code=UTF-16 --to-code=UTF-8"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_known_by_its_beginning() {
        let cases: [(&[u8], Result<Flavor, &str>); 9] = [
            (b"-- MySQL dump 10.13\n", Ok(Flavor::Mysql)),
            (b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19", Ok(Flavor::Mysql)),
            (b"INSERT INTO `oauth_clients` VALUES (1);", Ok(Flavor::Mysql)),
            (b"--\n-- PostgreSQL database dump\n--\n", Ok(Flavor::Postgres)),
            (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE a(b);", Ok(Flavor::Sqlite)),
            (b"PGDMP\x01\x0e", Err("pg_restore")),
            (b"\xff\xfe-\0-\0", Err("UTF-16")),
            (b"\x1f\x8b\x08", Err("unpack")),
            (b"client_id,secret\n", Err("no SQL dump")),
        ];
        for (beginning, expected) in cases {
            match (recognize(beginning, Path::new("dump")), expected) {
                (Ok(flavor), Ok(expected)) => assert_eq!(flavor, expected),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, expected) => panic!("{found:?}, not {expected:?}"),
            }
        }
    }
}
