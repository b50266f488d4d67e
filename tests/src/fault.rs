use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use regrant_grant::{Grant, GrantId, ImportedToken, SessionId};
use regrant_protocol::{ClientId, Subject, Timestamp, Username};
use regrant_store::{
    AnnouncedKey, ChangeError, Client, ClientChange, ClientHandle, Consent, FoundToken, GrantFilter, Identity,
    ImportError, Imported, ImportedGrant, ListedGrant, NewKeys, Page, SealedSigningKey, Session, SigningKeyChange,
    Step, Store, StoreError, Sweep, SweepError, Swept, User, UserChange,
};
use regrant_store_sqlite::SqliteStore;
use tokio::sync::Semaphore;

/// How a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every call fails before anything is done.
    Down,
    /// Steps fail before they are begun; everything else works.
    Refuses,
    /// Steps are done, and nobody hears of it.
    ForgetsToAnswer,
}

/// The SQLite store, until it is told to fail. It counts how often it is called, and how often for a grant.
pub struct FaultyStore {
    inner: SqliteStore,
    fault: Mutex<Option<Fault>>,
    calls: AtomicU64,
    steps: AtomicU64,
    interlude: Mutex<Option<Interlude>>,
    crash: Mutex<Option<(u32, Fault)>>,
    key_writes: Mutex<Option<Arc<Semaphore>>>,
}

/// What somebody else does just before a step.
type Interlude = Pin<Box<dyn Future<Output = ()> + Send>>;

impl FaultyStore {
    pub(crate) fn new(inner: SqliteStore) -> Self {
        let (calls, steps) = (AtomicU64::new(0), AtomicU64::new(0));
        let (fault, interlude, crash, key_writes) = Default::default();
        Self { inner, fault, calls, steps, interlude, crash, key_writes }
    }

    /// Fails from now on; `None` mends it.
    pub fn fail(&self, fault: impl Into<Option<Fault>>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault.into();
    }

    /// How often the store was read or written.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many steps were asked for. Nothing else adds or changes a grant.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    /// Lets somebody else do something just before the next step: after the engine looked at what it then decides on.
    pub fn before_next_step(&self, interlude: impl Future<Output = ()> + Send + 'static) {
        *self.interlude.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(interlude));
    }

    /// Goes down for good at a write of keys, in the store or the key file, when so many others were done: before it is done,
    /// or with [`Fault::ForgetsToAnswer`] after. `None` takes that back, and [`FaultyStore::fail`] mends what went down.
    pub fn crash_at_key_write(&self, crash: Option<(u32, Fault)>) {
        *self.crash.lock().unwrap_or_else(PoisonError::into_inner) = crash;
    }

    /// Lets every write of keys in the store wait for a permit of its own.
    pub fn hold_key_writes(&self) -> Arc<Semaphore> {
        let permits = Arc::new(Semaphore::new(0));
        *self.key_writes.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&permits));
        permits
    }

    /// Counts a write of keys, and says how it fails.
    pub(crate) fn reach_key_write(&self) -> Option<Fault> {
        if self.fault() == Some(Fault::Down) {
            return Some(Fault::Down);
        }
        let mut crash = self.crash.lock().unwrap_or_else(PoisonError::into_inner);
        let (writes_before, fault) = (*crash)?;
        if writes_before > 0 {
            *crash = Some((writes_before - 1, fault));
            return None;
        }
        *crash = None;
        self.fail(Fault::Down);
        Some(fault)
    }

    /// Does a write of keys, unless it fails.
    async fn key_write<E: From<StoreError>>(&self, write: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        let permits = self.key_writes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(permits) = permits {
            permits.acquire().await.expect("nobody closes it").forget();
        }
        match self.reach_key_write() {
            None => write.await,
            Some(Fault::ForgetsToAnswer) => write.await.and(Err(failure().into())),
            Some(Fault::Down | Fault::Refuses) => Err(failure().into()),
        }
    }

    fn fault(&self) -> Option<Fault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, which fails when the store is down.
    fn call(&self) -> Result<&SqliteStore, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fault() == Some(Fault::Down) { Err(failure()) } else { Ok(&self.inner) }
    }
}

