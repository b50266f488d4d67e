//! `regrant migrate-store`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use regrant_crypto::SystemEntropy;
use regrant_data_directory::{DataDirectory, DataDirectoryError, MoveProgress, MoveStage, StoreMoved};
use regrant_protocol::SystemClock;
use regrant_store::MovedTable;
use regrant_store_postgres::Address;
use serde::Serialize;

use super::api::run;
use super::confirm::Consent;
use super::import::unfinished;
use super::output::{Output, note};
use super::place::CommonOptions;
use super::progress::Progress;
use super::table::table;

/// What `regrant migrate-store` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct MigrateStoreOptions {
    #[command(flatten)]
    common: CommonOptions,
    /// The PostgreSQL that is to have the store, without the password: an empty database.
    #[arg(long, value_name = "URL")]
    to: String,
    /// Show what would be moved, and whether the database would take it. A server may run.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
}

const EXAMPLES: &str = "\
Examples:
  regrant migrate-store --to postgres://regrant@db1.example/regrant --dry-run
  regrant migrate-store --to postgres://regrant@db1.example/regrant --config /etc/regrant/regrant.toml
  REGRANT_STORE_PASSWORD_FILE=db.password regrant migrate-store --to postgres://regrant@db1.example/regrant --yes

Stop the server first, and then name the database in store.url of its configuration. The password is read as serve does:
from password_file in [store], REGRANT_STORE_PASSWORD_FILE or REGRANT_STORE_PASSWORD.";

/// What was moved, or would be.
#[derive(Serialize)]
struct MoveView {
    to: String,
    dry_run: bool,
    tables: Vec<TableView>,
    kept: Option<PathBuf>,
}

#[derive(Serialize)]
struct TableView {
    name: &'static str,
    rows: u64,
    /// As 16 hexadecimal digits; both databases come to the same.
    digest: Option<String>,
}

/// Runs `regrant migrate-store`: the store in the data directory moves to PostgreSQL, and nothing that was issued dies.
///
/// # Errors
/// Why nothing was moved.
pub fn migrate_store(options: MigrateStoreOptions) -> Result<()> {
    let MigrateStoreOptions { common, to, dry_run, consent } = options;
    // Else it would be told of the variable that stands for it.
    Address::parse(&to, None).context("--to")?;
    let (place, address) = common.look_with_postgres(&to)?;
    let (outside, output) = (place.outside().cloned().unwrap_or_default(), Output { is_json: common.json });
    unfinished::refuse_to_serve(&place.data)?;
    if dry_run {
        return run(async {
            let counted = DataDirectory::try_move_to_postgres(&place.data, &address, &outside).await?;
            let tables = counted.into_iter().map(|(table, rows)| TableView { name: table.name(), rows, digest: None });
            let view = MoveView { to: address.to_string(), dry_run, tables: tables.collect(), kept: None };
            output.answer(&view, listed)
        });
    }
    if !place.data.exists() {
        bail!("{} is not there; name the data directory with --data DIR", place.data.display());
    }
    let directory = match DataDirectory::open(&place.data) {
        Err(DataDirectoryError::InUse(_)) => {
            bail!("a server has {} open; stop it, and run this again", place.data.display())
        }
        opened => opened?,
    };
    let data = place.data.display();
    consent
        .to(&format!("Move the store of {data} to {address}, so that it is not served from {data} again?"), &common)?;
    run(async {
        let mut shown = Shown::default();
        let moved = directory
            .move_to_postgres(&address, &outside, &SystemEntropy, Arc::new(SystemClock), &mut |progress| {
                shown.advance(progress);
            })
            .await;
        shown.end();
        let moved = moved?;
        let told = told(&moved, &address);
        let view = view(moved, &address);
        output.answer(&view, listed)?;
        note(&told);
        Ok(())
    })
}

/// Progress, table by table: those of a few rows are not told.
#[derive(Default)]
struct Shown {
    at: Option<(MoveStage, MovedTable, Progress)>,
}

impl Shown {
    fn advance(&mut self, progress: MoveProgress) {
        let MoveProgress { stage, table, rows, rows_at_all } = progress;
        if self.at.as_ref().is_none_or(|(at_stage, at_table, _)| (*at_stage, *at_table) != (stage, table)) {
            self.end();
            let what = match stage {
                MoveStage::Written => "writing",
                MoveStage::Checked => "checking",
            };
            self.at = Some((stage, table, Progress::begin(format!("{what} {table}"), rows_at_all)));
        }
        if let Some((.., shown)) = &mut self.at {
            shown.advance(rows);
        }
    }

    fn end(&mut self) {
        if let Some((.., shown)) = self.at.take() {
            shown.end();
        }
    }
}

fn view(moved: StoreMoved, to: &Address) -> MoveView {
    let table = |(table, digest): (MovedTable, regrant_store::TableDigest)| TableView {
        name: table.name(),
        rows: digest.rows,
        digest: Some(format!("{:016x}", digest.digest)),
    };
    let tables = moved.tables.into_iter().map(table).collect();
    MoveView { to: to.to_string(), dry_run: false, tables, kept: Some(moved.kept) }
}

fn told(moved: &StoreMoved, to: &Address) -> String {
    let StoreMoved { tables, kept } = moved;
    let done = if tables.is_empty() {
        format!("the store is in {to}: an earlier move had come to its end")
    } else {
        format!("moved to {to}: every row was read back and is the same")
    };
    format!(
        "{done}. Name that database in store.url of the configuration, and start the server. {} is served no more; remove it when all is \
         well",
        kept.display()
    )
}

fn listed(view: &MoveView) -> String {
    if view.tables.is_empty() {
        return String::new();
    }
    let row = |table: &TableView| {
        [table.name.to_owned(), table.rows.to_string(), table.digest.clone().unwrap_or_else(|| "-".to_owned())]
    };
    table(["TABLE", "ROWS", "DIGEST"], &view.tables.iter().map(row).collect::<Vec<_>>())
}
