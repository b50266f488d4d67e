use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use regrant_grant::{Grant, GrantId, ImportedToken, Party, SessionId, Surroundings, Write};
use regrant_protocol::{ClientId, EpochNumber, Subject, Timestamp, Username};
use regrant_store::{
    AnnouncedKey, ChangeError, Client, ClientChange, ClientHandle, Consent, FoundToken, GrantFilter, Identity,
    ImportError, Imported, ImportedGrant, ListedGrant, NewKeys, Page, Rule, Scene, SealedSigningKey, Session,
    SharedStore, SigningKeyChange, Step, Store, StoreError, Sweep, SweepError, Swept, Target, User, UserChange,
    decide_in,
};

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carelessness {
    /// It reads a row, lets others in, decides on what it read, and writes whatever is there by then.
    DecidesOutsideTheStep,
    /// It remembers client and user of a grant as it first saw them.
    RemembersParties,
    /// It takes a step for done of which it does not know whether it was.
    TakesUnknownForDone,
}

impl Carelessness {
    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DecidesOutsideTheStep => "decides_outside_the_step",
            Self::RemembersParties => "remembers_parties",
            Self::TakesUnknownForDone => "takes_unknown_for_done",
        }
    }
}

/// A store with a fault planted in its steps on grants.
pub(crate) struct CarelessStore {
    inner: Arc<dyn Store>,
    carelessness: Carelessness,
    parties: Arc<Mutex<HashMap<GrantId, Parties>>>,
}

#[derive(Clone, Copy)]
struct Parties {
    client: Option<Party>,
    user: Option<Party>,
}

/// What a step read, kept beyond the step.
struct StaleScene {
    now: Timestamp,
    grant: Option<Grant>,
    epoch: EpochNumber,
    parties: Parties,
    root: Option<Grant>,
    session_ends_at: Option<Timestamp>,
}

impl CarelessStore {
    pub(crate) fn new(inner: Arc<dyn Store>, carelessness: Carelessness) -> Self {
        Self { inner, carelessness, parties: Arc::default() }
    }

    async fn decide_outside(&self, target: Target, mut rule: Rule) -> Result<(), StoreError> {
        let read = |scene: &Scene<'_>| (StaleScene::of(scene), Write::Nothing);
        let stale = decide_in(&*self.inner, target.clone(), None, read).await?;
        tokio::task::yield_now().await;
        let decided = stale.decide(&mut rule);
        decide_in(&*self.inner, target, None, move |scene: &Scene<'_>| {
            let write = match (&decided, scene.grant) {
                (Write::Update(row), Some(found)) => {
                    let over_it = Grant { version: found.version + 1, ..row.clone() };
                    Write::Update(over_it)
                }
                (decided, _) => decided.clone(),
            };
            ((), write)
        })
        .await
    }

    async fn decide_by_memory(&self, id: GrantId, step: Step) -> Result<(), StoreError> {
        let Step { target, begin_before, mut rule } = step;
        let parties = Arc::clone(&self.parties);
        let by_memory = move |scene: &Scene<'_>| {
            let Surroundings { client, user, .. } = scene.surroundings;
            let mut parties = parties.lock().unwrap_or_else(PoisonError::into_inner);
            let Parties { client, user } = *parties.entry(id).or_insert(Parties { client, user });
            rule(&Scene { surroundings: Surroundings { client, user, ..scene.surroundings }, ..*scene })
        };
        self.inner.step(Step { target, begin_before, rule: Box::new(by_memory) }).await
    }

    async fn decide_and_hope(&self, step: Step) -> Result<(), StoreError> {
        let Step { target, begin_before, mut rule } = step;
        let is_decided = Arc::new(AtomicBool::new(false));
        let decides = Arc::clone(&is_decided);
        let noted = move |scene: &Scene<'_>| {
            decides.store(true, Ordering::SeqCst);
            rule(scene)
        };
        let done = self.inner.step(Step { target, begin_before, rule: Box::new(noted) }).await;
        if is_decided.load(Ordering::SeqCst) { Ok(()) } else { done }
    }
}

impl StaleScene {
    fn of(scene: &Scene<'_>) -> Self {
        let Surroundings { epoch, client, user, root, session_ends_at } = scene.surroundings;
        let parties = Parties { client, user };
        Self { now: scene.now, grant: scene.grant.cloned(), epoch, parties, root: root.cloned(), session_ends_at }
    }

    fn decide(&self, rule: &mut Rule) -> Write {
        let Self { now, epoch, parties: Parties { client, user }, session_ends_at, .. } = *self;
        rule(&Scene {
            now,
            grant: self.grant.as_ref(),
            surroundings: Surroundings { epoch, client, user, root: self.root.as_ref(), session_ends_at },
            access_token_is_listed: false,
        })
    }
}

