use std::sync::Arc;

use regrant_store::JournalSpan;

use crate::connect::Connector;
use crate::journal::JournalDatabase;
use crate::rows::high_water::find_place;
use crate::{OpenError, Settings};

/// What the revocation journal of a store is like, as far as there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedJournal {
    /// The last record that the store has; 0 for none.
    pub known: u64,
    /// What is where the settings say; `None` where they name none.
    pub found: Option<FoundJournal>,
}

/// What is where a journal is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundJournal {
    /// Where, without the password.
    pub address: String,
    /// From where to where it goes; `None` where it was not begun.
    pub span: Option<JournalSpan>,
    /// Whether the server is that of the store: what is lost with that is lost with it.
    pub shares_server: bool,
}

/// Looks at the journal of the store in a database, which has to have the schema of this version, and changes nothing.
///
/// # Errors
/// As [`PostgresStore::open`](crate::PostgresStore::open), and when the journal cannot be reached, or is another store's.
pub async fn examine_journal(settings: &Settings) -> Result<ExaminedJournal, OpenError> {
    let connector = Arc::new(Connector::new(settings.address.clone())?);
    let connection = connector.connect().await?;
    let (realm, place) = find_place(&connection).await.map_err(|error| connector.damaged(&error))?;
    let known = place.water.journalled;
    let Some(address) = settings.journal.clone() else { return Ok(ExaminedJournal { known, found: None }) };
    let journal = JournalDatabase::connect(address, realm).await?;
    let span = journal.look().await?;
    let found = FoundJournal { address: journal.shown(), span, shares_server: journal.shares_server(&connector) };
    Ok(ExaminedJournal { known, found: Some(found) })
}
