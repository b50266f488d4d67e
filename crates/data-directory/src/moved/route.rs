use regrant_store::{MovedRow, MovedTable, RowsDigest, TableDigest};
use regrant_store_postgres::ArrivingStore;
use regrant_store_sqlite::{DepartingStore, OpenError};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use super::{MoveError, MoveProgress, MoveStage};

/// How many lots of rows are read ahead of those that are written.
const LOTS_AHEAD_MAX: usize = 4;

/// What is on the way.
enum Lot {
    /// A table begins, which has so many rows.
    Begin(u64),
    /// Rows of it.
    Rows(Vec<MovedRow>),
    /// It has no more.
    End,
}

/// Carries every row from one store to the other, reading while it writes, and tells what each table came to.
pub(super) async fn write(
    departing: DepartingStore,
    arriving: &ArrivingStore,
    passed: &mut (dyn FnMut(MoveProgress) + Send),
) -> Result<Vec<(MovedTable, TableDigest)>, MoveError> {
    let (sender, mut receiver) = channel(LOTS_AHEAD_MAX);
    let reader = spawn_blocking(move || read(&departing, &sender));
    let mut written = Vec::with_capacity(MovedTable::ALL.len());
    for table in MovedTable::ALL {
        match write_table(table, arriving, &mut receiver, passed).await? {
            Some(digest) => written.push((table, digest)),
            None => break,
        }
    }
    reader.await.expect("reading does not panic, and nobody cancels it")?;
    Ok(written)
}

/// Stops where nobody wants any more.
fn read(departing: &DepartingStore, sender: &Sender<Lot>) -> Result<(), OpenError> {
    let send = |lot| sender.blocking_send(lot).is_ok();
    for table in MovedTable::ALL {
        if !send(Lot::Begin(departing.count(table)?)) {
            break;
        }
        departing.read(table, |rows| send(Lot::Rows(rows)))?;
        if !send(Lot::End) {
            break;
        }
    }
    Ok(())
}

/// `None` when the reader has stopped before the end of the table, and says why.
async fn write_table(
    table: MovedTable,
    arriving: &ArrivingStore,
    receiver: &mut Receiver<Lot>,
    passed: &mut (dyn FnMut(MoveProgress) + Send),
) -> Result<Option<TableDigest>, MoveError> {
    let (mut digest, mut rows_at_all) = (RowsDigest::default(), 0);
    let mut target = arriving.table(table).await?;
    while let Some(lot) = receiver.recv().await {
        match lot {
            Lot::Begin(rows) => rows_at_all = rows,
            Lot::Rows(rows) => {
                rows.iter().for_each(|row| digest.add(row));
                target.write(&rows).await?;
                let (stage, rows) = (MoveStage::Written, rows.len() as u64);
                passed(MoveProgress { stage, table, rows, rows_at_all });
            }
            Lot::End => {
                target.end().await?;
                return Ok(Some(digest.end()));
            }
        }
    }
    Ok(None)
}
