mod redirect_uris;

use std::path::Path;

use regrant_protocol::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::connection::{APPLICATION_ID, schema};
use crate::statements::database::{INSERT_MIGRATION, SELECT_MIGRATIONS};
use crate::statements::key::{INSERT_FIRST_EPOCH, INSERT_REALM};
use crate::{Genesis, OpenError};

/// A step of the schema. Its text never changes once it was released.
#[derive(Clone, Copy)]
pub(crate) struct Migration {
    number: u32,
    name: &'static str,
    sql: &'static str,
    /// What SQL cannot say of it, done after the text.
    convert: fn(&Connection) -> rusqlite::Result<()>,
}

/// Every migration, numbered from 1 without a gap.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(1, "clients_users_grants_keys", include_str!("../migrations/0001_clients_users_grants_keys.sql")),
    Migration {
        convert: redirect_uris::drop_unusable,
        ..Migration::new(2, "sessions_consents_codes", include_str!("../migrations/0002_sessions_consents_codes.sql"))
    },
    Migration::new(3, "families_siblings", include_str!("../migrations/0003_families_siblings.sql")),
    Migration::new(4, "signing_keys_rotated", include_str!("../migrations/0004_signing_keys_rotated.sql")),
    Migration::new(5, "last_sweep_live_sessions", include_str!("../migrations/0005_last_sweep_live_sessions.sql")),
    Migration::new(6, "imported_tokens", include_str!("../migrations/0006_imported_tokens.sql")),
    Migration::new(7, "stand_in_settings", include_str!("../migrations/0007_stand_in_settings.sql")),
    Migration::new(8, "remembered_imports", include_str!("../migrations/0008_remembered_imports.sql")),
    Migration::new(9, "high_water", include_str!("../migrations/0009_high_water.sql")),
    Migration::new(10, "families_counted", include_str!("../migrations/0010_families_counted.sql")),
];

/// Brings the file to the last of `migrations`, and gives a new one its identity: all in one transaction, so that a crash
/// leaves what was there before.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration],
    genesis: &Genesis,
    now: Timestamp,
) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| OpenError::of_sqlite(path, &error);
    let found = schema(connection, path)?;
    let known = migrations.last().map_or(0, |migration| migration.number);
    if found > known {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known });
    }
    if found > 0 {
        check_applied(connection, path, migrations)?;
    }
    let pending = migrations.iter().filter(|migration| migration.number > found);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    for migration in pending {
        migration.apply(&transaction, now).map_err(failed)?;
    }
    if found == 0 {
        found_store(&transaction, genesis).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

impl Migration {
    /// One that SQL says all of.
    const fn new(number: u32, name: &'static str, sql: &'static str) -> Self {
        Self { number, name, sql, convert: |_| Ok(()) }
    }

    fn apply(&self, transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
        transaction.execute_batch(self.sql)?;
        (self.convert)(transaction)?;
        transaction.execute(INSERT_MIGRATION, params![self.number, self.name, self.checksum(), now.milliseconds()])?;
        transaction.pragma_update(None, "user_version", self.number)
    }

    /// FNV-1a, 64 bits: enough to notice an edit, and no promise against anybody who wants to deceive.
    fn checksum(&self) -> i64 {
        let hash = self
            .sql
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        hash.cast_signed()
    }
}

fn check_applied(connection: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), OpenError> {
    let applied = || -> rusqlite::Result<Vec<(u32, i64)>> {
        let mut statement = connection.prepare(SELECT_MIGRATIONS)?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    for (number, checksum) in applied().map_err(|error| OpenError::of_sqlite(path, &error))? {
        let known = migrations.iter().find(|migration| migration.number == number);
        if known.is_none_or(|migration| migration.checksum() != checksum) {
            return Err(OpenError::ForeignMigration { path: path.to_owned(), number });
        }
    }
    Ok(())
}

fn found_store(transaction: &Transaction<'_>, genesis: &Genesis) -> rusqlite::Result<()> {
    transaction.execute(INSERT_REALM, [&genesis.realm.0])?;
    transaction.execute(INSERT_FIRST_EPOCH, params![FIRST_EPOCH, genesis.epoch_random])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)
}

const FIRST_EPOCH: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use regrant_grant::Realm;

    const GENESIS: Genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
    const FIRST: Migration = MIGRATIONS[0];
    const SECOND: Migration = Migration { number: 2, sql: "CREATE TABLE second (a INTEGER) STRICT", ..FIRST };
    const BROKEN: Migration = Migration { number: 2, sql: "CREATE TABLE half (a); CREATE TABLE half;", ..FIRST };
    const UNCONVERTED: Migration = Migration { convert: |_| Err(rusqlite::Error::InvalidQuery), ..SECOND };
    const EDITED: Migration = Migration { sql: "SELECT 1", ..FIRST };

    fn run(connection: &mut Connection, migrations: &[Migration]) -> Result<(), OpenError> {
        migrate(connection, Path::new("regrant.db"), migrations, &GENESIS, Timestamp::from_seconds(1))
    }

    fn tables(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_migrations_are_numbered_from_one_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1, "{}", migration.name);
        }
    }

    #[test]
    fn a_store_is_brought_up_to_date_once_and_never_back() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        let before = tables(&connection);
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(tables(&connection), before + 1);
        let refusal = run(&mut connection, &[FIRST]).unwrap_err();
        assert_eq!(refusal, OpenError::NewerSchema { path: "regrant.db".into(), found: 2, known: 1 });
        let identities: i64 = connection.query_row("SELECT count(*) FROM identity", [], |row| row.get(0)).unwrap();
        assert_eq!(identities, 1);
    }

    #[test]
    fn a_migration_that_fails_leaves_what_was_there_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        for broken in [BROKEN, UNCONVERTED] {
            run(&mut connection, &[FIRST, broken]).unwrap_err();
            assert_eq!(tables(&connection), 0);
        }
        run(&mut connection, &[FIRST]).unwrap();
    }

    #[test]
    fn a_migration_that_was_edited_after_it_was_applied_is_noticed() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        let refusal = run(&mut connection, &[EDITED]).unwrap_err();
        assert_eq!(refusal, OpenError::ForeignMigration { path: "regrant.db".into(), number: 1 });
    }
}
