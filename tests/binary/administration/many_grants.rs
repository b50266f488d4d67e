use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use regrant_crypto::{SystemEntropy, random};
use regrant_grant::{GrantId, Realm, Write};
use regrant_protocol::{Subject, SystemClock, Username};
use regrant_store::{GrantFilter, Scene, Step, Store, Target, User};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tokio::task::JoinSet;

use crate::curl::{log_in, refresh};

use super::operator::Operator;

const USERS: u64 = 1_000;
/// As many as a user may have at a client.
const GRANTS_OF_A_USER: u64 = 100;

/// Run it with: `cargo test -p regrant-tests --release --test binary many_grants -- --ignored --nocapture`
#[tokio::test]
#[ignore = "it measures, and writes 100,000 grants for that"]
async fn a_hundred_thousand_grants_end_at_once() {
    let mut operator = Operator::new(true);
    let token = log_in(operator.url()).refresh_token();
    operator.stop();
    fill(&operator.data.join("regrant.db")).await;
    operator.start();

    let token = refresh(operator.url(), &token).refresh_token();
    let before = now();
    let told = operator.types(&["grant", "revoke", "--client", "TestClient", "--yes"]).ok().says(&["by one write"]);
    println!(
        "{} grants: {:?}, the start of the command included. {}",
        USERS * GRANTS_OF_A_USER + 1,
        before.elapsed(),
        told.stderr
    );
    refresh(operator.url(), &token).assert_invalid_grant();
    for grant in operator.asks(&["grant", "list", "--client", "TestClient"])["items"].as_array().expect("a list") {
        assert_eq!(grant["state"], "revoked");
    }
}

/// Copies the one grant that there is for many users.
async fn fill(database: &Path) {
    let genesis = Genesis { realm: Realm([0; 16]), epoch_random: [0; 16] };
    let store = Arc::new(SqliteStore::open(database, genesis, Arc::new(SystemClock)).expect("the store answers"));
    let listed = store.grants(&GrantFilter::default(), None, 1).await.expect("the store answers");
    let grant = &listed.items[0].grant;
    let user = store.user(&grant.subject).await.expect("the store answers").expect("somebody logged in");
    for number in 0..USERS {
        let subject = Subject::parse(&format!("subject-{number}")).expect("it is a subject");
        let username = Username::parse(&format!("user-{number}")).expect("it is a name");
        store.add_user(User { subject: subject.clone(), username, ..user.clone() }).await.expect("the store answers");
        let mut steps = JoinSet::new();
        for _ in 0..GRANTS_OF_A_USER {
            let mut copy = grant.clone();
            (copy.id, copy.subject) = (GrantId(random(&SystemEntropy)), subject.clone());
            let target = Target::NewGrant {
                grant: copy.id,
                client: copy.client.clone(),
                user: copy.subject.clone(),
                session: copy.session,
            };
            let rule = Box::new(move |_: &Scene<'_>| Write::Insert(copy.clone()));
            let store = Arc::clone(&store);
            steps.spawn(async move { store.step(Step { target, begin_before: None, rule }).await });
        }
        for written in steps.join_all().await {
            written.expect("the store answers");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn now() -> Instant {
    Instant::now()
}
