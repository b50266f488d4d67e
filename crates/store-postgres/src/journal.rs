use std::sync::Arc;
use std::time::Duration;

use regrant_grant::Realm;
use regrant_protocol::EpochNumber;
use regrant_store::stored::ending;
use regrant_store::{Ending, JOURNAL_RECORDS_READ_MAX, JournalSpan, OutsideError, Reached, StoreError};
use tokio::time::timeout;
use tokio_postgres::Row;

use crate::Address;
use crate::columns::{Columns, stored_count};
use crate::connect::Connector;
use crate::connection::{STATEMENT_MILLISECONDS_MAX, Value};
use crate::id_bytes::IdBytes;
use crate::pool::{Lease, Pool};
use crate::statements::database::{BEGIN, ROLLBACK};
use crate::statements::journal::{
    CREATE_JOURNAL, INSERT_JOURNAL, INSERT_RECORDS, SELECT_HAS_JOURNAL, SELECT_RECORDS, SELECT_SPAN,
};

/// How many connections of a node are for what ends something, where that waits for the journal, and how many it has to the journal.
/// The next end is made ready while one waits; more would wait for the same row.
pub(crate) const ENDING_CONNECTIONS: usize = 2;

/// How long a connection to the journal is waited for.
pub(crate) const LEASE_MILLISECONDS_MAX: u64 = 1_000;

/// How long it is waited until records are durable, or until the journal says where it ends. With the time before, it is shorter
/// than the store lets a transaction wait that is under way meanwhile.
pub(crate) const ANSWER_MILLISECONDS_MAX: u64 = 1_500;

/// The revocation journal in a database of its own, which all nodes share. Whoever adds to it holds the store's row that says which
/// record is the last.
pub struct JournalDatabase {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    realm: Realm,
}

/// A record, without what its place says already.
pub(crate) struct NumberedEnding {
    pub(crate) number: u64,
    pub(crate) ending: Ending,
}

impl JournalDatabase {
    /// Opens the journal of the store of this realm. Where there is none yet, it is begun after the record `known`, the last that the
    /// store has; without `known` that is an error.
    ///
    /// # Errors
    /// When it is another store's, or cannot be used.
    pub async fn open(address: Address, realm: Realm, known: Option<u64>) -> Result<Self, OutsideError> {
        let journal = Self::connect(address, realm).await?;
        journal.begin_unless_there(known).await?;
        Ok(journal)
    }

    /// Connects to where the journal of the store of this realm is to be: every host of it may take its time, as nobody waits yet.
    pub(crate) async fn connect(address: Address, realm: Realm) -> Result<Self, OutsideError> {
        let connector = Connector::new(address).map_err(|error| OutsideError(format!("store.journal: {error}")))?;
        let connector = Arc::new(connector);
        let journal = Self { pool: Pool::new(Arc::clone(&connector), ENDING_CONNECTIONS), connector, realm };
        journal.pool.lease().await.map_err(not_reached)?;
        Ok(journal)
    }

    /// Begins it where there is none yet, as [`open`](Self::open) says, and sees that it is this store's.
    pub(crate) async fn begin_unless_there(&self, known: Option<u64>) -> Result<(), OutsideError> {
        let lease = self.lease().await?;
        if !self.is_there(&lease).await? {
            let Some(known) = known else {
                let name = self.shown();
                return Err(OutsideError(format!(
                    "{name} has no revocation journal in it; name the one of this store in store.journal"
                )));
            };
            self.begin(&lease, known).await.map_err(|error| self.unusable(&error))?;
            tracing::info!(journal = self.shown(), after = known, "a revocation journal is begun");
        }
        drop(lease);
        self.span().await.map(drop)
    }

    /// Sees that there is a connection.
    pub(crate) async fn reach(&self) -> Result<(), OutsideError> {
        self.lease().await.map(drop)
    }

