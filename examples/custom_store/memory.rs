use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use regrant::async_trait;
use regrant::store::*;

use crate::tables::Tables;

/// What is kept, and what makes it different from every other store.
#[derive(Clone)]
pub struct Memory {
    identity: Identity,
    tables: Arc<Mutex<Tables>>,
}

impl Memory {
    /// An empty memory.
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        let (mut realm, mut epoch_random) = ([0; 16], [0; 16]);
        entropy.fill(&mut realm);
        entropy.fill(&mut epoch_random);
        Self::of(Realm(realm), epoch_random)
    }

    /// An empty memory with this identity.
    #[must_use]
    pub fn of(realm: Realm, epoch_random: [u8; 16]) -> Self {
        let epoch = Epoch { number: EpochNumber(1), random: epoch_random, recovery: None };
        let tables = Arc::new(Mutex::new(Tables::new(epoch.number)));
        Self { identity: Identity { realm, epochs: vec![epoch] }, tables }
    }

    /// The store in this memory. It tells the time by `clock`.
    #[must_use]
    pub fn store(&self, clock: Arc<dyn Clock>) -> MemoryStore {
        MemoryStore { memory: self.clone(), clock }
    }
}

/// The store in a [`Memory`]. It is as durable as its process.
pub struct MemoryStore {
    memory: Memory,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// The tables, for one call alone. No call leaves them half written: whatever may fail comes before the first write.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.memory.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn identity(&self) -> &Identity {
        &self.memory.identity
    }

    async fn step(&self, step: Step) -> Result<(), StoreError> {
        let Step { target, begin_before, mut rule } = step;
        let mut tables = self.tables();
        if begin_before.is_some_and(|deadline| deadline < self.clock.monotonic()) {
            return Err(StoreError::TooLate);
        }
        let now = self.now();
        let done = catch_unwind(AssertUnwindSafe(|| tables.step(&target, &mut rule, now)));
        done.unwrap_or_else(|_| Err(StoreError::Unavailable("the rule of a step panicked".to_owned())))
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        Ok(self.tables().client(id).cloned())
    }

    async fn client_with_handle(&self, handle: ClientHandle) -> Result<Option<Client>, StoreError> {
        Ok(self.tables().client_with_handle(handle).cloned())
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        Ok(self.tables().clients.values().flatten().cloned().collect())
    }

    async fn add_client(&self, client: Client) -> Result<(), ChangeError> {
        self.tables().add_client(client)
    }

    async fn change_client(&self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError> {
        self.tables().change_client(id, change)
    }

    async fn user_named(&self, username: &Username) -> Result<Option<User>, StoreError> {
        Ok(self.tables().user_named(username).cloned())
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        Ok(self.tables().user(subject).cloned())
    }

    async fn add_user(&self, user: User) -> Result<(), ChangeError> {
        self.tables().add_user(user)
    }

    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError> {
        self.tables().change_user(subject, change)
    }

    async fn users(&self, after: Option<&Username>, count_max: u32) -> Result<Page<User, Username>, StoreError> {
        Ok(self.tables().users_page(after, rows_max(count_max)))
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.tables().sessions.get(&id).cloned())
    }

    async fn keep_session(&self, session: Session) -> Result<(), ChangeError> {
        self.tables().keep_session(session, self.now())
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.tables().end_sessions(self.now(), |session| session.id == id);
        Ok(())
    }

    async fn end_sessions(&self, user: &Subject, except: Option<SessionId>) -> Result<(), StoreError> {
        self.tables().end_sessions(self.now(), |session| session.user == *user && Some(session.id) != except);
        Ok(())
    }

    async fn consent(&self, user: &Subject, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        Ok(self.tables().consents.get(&(user.clone(), client.clone())).cloned())
    }

    async fn keep_consent(&self, consent: Consent) -> Result<(), ChangeError> {
        self.tables().keep_consent(consent)
    }

    async fn forget_consents(&self, user: &Subject, client: Option<&ClientId>) -> Result<(), StoreError> {
        let is_meant = |(of, to): &(Subject, ClientId)| of == user && client.is_none_or(|client| client == to);
        self.tables().consents.retain(|parties, _| !is_meant(parties));
        Ok(())
    }

    async fn grants_of(&self, user: &Subject) -> Result<Vec<Grant>, StoreError> {
        Ok(self.tables().grants_of(user, self.now()))
    }

    async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError> {
        Ok(self.tables().grants_page(filter, after, rows_max(count_max), self.now()))
    }

    async fn end_grants(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
    ) -> Result<Page<GrantId, GrantId>, StoreError> {
        Ok(self.tables().end_grants(filter, made_before, after, self.now()))
    }

    async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError> {
        ImportError::check(&grants)?;
        Ok(self.tables().import(grants, self.now())?)
    }

    async fn imported_token(&self, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
        Ok(self.tables().imported_token(token))
    }

    async fn imports_are_live(&self) -> Result<bool, StoreError> {
        let tables = self.tables();
        Ok(!tables.imported_refresh_tokens.is_empty() || !tables.imported_access_tokens.is_empty())
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, SweepError> {
        self.tables().sweep(&sweep, self.now())
    }

    async fn swept_at(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.tables().swept_at)
    }

    async fn trust_clock(&self) -> Result<(), StoreError> {
        self.tables().swept_at = Some(self.now());
        Ok(())
    }

    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError> {
        Ok(self.tables().announced_keys.values().copied().collect())
    }

    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError> {
        self.tables().announce_key(key)
    }

    async fn replace_keys(&self, keys: NewKeys) -> Result<(), ChangeError> {
        self.tables().replace_keys(keys)
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        Ok(self.tables().signing_keys.clone())
    }

    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        self.tables().add_signing_key(key)
    }

    async fn add_first_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        self.tables().add_first_signing_key(key)
    }

    async fn change_signing_key(&self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        self.tables().change_signing_key(key_id, change)
    }
}

fn rows_max(asked_for: u32) -> usize {
    asked_for.clamp(1, SLICE_ROWS_MAX) as usize
}