#[async_trait]
impl Store for CarelessStore {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        self.inner.shared()
    }

    async fn step(&self, step: Step) -> Result<(), StoreError> {
        match (&step.target, self.carelessness) {
            (Target::Grant(_), Carelessness::DecidesOutsideTheStep) => {
                self.decide_outside(step.target, step.rule).await
            }
            (&Target::Grant(id), Carelessness::RemembersParties) => self.decide_by_memory(id, step).await,
            (Target::Grant(_), Carelessness::TakesUnknownForDone) => self.decide_and_hope(step).await,
            _ => self.inner.step(step).await,
        }
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.inner.client(id).await
    }

    async fn client_with_handle(&self, handle: ClientHandle) -> Result<Option<Client>, StoreError> {
        self.inner.client_with_handle(handle).await
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.inner.clients().await
    }

    async fn add_client(&self, client: Client) -> Result<(), ChangeError> {
        self.inner.add_client(client).await
    }

    async fn change_client(&self, id: &ClientId, change: ClientChange) -> Result<(), ChangeError> {
        self.inner.change_client(id, change).await
    }

    async fn user_named(&self, username: &Username) -> Result<Option<User>, StoreError> {
        self.inner.user_named(username).await
    }

    async fn user(&self, subject: &Subject) -> Result<Option<User>, StoreError> {
        self.inner.user(subject).await
    }

    async fn add_user(&self, user: User) -> Result<(), ChangeError> {
        self.inner.add_user(user).await
    }

    async fn change_user(&self, subject: &Subject, change: UserChange) -> Result<(), ChangeError> {
        self.inner.change_user(subject, change).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.inner.session(id).await
    }

    async fn keep_session(&self, session: Session) -> Result<(), ChangeError> {
        self.inner.keep_session(session).await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.inner.end_session(id).await
    }

    async fn end_sessions(&self, user: &Subject, except: Option<SessionId>) -> Result<(), StoreError> {
        self.inner.end_sessions(user, except).await
    }

    async fn consent(&self, user: &Subject, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        self.inner.consent(user, client).await
    }

    async fn keep_consent(&self, consent: Consent) -> Result<(), ChangeError> {
        self.inner.keep_consent(consent).await
    }

    async fn forget_consents(&self, user: &Subject, client: Option<&ClientId>) -> Result<(), StoreError> {
        self.inner.forget_consents(user, client).await
    }

    async fn grants_of(&self, user: &Subject) -> Result<Vec<Grant>, StoreError> {
        self.inner.grants_of(user).await
    }

    async fn grants(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: u32,
    ) -> Result<Page<ListedGrant, GrantId>, StoreError> {
        self.inner.grants(filter, after, count_max).await
    }

    async fn end_grants(
        &self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
    ) -> Result<Page<GrantId, GrantId>, StoreError> {
        self.inner.end_grants(filter, made_before, after).await
    }

    async fn import(&self, grants: Vec<ImportedGrant>) -> Result<Imported, ImportError> {
        self.inner.import(grants).await
    }

    async fn imported_token(&self, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
        self.inner.imported_token(token).await
    }

    async fn imports_are_live(&self) -> Result<bool, StoreError> {
        self.inner.imports_are_live().await
    }

    async fn users(&self, after: Option<&Username>, count_max: u32) -> Result<Page<User, Username>, StoreError> {
        self.inner.users(after, count_max).await
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, SweepError> {
        self.inner.sweep(sweep).await
    }

    async fn swept_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.swept_at().await
    }

    async fn trust_clock(&self) -> Result<(), StoreError> {
        self.inner.trust_clock().await
    }

    async fn announced_keys(&self) -> Result<Vec<AnnouncedKey>, StoreError> {
        self.inner.announced_keys().await
    }

    async fn announce_key(&self, key: AnnouncedKey) -> Result<(), ChangeError> {
        self.inner.announce_key(key).await
    }

    async fn replace_keys(&self, keys: NewKeys) -> Result<(), ChangeError> {
        self.inner.replace_keys(keys).await
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.inner.signing_keys().await
    }

    async fn add_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        self.inner.add_signing_key(key).await
    }

    async fn add_first_signing_key(&self, key: SealedSigningKey) -> Result<(), StoreError> {
        self.inner.add_first_signing_key(key).await
    }

    async fn change_signing_key(&self, key_id: &str, change: SigningKeyChange) -> Result<(), ChangeError> {
        self.inner.change_signing_key(key_id, change).await
    }
}
