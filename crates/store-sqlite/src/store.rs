use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use regrant_grant::{Grant, GrantId, ImportedToken, Realm, SessionId};
use regrant_protocol::{ClientId, Clock, Subject, Timestamp, Username};
use regrant_store::{
    AnnouncedKey, ChangeError, Client, ClientChange, ClientHandle, Consent, FoundToken, GrantFilter, HighWater,
    Identity, ImportError, Imported, ImportedGrant, ListedGrant, NewKeys, Outside, OutsideError, Page,
    SealedSigningKey, Session, SigningKeyChange, Step, Store, StoreError, Sweep, SweepError, Swept, User, UserChange,
};

use crate::OpenError;
use crate::connection::{open, schema};
use crate::database::Database;
use crate::failpoint::Failpoint;
use crate::rows::{client, consent, high_water, imported_token, key, last_sweep, session, user};
use crate::slice::rows_max;
use crate::transaction::Transaction;
use crate::writer::Writer;
use crate::{grants_of, import, page, step, sweep};

/// What a new store is made from: 32 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// What makes it different from every other store.
    pub realm: Realm,
    /// What goes into every authority tag of its first epoch.
    pub epoch_random: [u8; 16],
}

/// The store in one SQLite file. No other process may write the file meanwhile; who starts the program sees to that.
///
/// Dropping it lets the steps that wait finish and closes the file, and waits for both, at most
/// [`CLOSING_MILLISECONDS_MAX`](crate::CLOSING_MILLISECONDS_MAX).
pub struct SqliteStore {
    identity: Identity,
    writer: Writer,
    /// It decides nothing any more.
    is_halted: Arc<AtomicBool>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it there from `genesis`. Blocks while it does.
    ///
    /// A crash while it is made leaves an empty file or a whole store. A new file is readable by its owner only.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(path: &Path, genesis: Genesis, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_beside(path, genesis, clock, |_, _| Ok(Outside::default()))
    }

    /// The same for a store beside which there is something outside: it is compared with that, and what ended is written there
    /// before anybody hears of it. `outside` is called once, when it is known which store it is and how far it has come.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open_beside(
        path: &Path,
        genesis: Genesis,
        clock: Arc<dyn Clock>,
        outside: impl FnOnce(&Identity, &HighWater) -> Result<Outside, OutsideError>,
    ) -> Result<Self, OpenError> {
        let database = Database::open_beside(path, &genesis, clock, outside)?;
        let identity = database.identity().clone();
        let writer = Writer::start(database)
            .map_err(|error| OpenError::Unavailable { path: path.to_owned(), cause: error.to_string() })?;
        Ok(Self { identity, writer, is_halted: Arc::default() })
    }

    /// Whether there is a store at `path`. An empty file, as a crash may leave it, is none. The store must not be open.
    ///
    /// # Errors
    /// When there is a file and it cannot be read, or is something else.
    pub fn exists(path: &Path) -> Result<bool, OpenError> {
        match path.try_exists() {
            Ok(true) => schema(&open(path)?, path).map(|schema| schema > 0),
            Ok(false) => Ok(false),
            Err(error) => Err(OpenError::Inaccessible { path: path.to_owned(), cause: error.to_string() }),
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn step(&self, step: Step) -> Result<(), StoreError> {
        let Step { target, begin_before, mut rule } = step;
        let epoch = self.identity.epoch().number;
        Failpoint::StepAsked.reach();
        let is_halted = Arc::clone(&self.is_halted);
        let work = move |transaction: &Transaction<'_>| match is_halted.load(Ordering::Acquire) {
            true => Err(StoreError::RolledBack),
            false => step::run(transaction, epoch, &target, &mut rule),
        };
        let done = self.writer.run_step(begin_before, work).await;
        Failpoint::StepAnswered.reach();
        done
    }

    async fn halt(&self) -> Result<(), StoreError> {
        self.is_halted.store(true, Ordering::Release);
        self.writer.run(|transaction| high_water::halt(transaction, transaction.now())).await
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let id = id.clone();
        self.writer.run(move |transaction| client::find(transaction, &id)).await
    }

    async fn client_with_handle(&self, handle: ClientHandle) -> Result<Option<Client>, StoreError> {
        self.writer.run(move |transaction| client::find_by_handle(transaction, handle)).await
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.writer.run(client::all).await
    }

    async fn add_client(&self, client: Client) -> Result<(), ChangeError> {
        self.writer.run(move |transaction| client::add(transaction, &client)).await
    }

    async fn change_client(&self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError> {
        let id = id.clone();
        self.writer.run(move |transaction| client::change(transaction, &id, &change)).await
    }

    async fn user_named(&self, username: &Username) -> Result<Option<User>, StoreError> {
        let username = username.clone();
        self.writer.run(move |transaction| user::find_named(transaction, &username)).await
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        let subject = subject.clone();
        self.writer.run(move |transaction| user::find(transaction, &subject)).await
    }

    async fn add_user(&self, user: User) -> Result<(), ChangeError> {
        self.writer.run(move |transaction| user::add(transaction, &user)).await
    }

    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError> {
        let subject = subject.clone();
        self.writer.run(move |transaction| user::change(transaction, &subject, &change)).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.writer.run(move |transaction| session::find(transaction, id)).await
    }

    async fn keep_session(&self, session: Session) -> Result<(), ChangeError> {
        self.writer.run(move |transaction| session::keep(transaction, &session)).await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.writer.run(move |transaction| session::end(transaction, id)).await
    }

    async fn end_sessions(&self, user: &Subject, except: Option<SessionId>) -> Result<(), StoreError> {
        let user = user.clone();
        self.writer.run(move |transaction| session::end_all(transaction, &user, except)).await
    }

    async fn consent(&self, user: &Subject, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        let (user, client) = (user.clone(), client.clone());
        self.writer.run(move |transaction| consent::find(transaction, &user, &client)).await
    }

    async fn keep_consent(&self, consent: Consent) -> Result<(), ChangeError> {
        self.writer.run(move |transaction| consent::keep(transaction, &consent)).await
    }

    async fn forget_consents(&self, user: &Subject, client: Option<&ClientId>) -> Result<(), StoreError> {
        let (user, client) = (user.clone(), client.cloned());
        self.writer.run(move |transaction| consent::forget(transaction, &user, client.as_ref())).await
    }

    async fn grants_of(&self, user: &Subject) -> Result<Vec<Grant>, StoreError> {
        let (epoch, user) = (self.identity.epoch().number, user.clone());
        self.writer.run(move |transaction| grants_of::list(transaction, epoch, &user)).await
    }

    async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError> {
        let (epoch, filter) = (self.identity.epoch().number, filter.clone());
        self.writer.run(move |transaction| page::list(transaction, epoch, &filter, after, count_max)).await
    }

    async fn end_grants(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
    ) -> Result<Page<GrantId, GrantId>, StoreError> {
        let filter = filter.clone();
        self.writer.run(move |transaction| page::end(transaction, &filter, made_before, after)).await
    }

    async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError> {
        ImportError::check(&grants)?;
        let epoch = self.identity.epoch().number;
        Ok(self.writer.run(move |transaction| import::import(transaction, epoch, grants)).await?)
    }

    async fn imported_token(&self, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
        let token = *token;
        self.writer.run(move |transaction| imported_token::find(transaction, &token)).await
    }

    async fn imports_are_live(&self) -> Result<bool, StoreError> {
        self.writer.run(imported_token::is_any).await
    }

    async fn users(&self, after: Option<&Username>, count_max: u32) -> Result<Page<User, Username>, StoreError> {
        let (after, count_max) = (after.cloned(), rows_max(count_max));
        self.writer.run(move |transaction| user::page(transaction, after.as_ref(), count_max)).await
    }

    async fn sweep(&self, slice: Sweep) -> Result<Swept, SweepError> {
        let epoch = self.identity.epoch().number;
        self.writer.run(move |transaction| sweep::sweep(transaction, epoch, &slice)).await
    }

    async fn swept_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.writer.run(last_sweep::find).await
    }

    async fn trust_clock(&self) -> Result<(), StoreError> {
        self.writer.run(last_sweep::set).await
    }

    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError> {
        self.writer.run(key::announced).await
    }

    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError> {
        self.writer.run(move |transaction| key::announce(transaction, key)).await
    }

    async fn replace_keys(&self, keys: NewKeys) -> Result<(), ChangeError> {
        self.writer.run(move |transaction| key::replace(transaction, &keys)).await
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.writer.run(key::signing).await
    }

    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        self.writer.run(move |transaction| key::add_signing(transaction, &key)).await
    }

    async fn add_first_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        self.writer.run(move |transaction| key::add_first_signing(transaction, &key)).await
    }

    async fn change_signing_key(&self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        let key_id = key_id.to_owned();
        self.writer.run(move |transaction| key::change_signing(transaction, &key_id, &change)).await
    }
}
