//! A database that was put back to an earlier day becomes the store again.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as the test itself")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use regrant_crypto::SeededEntropy;
use regrant_data_directory::{
    DataDirectory, MARK_FILE, OutsideFiles, RestoreError, RestorePolicy, Restored, STORE_FILE,
};
use regrant_databases::{Database, Postgres};
use regrant_grant::{
    AccessTokenId, ClientKind, Grant, GrantId, GrantSecret, ImportedBirth, ImportedToken, Party, Realm, RecoverPublic,
    Recovery, SessionId, Write,
};
use regrant_protocol::{
    ClientId, Clock, EpochNumber, Kid, Lifetime, ManualClock, Profile, Resources, Scope, Subject, Timestamp, Username,
};
use regrant_store::{
    AnnouncedKey, Client, ClientChange, ClientDefaults, ClientHandle, Consent, Ending, ImportedGrant, Node, NodeId,
    Scene, SealedSigningKey, Session, SharedStore, SigningKeyChange, Store, StoreError, Target, User, UserChange,
    UserStatus, decide_in, stored,
};
use regrant_store_postgres::{Address, Genesis, PostgresStore, Settings, TimeOfDay};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// How often it is looked whether connections that were terminated are gone.
const TERMINATION_LOOKS_MAX: u32 = 10_000;

/// A node, its database, and a copy of that from an earlier day.
struct World {
    folder: TempDir,
    database: Database<'static>,
    copy: String,
    journal: Option<Address>,
    outside: OutsideFiles,
}

impl World {
    async fn prepare() -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), Postgres::shared().database());
        let copy = format!("{}_copy", database.name());
        let world = Self { folder, database, copy, journal: None, outside: OutsideFiles::default() };
        world.change().await;
        Postgres::shared().sql(&format!("CREATE DATABASE {} TEMPLATE {}", world.copy, world.database.name()));
        world.change().await;
        world
    }

    fn directory(&self) -> DataDirectory {
        DataDirectory::open(&self.folder.path().join("data")).unwrap()
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("data").join(MARK_FILE)
    }

    fn settings(&self) -> Settings {
        let address = Address::parse(&self.database.url(), None).unwrap();
        Settings { time_of_day: TimeOfDay::Given, journal: self.journal.clone(), ..Settings::new(address) }
    }

    /// A node beside the one that has the directory.
    async fn node(&self) -> PostgresStore {
        let genesis = Genesis { realm: Realm([0; 16]), epoch_random: [0; 16] };
        PostgresStore::open(self.settings(), genesis, clock()).await.unwrap()
    }

    async fn open(&self) -> Result<PostgresStore, String> {
        let opened = self.directory().postgres(self.settings(), &SeededEntropy::new(1), clock()).await;
        let (ring, store) = opened.map_err(|error| error.to_string())?;
        let key = AnnouncedKey { kid: Kid::FIRST, check_value: ring.check_value(Kid::FIRST).unwrap() };
        store.announce_key(key).await.unwrap();
        Ok(store)
    }

    /// A node comes and goes, and counts that.
    async fn change(&self) {
        drop(self.open().await.unwrap());
        self.disconnect();
    }

    fn disconnect(&self) {
        let mine = format!("FROM pg_stat_activity WHERE datname = '{}'", self.database.name());
        Postgres::shared().sql(&format!("SELECT pg_terminate_backend(pid) {mine}"));
        let mut looks = 0..TERMINATION_LOOKS_MAX;
        while Postgres::shared().sql(&format!("SELECT count(*) {mine}")).trim() != "0" {
            assert!(looks.next().is_some(), "a connection outlives its end");
        }
    }

    fn put_back(&self) {
        let name = self.database.name();
        Postgres::shared().sql(&format!("ALTER DATABASE {name} RENAME TO {name}_lost"));
        Postgres::shared().sql(&format!("ALTER DATABASE {} RENAME TO {name}; DROP DATABASE {name}_lost", self.copy));
    }

    async fn restore(&self, policy: RestorePolicy) -> Result<Restored, RestoreError> {
        let entropy = SeededEntropy::new(7);
        self.directory().restore_postgres(self.settings(), &self.outside, policy, false, &entropy, clock()).await
    }

    /// Of which epoch a restore takes tokens that is done now.
    async fn recovers(&self) -> EpochNumber {
        let policy = RestorePolicy::Recover { seconds: 60, public: RecoverPublic::LogInAgain };
        self.restore(policy).await.unwrap();
        self.node().await.identity().epoch().recovery.unwrap().former
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(NOW))
}

