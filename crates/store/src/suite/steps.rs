//! What holds for every step.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use regrant_grant::{Generation, Grant, GrantId, Write};
use regrant_protocol::Clock;
use tokio::task::JoinSet;

use super::Trial;
use super::specimen::{access_token, client_id, grant, new_grant};
use crate::{Scene, Step, StoreError, Target};

/// How many steps are sent at once.
const STEPS: u32 = 64;

/// No step misses what another one wrote, and none is lost.
pub async fn steps_on_one_grant_behave_as_if_they_came_one_after_another(trial: Trial) {
    let trial = trial.with_parties().await;
    let start = Grant { version: 1, generation: Generation(0), ..grant(1) };
    trial.insert(&start).await.expect("there is no grant of this name");
    let mut steps = JoinSet::new();
    for _ in 0..STEPS {
        let store = Arc::clone(&trial.store);
        let target = Target::Grant(start.id);
        steps.spawn(async move { store.step(Step { target, begin_before: None, rule: Box::new(advance) }).await });
    }
    for outcome in steps.join_all().await {
        assert_eq!(outcome, Ok(()));
    }
    let end = trial.grant(start.id).await.expect("it was inserted");
    assert_eq!((end.version, end.generation), (1 + u64::from(STEPS), Generation(STEPS)));
}

/// A panic in a rule is an error for its caller, and for nobody else.
pub async fn a_rule_that_panics_fails_alone(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.insert(&Grant { generation: Generation(0), ..grant(1) }).await.expect("there is no grant of this name");
    let mut steps = JoinSet::new();
    for number in 0..STEPS {
        let store = Arc::clone(&trial.store);
        let target = Target::Grant(GrantId([1; 16]));
        let panics = number % 8 == 3;
        let rule = Box::new(move |scene: &Scene<'_>| {
            assert!(!panics, "this rule panics because the test wants it to");
            advance(scene)
        });
        steps.spawn(async move { (panics, store.step(Step { target, begin_before: None, rule }).await) });
    }
    for (panics, outcome) in steps.join_all().await {
        assert_eq!(panics, matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        assert_eq!(panics, outcome.is_err(), "{outcome:?}");
    }
    let end = trial.grant(GrantId([1; 16])).await.expect("it was inserted");
    assert_eq!(end.generation, Generation(STEPS - STEPS / 8));
}

/// Whether an abandoned step happens or not, it happens whole, and the store goes on.
pub async fn a_caller_that_goes_away_changes_nothing_for_the_others(trial: Trial) {
    let trial = trial.with_parties().await;
    let start = Grant { version: 1, generation: Generation(0), ..grant(1) };
    trial.insert(&start).await.expect("there is no grant of this name");
    for _ in 0..STEPS {
        let mut abandoned = Box::pin(advance_once(&trial));
        poll_fn(|context| {
            let _ = abandoned.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
        drop(abandoned);
        assert_eq!(advance_once(&trial).await, Ok(()));
    }
    let end = trial.grant(start.id).await.expect("it was inserted");
    assert!((STEPS..=2 * STEPS).contains(&end.generation.0), "{end:?}");
    assert_eq!(end.version, 1 + u64::from(end.generation.0));
}

/// The deadline is on the store's monotonic clock, and still counts when it is reached.
pub async fn a_step_that_is_not_begun_in_time_is_refused_and_not_decided(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.insert(&grant(1)).await.expect("there is no grant of this name");
    let deadline = trial.clock.monotonic() + Duration::from_millis(10_000);
    let decided = Arc::new(AtomicUsize::new(0));
    for (passed_milliseconds, expected) in
        [(0, Ok(())), (10_000, Ok(())), (1, Err(StoreError::TooLate)), (1, Err(StoreError::TooLate))]
    {
        trial.clock.advance_milliseconds(passed_milliseconds);
        // A jump of the time of day changes no deadline.
        trial.clock.jump_to(grant(1).created_at);
        let calls = Arc::clone(&decided);
        let rule = Box::new(move |scene: &Scene<'_>| {
            calls.fetch_add(1, Ordering::SeqCst);
            advance(scene)
        });
        let step = Step { target: Target::Grant(GrantId([1; 16])), begin_before: Some(deadline), rule };
        assert_eq!(trial.store.step(step).await, expected);
    }
    assert_eq!(decided.load(Ordering::SeqCst), 2);
    assert_eq!(trial.grant(GrantId([1; 16])).await.map(|grant| grant.version), Some(3));
}

/// Rules judge by the store's clock and epoch, never by their own.
pub async fn a_step_has_the_time_and_the_epoch_of_the_store(trial: Trial) {
    let trial = trial.with_parties().await;
    for _ in 0..3 {
        trial.clock.advance_seconds(7);
        let seen = trial.read(new_grant(1), |scene| (scene.now, scene.surroundings.epoch)).await;
        assert_eq!(seen, Ok((trial.clock.now(), trial.store.identity().epoch().number)));
    }
}

/// The rule says what to make of what is not there.
pub async fn a_step_about_nothing_that_exists_is_decided_too(trial: Trial) {
    let nowhere = access_token(GrantId([1; 16]), 1);
    for target in [
        Target::Grant(nowhere.grant),
        Target::AccessToken(nowhere),
        Target::Client(client_id("app")),
        new_grant(1),
        Target::ClientAccessToken(client_id("app"), nowhere),
    ] {
        let is_empty = trial.read(target.clone(), |scene| {
            let around = scene.surroundings;
            scene.grant.is_none()
                && around.root.is_none()
                && around.client.is_none()
                && around.user.is_none()
                && around.session_ends_at.is_none()
                && !scene.access_token_is_listed
        });
        assert_eq!(is_empty.await, Ok(true), "{target:?}");
    }
}

/// A client that acts for itself has no grant and no user.
pub async fn a_step_about_a_client_alone_reads_no_grant(trial: Trial) {
    let trial = trial.with_parties().await;
    let token = access_token(GrantId([1; 16]), 1);
    trial.insert(&grant(1)).await.expect("there is no grant of this name");
    for target in [Target::Client(client_id("app")), Target::ClientAccessToken(client_id("app"), token)] {
        let seen = trial.read(target.clone(), |scene| {
            let around = scene.surroundings;
            (scene.grant.is_some(), around.client.map(|client| client.cutoff), around.user.is_some())
        });
        assert_eq!(seen.await, Ok((false, Some(3), false)), "{target:?}");
    }
}

/// A consent that is sent twice meets the grant that it made.
pub async fn a_step_about_a_new_grant_reads_the_one_that_there_is(trial: Trial) {
    let trial = trial.with_parties().await;
    let found = || trial.read(new_grant(1), |scene| scene.grant.cloned());
    assert_eq!(found().await, Ok(None));
    trial.insert(&grant(1)).await.expect("there is no grant of this name");
    trial.insert(&grant(2)).await.expect("there is no grant of this name");
    assert_eq!(found().await, Ok(Some(grant(1))));
}

/// The next version and generation of the grant that was read.
fn advance(scene: &Scene<'_>) -> Write {
    let row = scene.grant.expect("the test inserted it");
    Write::Update(Grant { version: row.version + 1, generation: Generation(row.generation.0 + 1), ..row.clone() })
}

async fn advance_once(trial: &Trial) -> Result<(), StoreError> {
    let target = Target::Grant(GrantId([1; 16]));
    trial.store.step(Step { target, begin_before: None, rule: Box::new(advance) }).await
}
