use std::num::NonZeroU16;
use std::sync::Arc;

use async_trait::async_trait;
use regrant_grant::{Grant, GrantId, ImportedToken, Realm, SessionId};
use regrant_protocol::{ClientId, Clock, EpochNumber, Subject, Timestamp, Username};
use regrant_store::{
    AnnouncedKey, ChangeError, Changes, Client, ClientChange, ClientHandle, Consent, FoundToken, GrantFilter,
    HighWater, Identity, ImportError, Imported, ImportedGrant, ListedGrant, Mark, NewKeys, Node, OutsideError, Page,
    RolledBack, SealedSigningKey, SeenNode, Session, SharedStore, SigningKeyChange, Step, Store, StoreError, Sweep,
    SweepError, Swept, User, UserChange,
};

use crate::alone::BEGINNINGS_MAX;
use crate::connect::Connector;
use crate::guard::{Guard, Strange};
use crate::journal::{ENDING_CONNECTIONS, JournalDatabase};
use crate::lane::Lanes;
use crate::listener::Listener;
use crate::migration::{MIGRATIONS, exists, migrate, pending, realm};
use crate::page::rows_max;
use crate::pool::Pool;
use crate::replay::{ReplayError, catch_up};
use crate::rows::{client, consent, high_water, imported_token, key, last_sweep, session, shared, user};
use crate::store_clock::StoreClock;
use crate::transaction::Transaction;
use crate::{Address, OpenError, PendingMigration, TimeOfDay, grants_of, import, page, sweep};

/// For how long a node that was seen may still be there.
const NODE_THERE_MILLISECONDS: u64 = 10_000;

/// What a new store is made from: 32 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// What makes it different from every other store.
    pub realm: Realm,
    /// What goes into every authority tag of its first epoch.
    pub epoch_random: [u8; 16],
}

/// How a node uses the database.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub address: Address,
    /// How many connections are used for steps, such as refreshes: as many of them are under way at once.
    pub step_connections: NonZeroU16,
    /// How many connections are used for everything else at most.
    pub other_connections: NonZeroU16,
    /// Whose time of day counts.
    pub time_of_day: TimeOfDay,
    /// Where the revocation journal is, to which everything is added that ends: another database, the same for all nodes, and best on
    /// another server; `None` for none.
    pub journal: Option<Address>,
}

impl Settings {
    /// Four connections of each kind, and the time of the database.
    #[must_use]
    pub fn new(address: Address) -> Self {
        const FOUR: NonZeroU16 = NonZeroU16::new(4).expect("it is not zero");
        Self {
            address,
            step_connections: FOUR,
            other_connections: FOUR,
            time_of_day: TimeOfDay::Database,
            journal: None,
        }
    }
}

/// The store on PostgreSQL: one node's part of it. Other nodes may use the same database meanwhile.
///
/// Dropping it lets the steps that wait finish, and does not wait for that. The mark is written by then.
pub struct PostgresStore {
    connector: Arc<Connector>,
    identity: Identity,
    lanes: Lanes,
    pool: Arc<Pool>,
    /// Connections for what ends something, where that has to wait for a journal: no other caller waits with it.
    ending: Option<Arc<Pool>>,
    /// One connection for what a node has to know of the others, as it decides nothing without: no other caller is waited for.
    following: Arc<Pool>,
    clock: StoreClock,
    listener: Listener,
    guard: Arc<Guard>,
}

