use std::sync::Arc;

use async_trait::async_trait;
use regrant_grant::{Grant, GrantId, Realm, Write};
use regrant_protocol::{Clock, ManualClock, Timestamp};
use tokio::task::JoinSet;

use super::specimen::{client, user};
use crate::{Rule, Scene, Step, Store, StoreError, Target, decide_in};

/// Somewhere a store can be made, closed and found again: a directory, a schema.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the store there; makes it from `realm` and `epoch_random` when there is none yet.
    async fn open(&self, realm: Realm, epoch_random: [u8; 16], clock: Arc<dyn Clock>) -> Arc<dyn Store>;
}

/// One run of a test: a fresh store in a place of its own, and its clock.
pub struct Trial {
    place: Box<dyn Place>,
    /// The clock of the store.
    pub clock: Arc<ManualClock>,
    /// The store.
    pub store: Arc<dyn Store>,
}

impl Trial {
    /// The realm that the store is made with.
    pub const REALM: Realm = Realm([0xA1; 16]);
    /// The random bytes of the epoch that the store is made with.
    pub const EPOCH_RANDOM: [u8; 16] = [0xE1; 16];

    /// Makes a store in `place`.
    pub async fn begin(place: impl Place + 'static) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_milliseconds(1_790_000_000_123)));
        let store = place.open(Self::REALM, Self::EPOCH_RANDOM, Arc::clone(&clock) as Arc<dyn Clock>).await;
        Self { place: Box::new(place), clock, store }
    }

    /// Closes the store and opens it again, as if it could be made from something else.
    pub async fn reopen(self) -> Self {
        let Self { place, clock, store } = self;
        drop(store);
        let store = place.open(Realm([0xA2; 16]), [0xE2; 16], Arc::clone(&clock) as Arc<dyn Clock>).await;
        Self { place, clock, store }
    }

    /// Adds the client and the user that specimens of grants are of, but not their login session.
    pub(super) async fn with_parties(self) -> Self {
        self.store.add_client(client("app")).await.expect("the name is free");
        self.store.add_user(user("alice")).await.expect("the name is free");
        self
    }

    /// Runs a step that reads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        target: Target,
        mut look: impl FnMut(&Scene<'_>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        decide_in(self.store.as_ref(), target, None, move |scene| (look(scene), Write::Nothing)).await
    }

    /// The grant of this name.
    pub(super) async fn grant(&self, id: GrantId) -> Option<Grant> {
        self.read(Target::Grant(id), |scene| scene.grant.cloned()).await.expect("the store reads")
    }

    /// Runs a step that writes, whatever it reads.
    pub(super) async fn write(&self, target: Target, write: Write) -> Result<(), StoreError> {
        let rule = Box::new(move |_: &Scene<'_>| write.clone());
        self.store.step(Step { target, begin_before: None, rule }).await
    }

    /// Makes a grant.
    pub(super) async fn insert(&self, grant: &Grant) -> Result<(), StoreError> {
        let (client, user) = (grant.client.clone(), grant.subject.clone());
        let target = Target::NewGrant { grant: grant.id, client, user, session: grant.session };
        self.write(target, Write::Insert(grant.clone())).await
    }

    /// Makes grants, many at once.
    pub(super) async fn insert_many(&self, grants: impl IntoIterator<Item = Grant>) {
        let mut steps = JoinSet::new();
        for grant in grants {
            let store = Arc::clone(&self.store);
            let step = Step { target: Target::Grant(grant.id), begin_before: None, rule: insertion(grant) };
            steps.spawn(async move { store.step(step).await });
        }
        for outcome in steps.join_all().await {
            outcome.expect("there is no grant of this name");
        }
    }

    /// Replaces a grant.
    pub(super) async fn update(&self, grant: &Grant) -> Result<(), StoreError> {
        self.write(Target::Grant(grant.id), Write::Update(grant.clone())).await
    }
}

fn insertion(grant: Grant) -> Rule {
    Box::new(move |_: &Scene<'_>| Write::Insert(grant.clone()))
}