    /// Sees that there is a connection which is answered.
    pub(crate) async fn ask(&self) -> Result<(), OutsideError> {
        let lease = self.lease().await?;
        let bound = Duration::from_millis(ANSWER_MILLISECONDS_MAX);
        match timeout(bound, lease.query(SELECT_SPAN, &[])).await {
            Ok(answer) => answer.map(drop).map_err(|error| self.unusable(&error)),
            Err(_) => Err(self.silent(&lease)),
        }
    }

    /// From where to where it goes.
    ///
    /// # Errors
    /// When it is another store's, or cannot be read.
    pub async fn span(&self) -> Result<JournalSpan, OutsideError> {
        let lease = self.lease().await?;
        let span = self.read_own_span(&lease).await?;
        self.confirm(&lease).await?;
        Ok(span)
    }

    /// The same as it is shown, which may not be durable yet; `None` where there is none. Nothing is changed.
    pub(crate) async fn look(&self) -> Result<Option<JournalSpan>, OutsideError> {
        let lease = self.lease().await?;
        if self.is_there(&lease).await? { self.read_own_span(&lease).await.map(Some) } else { Ok(None) }
    }

    /// Whether it is at the server to which `store` leads, and would be lost with it.
    pub(crate) fn shares_server(&self, store: &Connector) -> bool {
        self.connector.last_server().is_some_and(|server| store.last_server() == Some(server))
    }

    async fn is_there(&self, lease: &Lease) -> Result<bool, OutsideError> {
        let has_one = lease.query(SELECT_HAS_JOURNAL, &[]).await.map_err(|error| self.unusable(&error))?;
        Ok(has_one.first().and_then(|row| row.try_get(0).ok()) != Some(false))
    }

    async fn read_own_span(&self, lease: &Lease) -> Result<JournalSpan, OutsideError> {
        let rows = lease.query(SELECT_SPAN, &[]).await.map_err(|error| self.unusable(&error))?;
        let row = rows.first().ok_or_else(|| self.unusable(&"it does not say whose it is"))?;
        let (realm, span) = read_span(row).map_err(|error| self.unusable(&error))?;
        if realm != self.realm {
            let name = self.shown();
            return Err(OutsideError(format!(
                "{name} is the journal of another store; name that of this one in store.journal"
            )));
        }
        Ok(span)
    }

    /// Adds endings after the record `known`, and returns the number of the last when all of them are durable; `None` when `known` is not
    /// its last record, and nothing was added.
    ///
    /// # Errors
    /// [`OutsideError`]; then none of them counts, though they may be found.
    pub async fn append(&self, known: u64, reached: Reached, endings: &[Ending]) -> Result<Option<u64>, OutsideError> {
        let lease = self.lease().await?;
        let added = timeout(Duration::from_millis(ANSWER_MILLISECONDS_MAX), self.add(&lease, known, reached, endings));
        let Ok(added) = added.await else { return Err(self.silent(&lease)) };
        let added = added.map_err(|error| self.unusable(&error))?;
        Ok((added == endings.len() as u64).then_some(known + added))
    }