impl PostgresStore {
    /// Opens the store in a database, or makes it there from `genesis`, in a schema named `regrant`. Deadlines of steps are on
    /// `clock`.
    ///
    /// A crash while it is made or migrated leaves what was there before. Nodes that are started at once wait for the one that
    /// migrates.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn open(settings: Settings, genesis: Genesis, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_beside(settings, genesis, clock, |_| Ok(None)).await
    }

    /// The same beside a high-water mark, which belongs to this node and is compared with the store. `mark` is called once, when it is
    /// known which store it is.
    ///
    /// # Errors
    /// [`OpenError`] says what to do. A store that was put back to an earlier day is told so, and no node decides anything any more.
    pub async fn open_beside(
        settings: Settings,
        genesis: Genesis,
        clock: Arc<dyn Clock>,
        mark: impl FnOnce(&Identity) -> Result<Option<Box<dyn Mark>>, OutsideError>,
    ) -> Result<Self, OpenError> {
        let Settings { address, step_connections, other_connections, time_of_day, journal } = settings;
        let connector = Arc::new(Connector::new(address)?);
        migrate(&connector, MIGRATIONS, &genesis).await?;
        let pool = Pool::new(Arc::clone(&connector), usize::from(other_connections.get()));
        let lease = pool.lease().await.map_err(|error| connector.unavailable(&error))?;
        let reading = Transaction::reading(lease);
        let damaged = |error: StoreError| connector.damaged(&error);
        let identity = key::identity(&reading).await.map_err(damaged)?;
        let water = high_water::find(&reading).await.map_err(damaged)?;
        if let Some(at) = water.halted_at {
            return Err(OpenError::Halted { address: connector.shown(), at });
        }
        // Or what a crash has left here would go into the mark, and be missed where a standby takes over that never had it.
        reading.lease().confirm().await.map_err(damaged)?;
        let guard = match Guard::new(identity.epoch().number, &water, mark(&identity)?, Arc::clone(&clock)) {
            Ok(guard) => guard,
            Err(how) => return Err(rolled_back(&connector, &reading, how).await),
        };
        if journal.is_none() && water.journalled > 0 {
            return Err(OpenError::JournalNotNamed { address: connector.shown() });
        }
        drop(reading);
        let clock = StoreClock::new(clock, time_of_day);
        let journal = match journal {
            Some(address) => {
                let (journal, water) = open_journal(&connector, &pool, &clock, &identity, address).await?;
                guard.reached_by_any(&water);
                Some(journal)
            }
            None => None,
        };
        let guard = Arc::new(guard.with_journal(journal));
        connector.expect(identity.realm, Arc::clone(&guard));
        let lane_count = usize::from(step_connections.get());
        let step_pool = Pool::new(Arc::clone(&connector), lane_count);
        let ending = guard.journal().map(|_| Pool::new(Arc::clone(&connector), ENDING_CONNECTIONS));
        let lanes = Lanes::start(lane_count, &step_pool, ending.as_ref(), &clock, identity.epoch().number);
        let following = Pool::new(Arc::clone(&connector), 1);
        let listener = Listener::new(Arc::clone(&connector));
        Ok(Self { connector, identity, lanes, pool, ending, following, clock, listener, guard })
    }

    /// Whether there is a store in the database.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn exists(address: &Address) -> Result<bool, OpenError> {
        exists(&Connector::new(address.clone())?).await
    }

    /// What makes the store in the database different from every other; `None` where there is none. Nothing is changed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn realm(address: &Address) -> Result<Option<Realm>, OpenError> {
        realm(&Connector::new(address.clone())?).await
    }

    /// What [`open`](Self::open) would do to the schema of the database, which is left as it is.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn pending_migrations(address: &Address) -> Result<Vec<PendingMigration>, OpenError> {
        pending(&Connector::new(address.clone())?, MIGRATIONS).await
    }

    fn epoch(&self) -> EpochNumber {
        self.identity.epoch().number
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(self.pool.lease().await?, &self.clock).await
    }

    /// A transaction that ends something, or may.
    async fn begin_to_end(&self) -> Result<Transaction, StoreError> {
        let pool = self.ending.as_ref().unwrap_or(&self.pool);
        Transaction::begin(pool.lease().await?, &self.clock).await
    }

    /// A transaction that changes nothing which has to be durable.
    async fn begin_uncounted(&self) -> Result<Transaction, StoreError> {
        self.begin().await.map(Transaction::uncounted)
    }

    /// To read what a node has to know of the others.
    async fn follow(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::reading_alone(self.following.lease_to_look().await?))
    }

    /// Writes down what stops every node. Until that was done, it is tried again each time that somebody asks for changes.
    async fn note_halt(&self, transaction: &Transaction) {
        match high_water::halt(transaction.lease()).await {
            Ok(()) => self.guard.noted(),
            Err(error) => tracing::error!(%error, "other nodes do not know yet that the database was put back"),
        }
    }

    async fn read(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::reading(self.pool.lease().await?))
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.guard.close();
    }
}