#[tokio::test]
async fn a_database_that_was_put_back_begins_an_epoch_and_is_served_again() {
    let world = World::prepare().await;
    world.put_back();
    let told = world.open().await.err().unwrap();
    assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{told}");
    let public = RecoverPublic::AcceptAhead;
    let restored = world.restore(RestorePolicy::Recover { seconds: 60, public }).await.unwrap();
    let until = NOW.plus_seconds(60);
    let expected = Restored { epoch: EpochNumber(2), replayed: 0, recovers_until: Some(until), replaced: None };
    assert_eq!(restored, expected);
    let store = world.open().await.unwrap();
    let recovery = Recovery { former: EpochNumber(1), until, public };
    assert_eq!(store.identity().epoch().recovery, Some(recovery));
    assert_eq!(store.changes().await.map(drop), Ok(()), "the note that stopped every node is gone");
    drop(store);
    world.disconnect();
    // As after a mark that a crash kept from being written.
    assert_eq!(world.restore(RestorePolicy::Strict).await.unwrap().epoch, EpochNumber(3));
    assert_eq!(world.open().await.unwrap().identity().epoch().recovery, None);
}

/// The mark cannot be written, or the answer to the commit does not come: the epoch is begun, and nobody was told.
#[tokio::test]
async fn a_restore_that_is_repeated_takes_the_tokens_that_are_out() {
    let world = World::prepare().await;
    world.put_back();
    let elsewhere = world.folder.path().join("elsewhere");
    let outside = OutsideFiles { mark: Some(elsewhere.join("mark")), journal: None };
    let policy = RestorePolicy::Recover { seconds: 60, public: RecoverPublic::LogInAgain };
    let restore = async || {
        let (directory, entropy) = (world.directory(), SeededEntropy::new(7));
        directory.restore_postgres(world.settings(), &outside, policy, false, &entropy, clock()).await
    };
    for _ in 0..2 {
        assert!(matches!(restore().await, Err(RestoreError::Directory(_))));
    }
    fs::create_dir(&elsewhere).unwrap();
    let restored = restore().await.unwrap();
    let store = world.node().await;
    let epoch = *store.identity().epoch();
    assert_eq!((epoch.number, epoch.recovery.unwrap().former), (restored.epoch, EpochNumber(1)));
    assert!(restored.epoch > EpochNumber(3), "no number is given twice");
    // Once something was done in it, the tokens that are out are of it.
    store.add_client(client("app", 1)).await.unwrap();
    drop(store);
    world.disconnect();
    let former = restored.epoch;
    restore().await.unwrap();
    assert_eq!(world.node().await.identity().epoch().recovery.unwrap().former, former);
}

/// Of the epoch are the tokens that were issued since, which neither the copy nor a mark knows.
#[tokio::test]
async fn a_copy_that_was_made_right_after_a_restore_is_of_its_epoch() {
    // One that ended well is told by the database itself, in whatever place it is put.
    let world = World::prepare().await;
    world.restore(RestorePolicy::Strict).await.unwrap();
    fs::remove_file(world.mark()).unwrap();
    world.disconnect();
    assert_eq!(world.recovers().await, EpochNumber(2));

    // One that was broken off, and served all the same, is told by the place.
    let unwritable = || Some(tempfile::tempdir().unwrap().path().join("gone").join("mark"));
    for is_dumped in [false, true] {
        let mut world = World::prepare().await;
        fs::remove_file(world.mark()).unwrap();
        world.outside.mark = unwritable();
        world.restore(RestorePolicy::Strict).await.unwrap_err();
        world.outside.mark = None;
        world.disconnect();
        if is_dumped {
            world.database.sql(
                "CREATE TABLE regrant.copy AS SELECT * FROM regrant.epochs;
                 DELETE FROM regrant.epochs;
                 INSERT INTO regrant.epochs SELECT * FROM regrant.copy;
                 DROP TABLE regrant.copy",
            );
        } else {
            world.copy += "_of_new";
            Postgres::shared().sql(&format!("CREATE DATABASE {} TEMPLATE {}", world.copy, world.database.name()));
            world.put_back();
        }
        assert_eq!(world.recovers().await, EpochNumber(2), "{is_dumped}");
    }
}

