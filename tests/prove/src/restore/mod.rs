//! `prove restore`: a backup, many refreshes and revocations after it, tokens stolen before and after, and then the database is put
//! back.
//!
//! [`Place`](place::Place) is where: a data directory, or a database with three nodes. [`Drill`] prepares it, and makes a copy for each way to put it back; [`variant`] says what must come of each, and counts what did.

mod chance;
mod databases;
mod drill;
mod files;
mod place;
mod variant;

use anyhow::Result;

use crate::report::Report;
use crate::scale::Scale;
use crate::world::StoreKind;

use drill::{Drill, Size};
use variant::Variant;

/// Runs every variant whose name contains `only`.
pub(crate) async fn run(scale: Scale, store: StoreKind, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let size = match scale {
        Scale::Ci => Size { grants_of_kind: 32, refreshes: 1_000, revocations: 16 },
        Scale::Night => Size { grants_of_kind: 400, refreshes: 20_000, revocations: 200 },
        Scale::Gate => Size { grants_of_kind: 1_200, refreshes: 100_000, revocations: 1_000 },
    };
    let chosen: Vec<_> = Variant::ALL.into_iter().filter(|variant| variant.name().contains(only)).collect();
    if chosen.is_empty() {
        return Ok(());
    }
    let drill = Drill::prepare(store, size, seed).await?;
    for variant in chosen {
        variant.run(drill.again()?, report).await?;
    }
    Ok(())
}