/// Lets every node know that the store was put back: others, whose marks are older, would go on.
async fn rolled_back(connector: &Connector, reading: &Transaction, how: RolledBack) -> OpenError {
    if how.needs_restore()
        && let Err(error) = high_water::halt(reading.lease()).await
    {
        tracing::error!(%error, "other nodes may not know that the database was put back");
    }
    OpenError::RolledBack { address: connector.shown(), how }
}

/// Opens the journal, and does what it has and the store has not; how far that has come with it. Where somebody is in the way who ends
/// something at the same time, it is begun again.
async fn open_journal(
    connector: &Connector,
    pool: &Arc<Pool>,
    clock: &StoreClock,
    identity: &Identity,
    address: Address,
) -> Result<(JournalDatabase, HighWater), OpenError> {
    let unavailable = |error: StoreError| connector.damaged(&error);
    let journal = JournalDatabase::connect(address, identity.realm).await?;
    if journal.shares_server(connector) {
        tracing::warn!(
            journal = journal.shown(),
            "the revocation journal is at the server of the store, and lost with it; name a database of another server"
        );
    }
    let mut beginnings = 1..=BEGINNINGS_MAX;
    loop {
        let is_last = beginnings.next() == Some(BEGINNINGS_MAX);
        let lease = pool.lease().await.map_err(unavailable)?;
        let transaction = Transaction::begin(lease, clock).await.map_err(unavailable)?.uncounted();
        let caught_up = async {
            let water = high_water::lock(&transaction).await?;
            begin_or_find(&transaction, &journal, &water).await?;
            catch_up(&transaction, &journal, identity.epoch().number).await
        };
        let caught_up = caught_up.await;
        let is_contended = transaction.met_contention();
        match caught_up {
            Ok(water) => {
                transaction.commit().await.map_err(unavailable)?;
                return Ok((journal, water));
            }
            Err(error) => {
                transaction.roll_back().await;
                match error {
                    ReplayError::RolledBack(how) => {
                        let reading = Transaction::reading(pool.lease().await.map_err(unavailable)?);
                        return Err(rolled_back(connector, &reading, how).await);
                    }
                    ReplayError::Journal(error) => return Err(error.into()),
                    ReplayError::Store(_) if is_contended && !is_last => {}
                    ReplayError::Store(error) => return Err(unavailable(error)),
                }
            }
        }
    }
}

/// Begins the journal of a store that has none, or another one where no node may be there that goes on with the one before: what ends
/// at the one and at the other would be in neither as a whole.
async fn begin_or_find(
    transaction: &Transaction,
    journal: &JournalDatabase,
    water: &HighWater,
) -> Result<(), ReplayError> {
    let nodes = shared::nodes(transaction).await?;
    let there = nodes.iter().filter(|seen| seen.seen_milliseconds_ago < NODE_THERE_MILLISECONDS);
    let there: Vec<_> = there.map(|seen| seen.node.name.as_str()).collect();
    if water.journalled == 0 || there.is_empty() {
        return Ok(journal.begin_unless_there(Some(water.journalled)).await?);
    }
    let began = journal.begin_unless_there(None).await;
    Ok(began.map_err(|OutsideError(told)| {
        let (names, seconds) = (there.join(", "), NODE_THERE_MILLISECONDS / 1_000);
        OutsideError(format!(
            "{told} (nodes that were there a moment ago: {names}; to begin another, stop all nodes, and start one {seconds} seconds later)"
        ))
    })?)
}

