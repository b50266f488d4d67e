//! What becomes of the rows of grants.

use regrant_grant::{Grant, GrantId, SessionId};

use super::Trial;
use super::specimen::{client, client_id, grant, greatest_grant, least_grant, subject, user};
use crate::{StoreError, Target};

/// Every field comes back, at its extremes too.
pub async fn a_grant_is_read_as_it_was_written(trial: Trial) {
    let trial = trial.with_parties().await;
    let without_session = Grant { session: None, ..least_grant(4) };
    for written in [grant(1), least_grant(2), greatest_grant(3), without_session] {
        trial.insert(&written).await.expect("there is no grant of this name");
        assert_eq!(trial.grant(written.id).await, Some(written));
    }
}

/// The second insert changes nothing.
pub async fn a_grant_cannot_be_inserted_twice(trial: Trial) {
    let trial = trial.with_parties().await;
    let first = grant(1);
    trial.insert(&first).await.expect("there is no grant of this name");
    expect_inconsistent(trial.insert(&Grant { client_cutoff: 9, ..first.clone() }).await);
    assert_eq!(trial.grant(first.id).await, Some(first));
}

/// A grant belongs to a client and a user that the store knows.
pub async fn a_grant_of_an_unknown_client_or_user_is_refused(trial: Trial) {
    let trial = trial.with_parties().await;
    for stranger in
        [Grant { client: client_id("nobody"), ..grant(1) }, Grant { subject: subject("nobody"), ..grant(1) }]
    {
        expect_inconsistent(trial.insert(&stranger).await);
        assert_eq!(trial.grant(stranger.id).await, None);
    }
}

/// Every field that may change does, from one extreme to the other and back.
pub async fn an_update_replaces_everything_else(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.insert(&grant(1)).await.expect("there is no grant of this name");
    for (version, present) in [least_grant(1), greatest_grant(1), grant(1)].into_iter().enumerate() {
        let present = Grant { version: version as u64 + 2, ..present };
        trial.update(&present).await.expect("the version follows");
        assert_eq!(trial.grant(present.id).await, Some(present));
    }
}

/// Only the version right after the present one is written.
pub async fn an_update_that_does_not_follow_the_present_version_writes_nothing(trial: Trial) {
    let trial = trial.with_parties().await;
    let present = Grant { version: 5, ..grant(1) };
    trial.insert(&present).await.expect("there is no grant of this name");
    for version in [0, 1, 4, 5, 7, u64::MAX] {
        trial.update(&Grant { version, ..least_grant(1) }).await.expect_err("the version does not follow");
        assert_eq!(trial.grant(present.id).await, Some(present.clone()), "version {version}");
    }
    expect_inconsistent(trial.update(&Grant { version: 6, ..grant(2) }).await);
    assert_eq!(trial.grant(GrantId([2; 16])).await, None, "an update makes no row");
}

/// Client, user, root and login session are fixed when a grant is made.
pub async fn an_update_cannot_give_a_grant_to_another_client_user_session_or_family(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_client(client("other")).await.expect("the name is free");
    trial.store.add_user(user("bob")).await.expect("the name is free");
    let present = grant(1);
    trial.insert(&present).await.expect("there is no grant of this name");
    trial.insert(&grant(2)).await.expect("there is no grant of this name");
    let next = Grant { version: 2, ..present.clone() };
    for moved in [
        Grant { client: client_id("other"), ..next.clone() },
        Grant { subject: subject("bob"), ..next.clone() },
        Grant { root: Some(GrantId([2; 16])), ..next.clone() },
        Grant { session: Some(SessionId([2; 16])), ..next.clone() },
        Grant { session: None, ..next.clone() },
    ] {
        expect_inconsistent(trial.update(&moved).await);
        assert_eq!(trial.grant(present.id).await, Some(present.clone()), "{moved:?}");
    }
    trial.update(&next).await.expect("the version follows");
}

/// The root comes with the sibling, as it is now.
pub async fn a_sibling_is_read_with_the_root_of_its_family(trial: Trial) {
    let trial = trial.with_parties().await;
    let root = Grant { revoked_at: None, ..grant(1) };
    let sibling = Grant { root: Some(root.id), ..grant(2) };
    trial.insert(&root).await.expect("there is no grant of this name");
    trial.insert(&sibling).await.expect("there is no grant of this name");
    let family = |id| trial.read(Target::Grant(id), |scene| (scene.grant.cloned(), scene.surroundings.root.cloned()));
    assert_eq!(family(sibling.id).await, Ok((Some(sibling.clone()), Some(root.clone()))));
    assert_eq!(family(root.id).await, Ok((Some(root.clone()), None)), "a root has none");

    let revoked = Grant { version: 2, revoked_at: Some(root.created_at), ..root };
    trial.write(Target::Grant(sibling.id), regrant_grant::Write::Update(revoked.clone())).await.expect("it follows");
    assert_eq!(family(sibling.id).await, Ok((Some(sibling), Some(revoked))));
}

/// Without the root nobody can say whether the family was revoked.
pub async fn a_sibling_without_its_root_is_refused(trial: Trial) {
    let trial = trial.with_parties().await;
    let orphan = Grant { root: Some(GrantId([9; 16])), ..grant(1) };
    trial.insert(&orphan).await.expect("there is no grant of this name");
    expect_inconsistent(trial.read(Target::Grant(orphan.id), |_| ()).await);
}

fn expect_inconsistent(outcome: Result<(), StoreError>) {
    assert!(matches!(outcome, Err(StoreError::Inconsistent { .. })), "{outcome:?}");
}
