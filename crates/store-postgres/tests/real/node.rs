//! A node: a store of its own on a database that others may share, and what is done with it.

use std::sync::Arc;

use regrant_databases::Database;
use regrant_grant::{
    ClientKind, Generation, Grant, GrantId, GrantSecret, ImportedBirth, Party, Realm, Surroundings, Write,
};
use regrant_protocol::{
    ClientId, Clock, EpochNumber, Lifetime, Profile, Scope, Subject, SystemClock, Timestamp, Username,
};
use regrant_store::{
    Client, ClientDefaults, ClientHandle, Scene, Store, StoreError, Target, User, UserStatus, decide_in,
};
use regrant_store_postgres::{Address, Genesis, OpenError, PostgresStore, Settings};

/// The address of a database of the test's own.
pub(crate) fn address(database: &Database<'_>) -> Address {
    Address::parse(&database.url(), None).expect("it is a URL")
}

/// A node at an address.
pub(crate) async fn open_at(address: Address) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(Settings::new(address), GENESIS, clock()).await
}

/// A node on a database.
pub(crate) async fn open(database: &Database<'_>) -> Arc<PostgresStore> {
    Arc::new(open_at(address(database)).await.expect("the database is ours"))
}

/// The clock of deadlines.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub(crate) const GENESIS: Genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };

/// Adds the client `app` and the user `alice`.
pub(crate) async fn add_parties(store: &PostgresStore) {
    store.add_client(client("app", 1)).await.expect("the name is free");
    store.add_user(user("alice")).await.expect("the name is free");
}

pub(crate) fn client(name: &str, handle: u8) -> Client {
    Client {
        id: ClientId::parse(name).expect("it is a name"),
        handle: ClientHandle([handle; 16]),
        secret: GrantSecret::new([2; 16]),
        party: Party { enabled: true, cutoff: 0, version: 1 },
        settings: ClientDefaults::BUILT_IN.settings(ClientKind::Public, Scope::empty()),
    }
}

pub(crate) fn user(name: &str) -> User {
    User {
        subject: Subject::parse(name).expect("it is a name"),
        username: Username::parse(name).expect("it is a name"),
        credential: None,
        status: UserStatus::Active,
        profile: Profile::default(),
        cutoff: 0,
        version: 1,
    }
}

/// A grant of alice to `app` that nothing has ended.
pub(crate) fn grant(number: u64) -> Grant {
    let birth = ImportedBirth {
        id: GrantId(u128::from(number).to_be_bytes()),
        secret: GrantSecret::new([3; 16]),
        client: ClientId::parse("app").expect("it is a name"),
        subject: Subject::parse("alice").expect("it is a name"),
        scope: Scope::empty(),
        created_at: Timestamp::from_seconds(1),
        authenticated_at: Timestamp::from_seconds(1),
        idle_expires_at: None,
        absolute_expires_at: None,
        ends_elsewhere_at: None,
        access_lifetime: Lifetime::from_seconds(60),
    };
    let around = Surroundings { epoch: EpochNumber(1), client: None, user: None, root: None, session_ends_at: None };
    Grant::imported(birth, &around, Timestamp::from_seconds(1))
}

/// Makes a grant.
pub(crate) async fn insert(store: &PostgresStore, grant: &Grant) -> Result<(), StoreError> {
    let row = grant.clone();
    decide_in(store, Target::Grant(grant.id), None, move |_| ((), Write::Insert(row.clone()))).await
}

/// The grant as this node sees it.
pub(crate) async fn read(store: &PostgresStore, id: GrantId) -> Result<Option<Grant>, StoreError> {
    decide_in(store, Target::Grant(id), None, |scene| (scene.grant.cloned(), Write::Nothing)).await
}

/// Moves a grant on by one generation, and tells which it then is of.
pub(crate) async fn advance(store: &PostgresStore, id: GrantId) -> Result<u32, StoreError> {
    decide_in(store, Target::Grant(id), None, |scene| {
        let next = next(scene);
        (next.generation.0, Write::Update(next))
    })
    .await
}

/// The grant that a step is about, moved on by one generation.
pub(crate) fn next(scene: &Scene<'_>) -> Grant {
    let row = scene.grant.expect("it was made");
    Grant { version: row.version + 1, generation: Generation(row.generation.0 + 1), ..row.clone() }
}