#[async_trait]
impl Store for PostgresStore {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }

    async fn step(&self, step: Step) -> Result<(), StoreError> {
        self.lanes.run(step).await
    }

    async fn halt(&self) -> Result<(), StoreError> {
        let other =
            || StoreError::Unavailable("the database has become another server meanwhile; ask again".to_owned());
        let server = self.connector.generation();
        if self.guard.is_new(server) {
            return Err(other());
        }
        self.guard.halt(server);
        self.connector.look_around().await;
        if self.connector.generation() != server {
            self.guard.relent(server);
            return Err(other());
        }
        let reading = self.read().await?;
        if reading.lease().generation() != server {
            self.guard.relent(server);
            return Err(other());
        }
        high_water::halt(reading.lease()).await?;
        self.guard.noted();
        Ok(())
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        client::find(&self.read().await?, id).await
    }

    async fn client_with_handle(&self, handle: ClientHandle) -> Result<Option<Client>, StoreError> {
        client::find_by_handle(&self.read().await?, handle).await
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        client::all(&self.read().await?).await
    }

    async fn add_client(&self, client: Client) -> Result<(), ChangeError> {
        let transaction = self.begin().await?;
        let added = client::add(&transaction, &client).await;
        transaction.end(added).await
    }

    async fn change_client(&self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError> {
        let transaction = match &change {
            ClientChange::Settings { .. } => self.begin().await?,
            ClientChange::Enabled(_) | ClientChange::RaiseCutoff | ClientChange::Remove => self.begin_to_end().await?,
        };
        let changed = client::change(&transaction, id, &change).await;
        transaction.end(changed).await
    }

    async fn user_named(&self, username: &Username) -> Result<Option<User>, StoreError> {
        user::find_named(&self.read().await?, username).await
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        user::find(&self.read().await?, subject).await
    }

    async fn add_user(&self, user: User) -> Result<(), ChangeError> {
        let transaction = self.begin().await?;
        let added = user::add(&transaction, &user).await;
        transaction.end(added).await
    }

    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError> {
        let transaction = match &change {
            UserChange::Password { .. } | UserChange::Rehashed { .. } | UserChange::Profile { .. } => {
                self.begin().await?
            }
            UserChange::Status(_) | UserChange::RaiseCutoff | UserChange::Remove => self.begin_to_end().await?,
        };
        let changed = user::change(&transaction, subject, &change).await;
        transaction.end(changed).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        session::find(&self.read().await?, id).await
    }

    async fn keep_session(&self, session: Session) -> Result<(), ChangeError> {
        let transaction = self.begin().await?;
        let kept = session::keep(&transaction, &session).await;
        transaction.end(kept).await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        let transaction = self.begin_to_end().await?;
        let ended = session::end(&transaction, id).await;
        transaction.end(ended).await
    }

    async fn end_sessions(&self, user: &Subject, except: Option<SessionId>) -> Result<(), StoreError> {
        let transaction = self.begin_to_end().await?;
        let ended = session::end_all(&transaction, user, except).await;
        transaction.end(ended).await
    }

    async fn consent(&self, user: &Subject, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        consent::find(&self.read().await?, user, client).await
    }

    async fn keep_consent(&self, consent: Consent) -> Result<(), ChangeError> {
        let transaction = self.begin().await?;
        let kept = consent::keep(&transaction, &consent).await;
        transaction.end(kept).await
    }

    async fn forget_consents(&self, user: &Subject, client: Option<&ClientId>) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let forgotten = consent::forget(&transaction, user, client).await;
        transaction.end(forgotten).await
    }

    async fn grants_of(&self, user: &Subject) -> Result<Vec<Grant>, StoreError> {
        let transaction = self.begin_uncounted().await?;
        let listed = grants_of::list(&transaction, self.epoch(), user).await;
        transaction.end(listed).await
    }

    async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError> {
        let transaction = self.begin_uncounted().await?;
        let listed = page::list(&transaction, self.epoch(), filter, after, count_max).await;
        transaction.end(listed).await
    }

    async fn end_grants(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
    ) -> Result<Page<GrantId, GrantId>, StoreError> {
        let transaction = self.begin_to_end().await?;
        let ended = page::end(&transaction, filter, made_before, after).await;
        transaction.end(ended).await
    }

    async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError> {
        ImportError::check(&grants)?;
        let transaction = self.begin().await?;
        let imported = import::import(&transaction, self.epoch(), grants).await;
        Ok(transaction.end(imported).await?)
    }

    async fn imported_token(&self, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
        imported_token::find(&self.read().await?, token).await
    }

    async fn imports_are_live(&self) -> Result<bool, StoreError> {
        imported_token::is_any(&self.read().await?).await
    }

    async fn users(&self, after: Option<&Username>, count_max: u32) -> Result<Page<User, Username>, StoreError> {
        user::page(&self.read().await?, after, rows_max(count_max)).await
    }

    async fn sweep(&self, slice: Sweep) -> Result<Swept, SweepError> {
        let transaction = self.begin_to_end().await?;
        let swept = sweep::sweep(&transaction, self.epoch(), &slice).await;
        transaction.end(swept).await
    }

    async fn swept_at(&self) -> Result<Option<Timestamp>, StoreError> {
        last_sweep::find(&self.read().await?).await
    }

    async fn trust_clock(&self) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let set = last_sweep::set(&transaction).await;
        transaction.end(set).await
    }

    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError> {
        let transaction = self.follow().await?;
        let announced = key::announced(&transaction).await;
        transaction.give_back();
        announced
    }

    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError> {
        let transaction = self.begin().await?;
        let announced = key::announce(&transaction, key).await;
        transaction.end(announced).await
    }

    async fn replace_keys(&self, keys: NewKeys) -> Result<(), ChangeError> {
        let transaction = self.begin_to_end().await?;
        let replaced = key::replace(&transaction, &keys).await;
        transaction.end(replaced).await
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let transaction = self.follow().await?;
        let signing = key::signing(&transaction).await;
        transaction.give_back();
        signing
    }

    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let added = key::add_signing(&transaction, &key).await;
        transaction.end(added).await
    }

    async fn add_first_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let added = key::add_first_signing(&transaction, &key).await;
        transaction.end(added).await
    }

    async fn change_signing_key(&self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        let transaction = self.begin_to_end().await?;
        let changed = key::change_signing(&transaction, key_id, &change).await;
        transaction.end(changed).await
    }
}

