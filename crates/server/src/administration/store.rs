//! `regrant store`.

use std::sync::Arc;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use regrant_crypto::{SystemEntropy, random};
use regrant_grant::Realm;
use regrant_protocol::SystemClock;
use regrant_store_postgres::{Genesis, PendingMigration, PostgresStore};
use serde::Serialize;

use crate::config::StoreConfig;

use super::api::run;
use super::output::Output;
use super::place::CommonOptions;
use super::table::table;

/// What `regrant store` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StoreOptions {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: StoreCommand,
}

const EXAMPLES: &str = "\
Examples:
  regrant store migrate --dry-run
  regrant store migrate --config /etc/regrant/regrant.toml";

#[derive(Subcommand, Clone, Debug)]
enum StoreCommand {
    /// Bring the schema of a PostgreSQL database to this version, or make the store there.
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate(Migrate),
}

const MIGRATE_EXAMPLES: &str = "\
Examples:
  regrant store migrate --dry-run
  regrant store migrate --dry-run --json | jq -r '.migrations[].sql'
  regrant store migrate

Servers of this version and of the one before go on meanwhile. A server migrates by itself when it starts; this is for who wants to see
it before.";

#[derive(Args, Clone, Debug)]
struct Migrate {
    /// Show what there is to do, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What was to be done to a schema.
#[derive(Serialize)]
struct Migrations {
    store: String,
    dry_run: bool,
    migrations: Vec<MigrationView>,
}

#[derive(Serialize)]
struct MigrationView {
    number: i32,
    name: &'static str,
    sql: &'static str,
}

impl From<PendingMigration> for MigrationView {
    fn from(pending: PendingMigration) -> Self {
        let PendingMigration { number, name, sql } = pending;
        Self { number, name, sql }
    }
}

/// Runs `regrant store`.
///
/// # Errors
/// Why the schema is as it was.
pub fn store(options: StoreOptions) -> Result<()> {
    let StoreOptions { common, command: StoreCommand::Migrate(Migrate { dry_run }) } = options;
    let place = common.look()?;
    let StoreConfig::Postgres(settings) = place.store() else {
        bail!(
            "{} is SQLite, which the first start of a new version migrates by itself; for PostgreSQL, name the configuration with --config FILE",
            place.data.display()
        );
    };
    run(async {
        let pending = PostgresStore::pending_migrations(&settings.address).await?;
        if !dry_run && !pending.is_empty() {
            let genesis = Genesis { realm: Realm(random(&SystemEntropy)), epoch_random: random(&SystemEntropy) };
            drop(PostgresStore::open(settings.as_ref().clone(), genesis, Arc::new(SystemClock)).await?);
        }
        let migrations = pending.into_iter().map(MigrationView::from).collect();
        let told = Migrations { store: place.store().shown(&place.data), dry_run, migrations };
        Output { is_json: common.json }.answer(&told, listed)
    })
}

fn listed(told: &Migrations) -> String {
    if told.migrations.is_empty() {
        return format!("{} is as this version needs it: nothing to migrate\n", told.store);
    }
    let state = if told.dry_run { "to do" } else { "done" };
    let row = |migration: &MigrationView| [migration.number.to_string(), migration.name.to_owned(), state.to_owned()];
    table(["MIGRATION", "NAME", "STATE"], &told.migrations.iter().map(row).collect::<Vec<_>>())
}