/// As one that was put back with all of its files, while it was stopped.
#[tokio::test]
async fn a_server_that_was_started_again_is_another_place() {
    let mut postgres = Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let directory = || DataDirectory::open(&folder.path().join("data")).unwrap();
    let url = postgres.socket_url("postgres", "postgres");
    let settings = || Settings { time_of_day: TimeOfDay::Given, ..Settings::new(Address::parse(&url, None).unwrap()) };
    let entropy = SeededEntropy::new(1);
    let (ring, store) = directory().postgres(settings(), &entropy, clock()).await.unwrap();
    let key = AnnouncedKey { kid: Kid::FIRST, check_value: ring.check_value(Kid::FIRST).unwrap() };
    store.announce_key(key).await.unwrap();
    drop(store);
    let policy = RestorePolicy::Recover { seconds: 60, public: RecoverPublic::LogInAgain };
    let restore = async |mark| {
        let outside = OutsideFiles { mark, journal: None };
        directory().restore_postgres(settings(), &outside, policy, false, &entropy, clock()).await
    };
    let unwritable = Some(folder.path().join("gone").join("mark"));
    for (is_started_again, former) in [(false, EpochNumber(1)), (true, EpochNumber(4))] {
        restore(unwritable.clone()).await.unwrap_err();
        if is_started_again {
            postgres.crash();
            postgres.restart();
        }
        restore(unwritable.clone()).await.unwrap_err();
        assert_eq!(former_of(&postgres), former, "{is_started_again}");
    }
}

/// The epoch of which a database takes tokens.
fn former_of(postgres: &Postgres) -> EpochNumber {
    let former = postgres.sql("SELECT recovers_epoch FROM regrant.epochs ORDER BY number DESC LIMIT 1");
    EpochNumber(former.trim().parse().unwrap())
}

#[tokio::test]
async fn the_mark_of_another_node_is_behind_a_new_epoch_however_far_it_had_come() {
    let world = World::prepare().await;
    let mark = world.mark();
    let of_another = fs::read(&mark).unwrap();
    fs::remove_file(&mark).unwrap();
    world.put_back();
    world.restore(RestorePolicy::Strict).await.unwrap();
    fs::write(&mark, of_another).unwrap();
    world.open().await.unwrap();
}

#[tokio::test]
async fn a_store_that_a_node_uses_is_not_restored() {
    let world = World::prepare().await;
    let store = world.open().await.unwrap();
    let newest_key = AnnouncedKey { kid: Kid::FIRST, check_value: [0; 8] };
    let node = Node { id: NodeId([1; 16]), name: "web-1".to_owned(), version: "1".to_owned(), newest_key };
    store.note_node(&node).await.unwrap();
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert_eq!(
        told,
        "web-1 used the database a moment ago; stop all nodes, and run this again 10 seconds after the last one"
    );
    assert_eq!(store.changes().await.map(drop), Ok::<_, StoreError>(()));
}

#[tokio::test]
async fn what_is_not_of_this_store_is_refused() {
    let world = World::prepare().await;
    let other = World::prepare().await;
    let mark = world.mark();
    let own = fs::read(&mark).unwrap();
    other.database.sql("UPDATE regrant.identity SET realm = gen_random_uuid()");
    for file in [other.mark(), other.mark().with_file_name(STORE_FILE)] {
        fs::remove_file(file).unwrap();
    }
    other.change().await;
    fs::copy(other.mark(), &mark).unwrap();
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("of another store"), "{told}");
    fs::write(&mark, own).unwrap();

    world.database.sql("UPDATE regrant.announced_keys SET check_value = '\\x0000000000000000'");
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("master key 1 of the backup is not the one in the key file"), "{told}");

    world.database.sql("DROP SCHEMA regrant CASCADE");
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("has no store of regrant in it"), "{told}");
}

/// What of a store a restore brings back: not its versions, which count how often something was done.
const STATE: &str = "
    SELECT 'client', id, enabled::text, cutoff::text, (removed_at IS NOT NULL)::text FROM regrant.clients
    UNION SELECT 'user', subject, status, cutoff::text, (removed_at IS NOT NULL)::text FROM regrant.users
    UNION SELECT 'session', id::text, expires_at::text, '', '' FROM regrant.sessions
    UNION SELECT 'grant', id::text, revoked_at::text, '', '' FROM regrant.grants
    UNION SELECT 'access token', id::text, ends_at::text, '', '' FROM regrant.listed_access_tokens
    UNION SELECT 'consent', user_key::text, client_key::text, '', '' FROM regrant.consents
    UNION SELECT 'signing key', key_id, withdrawn_at::text, '', '' FROM regrant.signing_keys
    UNION SELECT 'master key', kid::text, '', '', '' FROM regrant.announced_keys
    ORDER BY 1, 2";

