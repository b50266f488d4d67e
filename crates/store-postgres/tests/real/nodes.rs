//! Several nodes on one database.

use std::sync::Arc;

use regrant_databases::{Database, Postgres};
use regrant_grant::{Generation, Grant, GrantId, LIVE_GRANTS_MAX, SessionId, Write};
use regrant_protocol::{ClientId, Clock, ManualClock, SystemClock, Timestamp};
use regrant_store::{ChangeError, ClientChange, Session, Store, StoreError, Target, decide_in};
use regrant_store_postgres::{PostgresStore, Settings};
use tokio::task::JoinSet;

use crate::node::{GENESIS, add_parties, address, advance, client, grant, insert, next, open, read, user};

const STEPS: u32 = 64;

async fn two_nodes(database: &Database<'_>) -> [Arc<PostgresStore>; 2] {
    let nodes = [open(database).await, open(database).await];
    add_parties(&nodes[0]).await;
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_steps_at_two_nodes_one_rotates_and_the_others_see_it() {
    let database = Postgres::shared().database();
    let nodes = two_nodes(&database).await;
    for number in 0..8 {
        insert(&nodes[0], &grant(number)).await.unwrap();
        let id = grant(number).id;
        let mut steps = JoinSet::new();
        for step in 0..STEPS {
            let node = Arc::clone(&nodes[step as usize % 2]);
            steps.spawn(async move {
                decide_in(node.as_ref(), Target::Grant(id), None, |scene| {
                    let is_current = scene.grant.is_some_and(|row| row.generation == Generation(0));
                    (is_current, if is_current { Write::Update(next(scene)) } else { Write::Nothing })
                })
                .await
            });
        }
        let outcomes = steps.join_all().await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(outcomes.into_iter().filter(|outcome| *outcome == Ok(true)).count(), 1);
        for node in &nodes {
            assert_eq!(read(node, id).await.unwrap().map(|row| row.generation), Some(Generation(1)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_step_of_two_nodes_misses_what_another_one_wrote() {
    let database = Postgres::shared().database();
    let nodes = two_nodes(&database).await;
    insert(&nodes[0], &grant(1)).await.unwrap();
    let mut steps = JoinSet::new();
    for step in 0..4 * STEPS {
        let node = Arc::clone(&nodes[step as usize % 2]);
        steps.spawn(async move { advance(&node, grant(1).id).await });
    }
    let mut generations: Vec<u32> = steps.join_all().await.into_iter().flatten().collect();
    generations.sort_unstable();
    let row = read(&nodes[0], grant(1).id).await.unwrap().unwrap();
    assert_eq!(generations, (1..=row.generation.0).collect::<Vec<_>>(), "each was given once");
    assert_eq!(row.version, 1 + u64::from(row.generation.0));
    assert!(row.generation.0 >= STEPS, "{}", row.generation.0);
}

#[tokio::test]
async fn a_revocation_at_one_node_is_seen_by_the_next_step_at_the_other() {
    let database = Postgres::shared().database();
    let [one, other] = two_nodes(&database).await;
    insert(&one, &grant(1)).await.unwrap();
    advance(&other, grant(1).id).await.unwrap();
    let revoke = |scene: &regrant_store::Scene<'_>| {
        let revoked_at = Some(Timestamp::from_seconds(9));
        ((), Write::Update(Grant { revoked_at, generation: Generation(1), ..next(scene) }))
    };
    decide_in(one.as_ref(), Target::Grant(grant(1).id), None, revoke).await.unwrap();
    assert!(read(&other, grant(1).id).await.unwrap().is_some_and(|row| row.revoked_at.is_some()));
    one.change_client(&client("app", 1).id, ClientChange::RaiseCutoff).await.unwrap();
    let cutoff = decide_in(other.as_ref(), Target::Grant(grant(1).id), None, |scene| {
        (scene.surroundings.client.map(|client| client.cutoff), Write::Nothing)
    });
    assert_eq!(cutoff.await, Ok(Some(1)));
}

/// What is changed by somebody else after it was read and before the row is written: the step is decided anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_step_relied_on_is_still_so_when_it_is_written() {
    let database = Arc::new(Postgres::shared().database());
    let node = open(&database).await;
    add_parties(&node).await;
    let session = Session {
        id: SessionId([5; 16]),
        secret_digest: [0; 32],
        user: user("alice").subject,
        created_at: Timestamp::from_seconds(1),
        authenticated_at: Timestamp::from_seconds(1),
        expires_at: Timestamp::from_milliseconds(i64::MAX),
    };
    node.keep_session(session.clone()).await.unwrap();
    let root = grant(100);
    insert(&node, &root).await.unwrap();
    for (number, change) in (1..).zip([
        "UPDATE regrant.clients SET cutoff = cutoff + 1, version = version + 1",
        "UPDATE regrant.users SET status = 'disabled', version = version + 1",
        "UPDATE regrant.sessions SET expires_at = 7",
        "UPDATE regrant.grants SET revoked_at = 7, version = version + 1 WHERE root IS NULL",
        "UPDATE regrant.grants SET version = version + 1 WHERE root IS NOT NULL",
    ]) {
        let sibling = Grant { root: Some(root.id), session: Some(session.id), ..grant(number) };
        insert(&node, &sibling).await.unwrap();
        let (inside, mut calls) = (Arc::clone(&database), 0);
        let calls = decide_in(node.as_ref(), Target::Grant(sibling.id), None, move |scene| {
            calls += 1;
            if calls == 1 {
                inside.sql(change);
            }
            // The second time it would be refused.
            (calls, if calls == 1 { Write::Update(next(scene)) } else { Write::Nothing })
        });
        assert_eq!(calls.await, Ok(2), "{change}");
        let row = read(&node, sibling.id).await.unwrap().unwrap();
        assert_eq!(row.generation, Generation(0), "{change}: what was decided before was not written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_overtaken_each_time_gives_up_and_has_written_nothing() {
    let database = Arc::new(Postgres::shared().database());
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let inside = Arc::clone(&database);
    let outcome = decide_in(node.as_ref(), Target::Grant(grant(1).id), None, move |scene| {
        inside.sql("UPDATE regrant.clients SET version = version + 1");
        ((), Write::Update(next(scene)))
    });
    assert!(matches!(outcome.await, Err(StoreError::Unavailable(_))));
    assert_eq!(read(&node, grant(1).id).await, Ok(Some(grant(1))));
    // Once together with others, and three times alone.
    assert_eq!(database.sql("SELECT version FROM regrant.clients").trim(), "5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_together_give_no_more_codes_than_may_be_open() {
    let database = Postgres::shared().database();
    let nodes = two_nodes(&database).await;
    let code = regrant_grant::Code {
        challenge: None,
        redirect_uri: [0; 16],
        redirect_uri_was_sent: true,
        nonce: None,
        expires_at: Timestamp::from_milliseconds(i64::MAX),
    };
    let mut steps = JoinSet::new();
    for number in 0..60 {
        let node = Arc::clone(&nodes[number as usize % 2]);
        let row = Grant { code: Some(code.clone()), ..grant(number) };
        steps.spawn(async move { insert(&node, &row).await });
    }
    let made = steps.join_all().await.into_iter().filter(Result::is_ok).count();
    let open = database.sql("SELECT count(*) FROM regrant.grants WHERE revoked_at IS NULL");
    assert!(made > 20, "{made}");
    assert_eq!(open.trim(), "20");
}

/// Of each that one may have, the newcomers at two nodes count each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_together_let_no_more_grants_live_than_may() {
    let database = Postgres::shared().database();
    let nodes = two_nodes(&database).await;
    let most = LIVE_GRANTS_MAX as u64;
    for number in 0..most - 10 {
        insert(&nodes[0], &used(number)).await.unwrap();
    }
    let mut steps = JoinSet::new();
    for number in most..most + 60 {
        let node = Arc::clone(&nodes[number as usize % 2]);
        steps.spawn(async move { insert(&node, &used(number)).await });
    }
    let made = steps.join_all().await.into_iter().filter(Result::is_ok).count();
    let live = database.sql("SELECT count(*) FROM regrant.grants WHERE revoked_at IS NULL");
    assert!(made > 10, "{made}");
    assert_eq!(live.trim(), most.to_string());
}

/// A grant whose code was redeemed.
fn used(number: u64) -> Grant {
    Grant { generation: Generation(1), ..grant(number) }
}

/// In a batch, and alone once somebody was in the way. So a node whose clock is wrong lets nothing live longer, and ends nothing early.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_decides_by_the_time_of_the_database() {
    const DAY_SECONDS: i64 = 86_400;
    let database = Arc::new(Postgres::shared().database());
    let right = open(&database).await;
    add_parties(&right).await;
    for (number, seconds) in [(1, -DAY_SECONDS), (2, DAY_SECONDS)] {
        let wrong = Arc::new(ManualClock::new(SystemClock.now().plus_seconds(seconds)));
        let node = PostgresStore::open(Settings::new(address(&database)), GENESIS, wrong).await.unwrap();
        insert(&node, &grant(number)).await.unwrap();
        let (inside, mut times) = (Arc::clone(&database), Vec::new());
        let times = decide_in(&node, Target::Grant(grant(number).id), None, move |scene| {
            if times.is_empty() {
                inside.sql("UPDATE regrant.clients SET version = version + 1");
            }
            times.push(scene.now);
            (times.clone(), Write::Update(next(scene)))
        });
        let times = times.await.unwrap();
        assert_eq!(times.len(), 2, "the second time it went alone");
        for time in times {
            let apart = SystemClock.now().milliseconds_since(time).abs();
            assert!(apart < 1_000 * DAY_SECONDS / 2, "{seconds}: {}", time.to_rfc3339());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_given_to_one_of_those_who_want_it_at_once() {
    let database = Postgres::shared().database();
    let nodes = two_nodes(&database).await;
    for number in 0..16 {
        let name = format!("name-{number}");
        let (as_client, as_user) = (client(&name, 100 + number), user(&name));
        let (one, other) = tokio::join!(nodes[0].add_client(as_client), nodes[1].add_user(as_user));
        let taken = Err(ChangeError::Taken(name.clone()));
        assert!([(Ok(()), taken.clone()), (taken, Ok(()))].contains(&(one, other)), "{name}");
    }
    assert!(nodes[1].client(&ClientId::parse("nobody").unwrap()).await.unwrap().is_none());
}

/// In a partitioned table, a grant is found in the partition of its id.
#[tokio::test]
async fn the_table_of_grants_can_be_partitioned_by_id() {
    let database = Postgres::shared().database();
    drop(open(&database).await);
    database.sql(
        "SET search_path = regrant;
         DROP TABLE imported_access_tokens;
         ALTER TABLE grants RENAME TO whole;
         CREATE TABLE grants (LIKE whole, PRIMARY KEY (id)) PARTITION BY HASH (id);
         CREATE TABLE grants_0 PARTITION OF grants FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 80);
         CREATE TABLE grants_1 PARTITION OF grants FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 80);
         DROP TABLE whole;
         CREATE INDEX ON grants (user_key, client_key) WHERE root IS NULL AND revoked_at IS NULL;
         CREATE INDEX ON grants (root) WHERE root IS NOT NULL",
    );
    let [one, other] = two_nodes(&database).await;
    for number in 0..32 {
        insert(&one, &grant(number)).await.unwrap();
        insert(&one, &grant(number)).await.unwrap_err();
        assert_eq!(advance(&other, grant(number).id).await, Ok(1));
    }
    for partition in ["grants_0", "grants_1"] {
        assert_ne!(database.sql(&format!("SELECT count(*) FROM regrant.{partition}")).trim(), "0", "{partition}");
    }
    let listed = one.grants_of(&user("alice").subject).await.unwrap();
    assert_eq!(listed.len(), 32);
    assert_eq!(read(&one, GrantId([9; 16])).await, Ok(None));
}