fn failure() -> StoreError {
    StoreError::Unavailable("the test asked for it".to_owned())
}

#[async_trait]
impl Store for FaultyStore {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    async fn step(&self, step: Step) -> Result<(), StoreError> {
        let inner = self.call()?;
        self.steps.fetch_add(1, Ordering::SeqCst);
        let interlude = self.interlude.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(interlude) = interlude {
            interlude.await;
        }
        match self.fault() {
            Some(Fault::Refuses) => Err(failure()),
            Some(Fault::ForgetsToAnswer) => inner.step(step).await.and(Err(failure())),
            Some(Fault::Down) | None => inner.step(step).await,
        }
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.call()?.client(id).await
    }

    async fn client_with_handle(&self, handle: ClientHandle) -> Result<Option<Client>, StoreError> {
        self.call()?.client_with_handle(handle).await
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.call()?.clients().await
    }

    async fn add_client(&self, client: Client) -> Result<(), ChangeError> {
        self.call()?.add_client(client).await
    }

    async fn change_client(&self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError> {
        self.call()?.change_client(id, change).await
    }

    async fn user_named(&self, username: &Username) -> Result<Option<User>, StoreError> {
        self.call()?.user_named(username).await
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        self.call()?.user(subject).await
    }

    async fn add_user(&self, user: User) -> Result<(), ChangeError> {
        self.call()?.add_user(user).await
    }

    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError> {
        self.call()?.change_user(subject, change).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.call()?.session(id).await
    }

    async fn keep_session(&self, session: Session) -> Result<(), ChangeError> {
        self.call()?.keep_session(session).await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.call()?.end_session(id).await
    }

    async fn end_sessions(&self, user: &Subject, except: Option<SessionId>) -> Result<(), StoreError> {
        self.call()?.end_sessions(user, except).await
    }

    async fn consent(&self, user: &Subject, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        self.call()?.consent(user, client).await
    }

    async fn keep_consent(&self, consent: Consent) -> Result<(), ChangeError> {
        self.call()?.keep_consent(consent).await
    }

    async fn forget_consents(&self, user: &Subject, client: Option<&ClientId>) -> Result<(), StoreError> {
        self.call()?.forget_consents(user, client).await
    }

    async fn grants_of(&self, user: &Subject) -> Result<Vec<Grant>, StoreError> {
        self.call()?.grants_of(user).await
    }

    async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError> {
        self.call()?.grants(filter, after, count_max).await
    }

    async fn end_grants(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
    ) -> Result<Page<GrantId, GrantId>, StoreError> {
        self.call()?.end_grants(filter, made_before, after).await
    }

    async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError> {
        self.call()?.import(grants).await
    }

    async fn imported_token(&self, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
        self.call()?.imported_token(token).await
    }

    async fn imports_are_live(&self) -> Result<bool, StoreError> {
        self.call()?.imports_are_live().await
    }

    async fn users(&self, after: Option<&Username>, count_max: u32) -> Result<Page<User, Username>, StoreError> {
        self.call()?.users(after, count_max).await
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, SweepError> {
        self.call()?.sweep(sweep).await
    }

    async fn swept_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.call()?.swept_at().await
    }

    async fn trust_clock(&self) -> Result<(), StoreError> {
        self.call()?.trust_clock().await
    }

    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError> {
        self.call()?.announced_keys().await
    }

    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError> {
        let inner = self.call()?;
        self.key_write(inner.announce_key(key)).await
    }

    async fn replace_keys(&self, keys: NewKeys) -> Result<(), ChangeError> {
        let inner = self.call()?;
        self.key_write(inner.replace_keys(keys)).await
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.call()?.signing_keys().await
    }

    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        let inner = self.call()?;
        self.key_write(inner.add_signing_key(key)).await
    }

    async fn add_first_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        let inner = self.call()?;
        self.key_write(inner.add_first_signing_key(key)).await
    }

    async fn change_signing_key(&self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        let inner = self.call()?;
        self.key_write(inner.change_signing_key(key_id, change)).await
    }
}