#[tokio::test]
async fn everything_that_ended_since_at_any_node_is_done_again_from_the_journal() {
    let mut world = World::prepare().await;
    let journal = Postgres::shared().database();
    world.journal = Some(Address::parse(&journal.url(), None).unwrap());
    let (one, other) = (world.open().await.unwrap(), world.node().await);
    specimens(&one).await;
    drop((one, other));
    world.disconnect();
    world.copy += "_of_all";
    Postgres::shared().sql(&format!("CREATE DATABASE {} TEMPLATE {}", world.copy, world.database.name()));

    let (one, other) = (world.open().await.unwrap(), world.node().await);
    end_everything(&one, &other).await;
    drop((one, other));
    world.disconnect();
    let ended = world.database.sql(STATE);
    // As a commit leaves it that failed after it was journalled: nobody was told, and it is done all the same.
    let late = Ending::Grant { id: GrantId([3; 16]), at: NOW.plus_seconds(1) };
    let json = stored::ending::to_json(&late);
    journal.sql(&format!(
        "INSERT INTO regrant_journal.records SELECT number + 1, counter + 1, 1, '{json}' FROM regrant_journal.records
         ORDER BY number DESC LIMIT 1"
    ));
    world.put_back();
    assert_ne!(world.database.sql(STATE), ended);
    let told = world.open().await.err().unwrap();
    assert!(told.contains("is not what it was"), "{told}");
    let records = journal.sql("SELECT count(*) FROM regrant_journal.records");
    let restored = world.restore(RestorePolicy::Strict).await.unwrap();
    // All but the first, which says that there is a journal.
    assert_eq!((restored.epoch, restored.replayed + 1), (EpochNumber(2), records.trim().parse().unwrap()));
    let late = NOW.plus_seconds(1).milliseconds().to_string();
    let id = "03030303-0303-0303-0303-030303030303";
    let expected = ended.replace(&format!("grant|{id}|||"), &format!("grant|{id}|{late}||"));
    assert_ne!(expected, ended, "the third grant lived");
    assert_eq!(world.database.sql(STATE), expected);
    world.open().await.unwrap();

    // Broken off after the journal was told of an epoch: nothing serves until it is done again.
    journal.sql(
        "INSERT INTO regrant_journal.records SELECT number + 1, counter + 1, 3, '{\"epoch\":{\"number\":3}}'
         FROM regrant_journal.records ORDER BY number DESC LIMIT 1",
    );
    world.disconnect();
    let told = world.open().await.err().unwrap();
    let is_told = told.contains("the journal was written when it had come to") && told.contains(" of epoch 3, ");
    assert!(is_told, "{told}");
    assert_eq!(world.restore(RestorePolicy::Strict).await.unwrap().epoch, EpochNumber(4));
    world.open().await.unwrap();
}

#[tokio::test]
async fn a_journal_that_is_not_named_or_not_there_is_told_unless_it_is_given_up() {
    let mut world = World::prepare().await;
    let journal = Postgres::shared().database();
    world.journal = Some(Address::parse(&journal.url(), None).unwrap());
    world.change().await;
    let named = world.journal.take();
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("the store has a revocation journal, and it is not said where"), "{told}");
    let nothing = Postgres::shared().database();
    world.journal = Some(Address::parse(&nothing.url(), None).unwrap());
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("has no revocation journal in it"), "{told}");
    world.journal = named;
    journal.sql("DELETE FROM regrant_journal.records");
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("the journal ends with record 0, and the backup has record 1"), "{told}");

    world.journal = None;
    let told = world.open().await.err().unwrap();
    assert!(told.contains("has a revocation journal, and it is not said where"), "{told}");
    let (directory, entropy) = (world.directory(), SeededEntropy::new(7));
    let (outside, policy) = (OutsideFiles::default(), RestorePolicy::Strict);
    directory.restore_postgres(world.settings(), &outside, policy, true, &entropy, clock()).await.unwrap();
    drop(directory);
    world.open().await.unwrap();
}

fn client(name: &str, handle: u8) -> Client {
    Client {
        id: ClientId::parse(name).unwrap(),
        handle: ClientHandle([handle; 16]),
        secret: GrantSecret::new([2; 16]),
        party: Party { enabled: true, cutoff: 0, version: 1 },
        settings: ClientDefaults::BUILT_IN.settings(ClientKind::Public, Scope::empty()),
    }
}

fn user(name: &str) -> User {
    User {
        subject: Subject::parse(name).unwrap(),
        username: Username::parse(name).unwrap(),
        credential: None,
        status: UserStatus::Active,
        profile: Profile::default(),
        cutoff: 0,
        version: 1,
    }
}