    /// The first records after the one of this number, at most [`JOURNAL_RECORDS_READ_MAX`].
    pub(crate) async fn read_after(&self, number: u64) -> Result<Vec<NumberedEnding>, OutsideError> {
        let lease = self.lease().await?;
        let read = async {
            let values: [Value<'_>; 2] = [&stored_count(number)?, &stored_count(JOURNAL_RECORDS_READ_MAX as u64)?];
            lease.query(SELECT_RECORDS, &values).await?.iter().map(read_record).collect::<Result<_, _>>()
        };
        let records = read.await.map_err(|error: StoreError| self.unusable(&error))?;
        self.confirm(&lease).await?;
        Ok(records)
    }

    /// Sees that what was read is durable: a server that has crashed shows records that its standby has not got, and what was done by them
    /// would be in no journal once that has taken over.
    async fn confirm(&self, lease: &Lease) -> Result<(), OutsideError> {
        match timeout(Duration::from_millis(ANSWER_MILLISECONDS_MAX), lease.confirm()).await {
            Ok(confirmed) => confirmed.map_err(|error| self.unusable(&error)),
            Err(_) => Err(self.silent(lease)),
        }
    }

    async fn add(&self, lease: &Lease, known: u64, reached: Reached, endings: &[Ending]) -> Result<u64, StoreError> {
        let endings: Vec<String> = endings.iter().map(ending::to_json).collect();
        let (known, counter) = (stored_count(known)?, stored_count(reached.counter)?);
        let values: [Value<'_>; 5] = [&IdBytes(self.realm.0), &known, &i16::from(reached.epoch.0), &counter, &endings];
        lease.execute_durably(INSERT_RECORDS, &values).await
    }

    async fn begin(&self, lease: &Lease, known: u64) -> Result<(), StoreError> {
        lease.command(BEGIN, STATEMENT_MILLISECONDS_MAX).await?;
        let begun = async {
            lease.command(CREATE_JOURNAL, STATEMENT_MILLISECONDS_MAX).await?;
            lease.execute(INSERT_JOURNAL, &[&IdBytes(self.realm.0), &stored_count(known)?]).await
        };
        if let Err(error) = begun.await {
            lease.command(ROLLBACK, STATEMENT_MILLISECONDS_MAX).await?;
            return Err(error);
        }
        lease.commit().await
    }

    /// A connection. One that is being made when nobody waits for it any more is made all the same, and found by who comes next: of
    /// several hosts the first may be silent for longer than anybody waits.
    async fn lease(&self) -> Result<Lease, OutsideError> {
        let pool = Arc::clone(&self.pool);
        let leasing = tokio::spawn(async move { pool.lease().await });
        match timeout(Duration::from_millis(LEASE_MILLISECONDS_MAX), leasing).await {
            Ok(Ok(lease)) => lease.map_err(not_reached),
            Ok(Err(error)) => Err(self.unusable(&error)),
            Err(_) => Err(self.unusable(&"it cannot be reached in time")),
        }
    }

    /// What is told of a connection on which no answer comes.
    fn silent(&self, lease: &Lease) -> OutsideError {
        lease.lose();
        self.unusable(&"it did not answer in time")
    }

    /// Where it is, without the password.
    pub(crate) fn shown(&self) -> String {
        self.connector.shown()
    }

    /// What is told of a journal that cannot be used.
    pub(crate) fn unusable(&self, problem: &dyn ToString) -> OutsideError {
        let (name, problem) = (self.shown(), problem.to_string());
        OutsideError(format!(
            "the revocation journal at {name}: {problem}; see that its server runs, and that we may write there"
        ))
    }
}

fn not_reached(error: StoreError) -> OutsideError {
    OutsideError(format!("the revocation journal: {error}"))
}

fn read_span(row: &Row) -> Result<(Realm, JournalSpan), StoreError> {
    let mut columns = Columns::new(row, "journal", &"any");
    let realm = columns.id("realm").map(Realm)?;
    let begins_after = columns.count("begins_after")?;
    let number = columns.next_as("number", |stored: Option<i64>| stored.map(u64::try_from).transpose())?;
    let epoch = columns.next_as("epoch", |stored: Option<i16>| stored.map(u8::try_from).transpose())?;
    let counter = columns.next_as("counter", |stored: Option<i64>| stored.map(u64::try_from).transpose())?;
    let reached = epoch.zip(counter).map(|(epoch, counter)| Reached { counter, epoch: EpochNumber(epoch) });
    Ok((realm, JournalSpan { begins_after, last: number.unwrap_or(begins_after), reached }))
}

fn read_record(row: &Row) -> Result<NumberedEnding, StoreError> {
    let mut columns = Columns::new(row, "records", &"of unreadable number");
    let number = columns.count("number")?;
    columns.enter("records", &number);
    Ok(NumberedEnding { number, ending: columns.next_as("ending", ending::from_json)? })
}
