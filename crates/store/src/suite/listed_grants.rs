//! The grants that a user is shown.

use regrant_grant::{Generation, Grant, GrantId, SessionId};
use regrant_protocol::{Clock, EpochNumber};

use super::Trial;
use super::specimen::{client, client_id, grant, session, subject, user};
use crate::{ClientChange, GRANTS_LISTED_MAX, Session, UserChange, UserStatus};

/// What ended, in whatever way, is not shown, nor what has not begun.
pub async fn the_grants_of_a_user_that_live_are_listed_newest_first(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_user(user("bob")).await.expect("the name is free");
    let now = trial.clock.now();
    let (running, ended) = (session(1, "alice"), Session { expires_at: now, ..session(2, "alice") });
    trial.store.keep_session(running.clone()).await.expect("there is no session of this name");
    trial.store.keep_session(ended.clone()).await.expect("there is no session of this name");

    let live = |id: u8| lives(id, &trial);
    let just_ahead = now.plus_milliseconds(1);
    for (why, is_listed, grant) in [
        ("it has no end", true, live(1)),
        ("its ends are to come", true, {
            Grant { idle_expires_at: Some(just_ahead), absolute_expires_at: Some(just_ahead), ..live(2) }
        }),
        ("its session lives", true, Grant { session: Some(running.id), ..live(3) }),
        ("its code is kept for a retry", true, Grant { code: grant(1).code, ..live(4) }),
        ("it is an imported token", true, Grant { generation: Generation(0), ..live(5) }),
        ("its code was not redeemed", false, Grant { generation: Generation(0), code: grant(1).code, ..live(6) }),
        ("it was revoked", false, Grant { revoked_at: Some(now), ..live(7) }),
        ("it was not used", false, Grant { idle_expires_at: Some(now), ..live(8) }),
        ("its end came", false, Grant { absolute_expires_at: Some(now), ..live(9) }),
        ("its session ended", false, Grant { session: Some(ended.id), ..live(10) }),
        ("its session is gone", false, Grant { session: Some(SessionId([9; 16])), ..live(11) }),
        ("the client's cutoff ended it", false, Grant { client_cutoff: 2, ..live(12) }),
        ("the user's cutoff ended it", false, Grant { user_cutoff: 4, ..live(13) }),
        ("a restore ended it", false, Grant { epoch: EpochNumber(0), ..live(14) }),
        ("it is a sibling", false, Grant { root: Some(GrantId([1; 16])), ..live(15) }),
        ("it is another user's", false, Grant { subject: subject("bob"), ..live(16) }),
    ] {
        let before = trial.listed("alice").await;
        trial.insert(&grant).await.expect("there is no grant of this name");
        let expected = if is_listed { [vec![grant], before].concat() } else { before };
        assert_eq!(trial.listed("alice").await, expected, "{why}");
    }
    assert_eq!(trial.listed("bob").await.len(), 1);
    assert_eq!(trial.listed("nobody").await, []);
}

/// A user can end what lives, whichever grant of a family it is that lives.
pub async fn a_family_is_listed_while_one_of_it_lives(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let root = Grant { idle_expires_at: Some(now), ..lives(1, &trial) };
    let sibling = |id, end| Grant { root: Some(root.id), idle_expires_at: Some(end), ..lives(id, &trial) };
    for (grant, expected) in [
        (root.clone(), Vec::new()),
        (Grant { rotated_at: now, ..sibling(2, now) }, Vec::new()),
        (Grant { rotated_at: now.plus_milliseconds(1), ..sibling(3, now.plus_seconds(1)) }, vec![root.clone()]),
    ] {
        trial.insert(&grant).await.expect("there is no grant of this name");
        assert_eq!(trial.listed("alice").await, expected);
    }
}

/// Whoever is disabled may be enabled again, and their grants with them.
pub async fn a_grant_is_listed_until_its_client_or_user_is_gone_for_good(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_client(client("other")).await.expect("the name is free");
    let (apps, others) = (lives(1, &trial), Grant { client: client_id("other"), ..lives(2, &trial) });
    for grant in [&apps, &others] {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    let app = client_id("app");
    for (change, expected) in [
        (ClientChange::Enabled(false), vec![others.clone(), apps]),
        (ClientChange::RaiseCutoff, vec![others.clone()]),
        (ClientChange::Remove, vec![others.clone()]),
    ] {
        assert_eq!(trial.store.change_client(&app, change.clone()).await, Ok(()));
        assert_eq!(trial.listed("alice").await, expected, "{change:?}");
    }
    for (change, expected) in [
        (UserChange::Status(UserStatus::Locked), vec![others]),
        (UserChange::RaiseCutoff, Vec::new()),
        (UserChange::Remove, Vec::new()),
    ] {
        assert_eq!(trial.store.change_user(&subject("alice"), change.clone()).await, Ok(()));
        assert_eq!(trial.listed("alice").await, expected, "{change:?}");
    }
}

/// The list has an end, and the newest are on it.
pub async fn only_so_many_grants_are_listed(trial: Trial) {
    let trial = trial.with_parties().await;
    let numbered = |number: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let created_at = trial.clock.now().plus_seconds(number as i64);
        // As imported tokens they meet no cap.
        Grant { id: GrantId(id), created_at, generation: Generation(0), ..lives(1, &trial) }
    };
    trial.insert_many((0..=GRANTS_LISTED_MAX as u64).map(numbered)).await;
    let listed = trial.listed("alice").await;
    assert_eq!(listed.len(), GRANTS_LISTED_MAX);
    assert!(listed.is_sorted_by(|newer, older| newer.created_at > older.created_at));
    assert_eq!(listed[0].id.0[..8], (GRANTS_LISTED_MAX as u64).to_be_bytes());
}

/// A grant that lives and is the newer the higher its id.
fn lives(id: u8, trial: &Trial) -> Grant {
    Grant {
        created_at: trial.clock.now().plus_seconds(i64::from(id)),
        session: None,
        code: None,
        idle_expires_at: None,
        absolute_expires_at: None,
        revoked_at: None,
        ..grant(id)
    }
}

impl Trial {
    async fn listed(&self, user: &str) -> Vec<Grant> {
        self.store.grants_of(&subject(user)).await.expect("the store reads")
    }
}