fn session(number: u8, user: &str) -> Session {
    Session {
        id: SessionId([number; 16]),
        secret_digest: [1; 32],
        user: Subject::parse(user).unwrap(),
        created_at: NOW,
        authenticated_at: NOW,
        expires_at: NOW.plus_seconds(3600),
    }
}

fn imported(number: u8, user: &str) -> ImportedGrant {
    let birth = ImportedBirth {
        id: GrantId([number; 16]),
        secret: GrantSecret::new([3; 16]),
        client: ClientId::parse("app").unwrap(),
        subject: Subject::parse(user).unwrap(),
        scope: Scope::empty(),
        created_at: NOW,
        authenticated_at: NOW,
        idle_expires_at: None,
        absolute_expires_at: None,
        ends_elsewhere_at: None,
        access_lifetime: Lifetime::from_seconds(60),
    };
    ImportedGrant { birth, refresh_token: Some(ImportedToken([number; 32])), access_tokens: Vec::new() }
}

fn signing_key(key_id: &str) -> SealedSigningKey {
    SealedSigningKey {
        key_id: key_id.to_owned(),
        algorithm: "EdDSA".to_owned(),
        sealed_under: Kid::FIRST,
        sealed: vec![1],
        created_at: NOW,
        signs_from: NOW,
        withdrawn_at: None,
    }
}

async fn specimens(store: &PostgresStore) {
    for (name, handle) in [("app", 1), ("off", 2), ("gone", 3), ("cut", 4)] {
        store.add_client(client(name, handle)).await.unwrap();
    }
    for name in ["alice", "bob", "carol", "dora"] {
        store.add_user(user(name)).await.unwrap();
        let (user, client) = (Subject::parse(name).unwrap(), ClientId::parse("gone").unwrap());
        let (scope, resources) = (Scope::empty(), Resources::default());
        store.keep_consent(Consent { user, client, scope, resources, given_at: NOW }).await.unwrap();
    }
    for (number, name) in [(1, "alice"), (2, "bob"), (3, "bob"), (4, "carol")] {
        store.keep_session(session(number, name)).await.unwrap();
    }
    store.import((1..=3).map(|number| imported(number, "alice")).collect()).await.unwrap();
    for key_id in ["one", "two"] {
        store.add_signing_key(signing_key(key_id)).await.unwrap();
    }
}

/// Everything ends once, by the one node or the other.
async fn end_everything(one: &PostgresStore, other: &PostgresStore) {
    let (name, id) = (|name| Subject::parse(name).unwrap(), |id| ClientId::parse(id).unwrap());
    let token = AccessTokenId { grant: GrantId([2; 16]), ..AccessTokenId::parse(ACCESS_TOKEN).unwrap() };
    let revoke = |scene: &Scene<'_>| {
        let row = scene.grant.unwrap();
        ((), Write::Update(Grant { version: row.version + 1, revoked_at: Some(NOW), ..row.clone() }))
    };
    decide_in(one, Target::Grant(GrantId([1; 16])), None, revoke).await.unwrap();
    let listed = Write::ListAccessToken { id: token, until: Some(NOW.plus_seconds(60)) };
    decide_in(other, Target::AccessToken(token), None, move |_| ((), listed.clone())).await.unwrap();
    one.end_session(SessionId([1; 16])).await.unwrap();
    other.end_sessions(&name("bob"), Some(SessionId([3; 16]))).await.unwrap();
    one.change_client(&id("off"), ClientChange::Enabled(false)).await.unwrap();
    other.change_client(&id("cut"), ClientChange::RaiseCutoff).await.unwrap();
    one.change_client(&id("cut"), ClientChange::RaiseCutoff).await.unwrap();
    other.change_client(&id("gone"), ClientChange::Remove).await.unwrap();
    one.change_user(&name("bob"), UserChange::Status(UserStatus::Locked)).await.unwrap();
    other.change_user(&name("alice"), UserChange::RaiseCutoff).await.unwrap();
    one.change_user(&name("carol"), UserChange::Remove).await.unwrap();
    other.change_user(&name("dora"), UserChange::Status(UserStatus::Disabled)).await.unwrap();
    one.change_user(&name("dora"), UserChange::Status(UserStatus::Active)).await.unwrap();
    other.change_signing_key("one", SigningKeyChange::Withdraw(NOW)).await.unwrap();
}

const ACCESS_TOKEN: &str = "BwcHBwcHBwcHBwcHBwcHBwAAAAECAgICAgICAgIC";