#[async_trait]
impl SharedStore for PostgresStore {
    async fn changes(&self) -> Result<Changes, StoreError> {
        let transaction = self.follow().await?;
        let asked = self.guard.ask();
        let (changes, found) = shared::changes(&transaction).await?;
        let server = transaction.lease().generation();
        if let Err(strange) = self.guard.look(asked, &found, server) {
            // The next connection finds out what it is, and whether another host is better.
            transaction.lease().lose();
            return Err(match strange {
                Strange::Behind { .. } | Strange::Restored => StoreError::RolledBack,
                Strange::NewerSchema(schema) => schema.error(),
            });
        }
        if self.guard.owes_note(server) {
            self.note_halt(&transaction).await;
        }
        // Or a server that was cut off would tell for ever that nothing has changed.
        transaction.lease().confirm().await?;
        self.guard.reached_by_any(&found.water);
        transaction.give_back();
        Ok(changes)
    }

    async fn hear(&self, heard: u64) -> u64 {
        self.listener.hear(heard).await
    }

    async fn note_node(&self, node: &Node) -> Result<(), StoreError> {
        let transaction = self.begin_uncounted().await?;
        let noted = shared::note_node(&transaction, node).await;
        transaction.end(noted).await
    }

    async fn nodes(&self) -> Result<Vec<SeenNode>, StoreError> {
        let transaction = self.begin_uncounted().await?;
        let nodes = shared::nodes(&transaction).await;
        transaction.end(nodes).await
    }
}
