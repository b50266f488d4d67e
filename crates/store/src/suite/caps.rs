//! What one user can give one client only so many of.

use regrant_grant::{Generation, Grant, GrantId, LIVE_GRANTS_MAX, OPEN_CODES_MAX, SessionId};
use regrant_protocol::{Clock, EpochNumber, Timestamp};

use super::Trial;
use super::specimen::{client, client_id, grant, session, subject, user};
use crate::{GrantFilter, SLICE_ROWS_MAX, Session};

const NONE: [u128; 0] = [];

/// The newcomer is counted in the step that makes it.
pub async fn one_grant_more_than_may_live_ends_the_one_that_was_idle_longest(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let used = |number: u64, seconds: i64| Grant { rotated_at: now.plus_seconds(seconds), ..live(number) };
    trial.insert_many((1..LIVE_GRANTS_MAX as u64).map(|number| used(number, -(number as i64)))).await;
    // Of these none counts.
    trial.insert(&Grant { idle_expires_at: Some(now), ..used(901, -901) }).await.expect("the name is free");
    trial.insert(&Grant { revoked_at: Some(now), ..used(902, -902) }).await.expect("the name is free");
    trial.insert(&open(903, now)).await.expect("the name is free");
    // A family counts as one, and as idle as the one of it that was used last.
    let root = used(904, -904);
    let siblings = [905, 906].map(|number| Grant { root: Some(root.id), ..used(number, 1 - (number as i64)) });
    trial.insert(&root).await.expect("the name is free");
    for sibling in &siblings {
        trial.insert(sibling).await.expect("the name is free");
    }
    assert_eq!(trial.revoked().await, [902], "there are as many as there may be");

    trial.insert(&used(1_000, 0)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [902, 904], "the family was idle longest");
    let redeemed = Grant { version: 2, generation: Generation(1), idle_expires_at: None, ..open(903, now) };
    trial.update(&redeemed).await.expect("it follows");
    assert_eq!(trial.revoked().await, [199, 902, 904]);
    let ended = trial.grant(live(199).id).await.expect("it was inserted");
    assert_eq!(ended, Grant { version: 2, revoked_at: Some(now), ..used(199, -199) });

    let refreshed = Grant { version: 3, generation: Generation(2), ..redeemed };
    trial.update(&refreshed).await.expect("it follows");
    trial.insert(&Grant { generation: Generation(0), ..used(1_001, 0) }).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [199, 902, 904], "neither a refresh nor an import ends anything");
    trial.insert(&used(1_002, 0)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [198, 199, 902, 904], "where there are more, one ends for each");
}

/// However many there are of a user and a client that ended without a write to their rows, those that live are counted.
pub async fn what_has_ended_hides_nothing_that_counts(trial: Trial) {
    const CROWD: u64 = 1_001;
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let ended = Session { expires_at: now, ..session(9, "alice") };
    trial.store.keep_session(ended.clone()).await.expect("there is no session of this name");
    // As imported tokens they meet no cap themselves.
    let imported = |number| Grant { generation: Generation(0), ..live(number) };
    for (place, change) in (0..).zip([
        (|row| Grant { client_cutoff: 2, ..row }) as fn(Grant) -> Grant,
        |row| Grant { user_cutoff: 4, ..row },
        |row| Grant { epoch: EpochNumber(0), ..row },
        |row| Grant { session: Some(SessionId([8; 16])), ..row },
        |row| Grant { session: Some(SessionId([9; 16])), ..row },
        |row| Grant { idle_expires_at: Some(row.rotated_at), ..row },
        |row| Grant { absolute_expires_at: Some(row.rotated_at), ..row },
    ]) {
        let crowd = place * CROWD..(place + 1) * CROWD;
        trial.insert_many(crowd.map(|number| change(Grant { rotated_at: now, ..imported(number) }))).await;
    }
    let used = |number: u64| Grant { rotated_at: now.plus_seconds(-(number as i64)), ..live(100_000 + number) };
    trial.insert_many((1..=LIVE_GRANTS_MAX as u64).map(used)).await;
    assert_eq!(trial.revoked().await, NONE, "there are as many as there may be");
    trial.insert(&used(0)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [100_200]);
}

/// However many grants there are of a user and a client, its codes are counted.
pub async fn what_lives_hides_no_open_code(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    trial.insert_many((0..1_001).map(|number| Grant { generation: Generation(0), ..live(number) })).await;
    let made = |number: u64| open(2_000 + number, now.plus_seconds(-(number as i64)));
    trial.insert_many((1..=OPEN_CODES_MAX as u64).map(made)).await;
    trial.insert(&made(0)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [2_020]);
}

/// The oldest is the least likely to be redeemed.
pub async fn one_code_more_than_may_be_open_ends_the_oldest(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let made = |number: u64| open(number, now.plus_seconds(-(number as i64)));
    trial.insert_many((1..=OPEN_CODES_MAX as u64).map(made)).await;
    trial.insert(&live(900)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, NONE);
    trial.insert(&open(901, now)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [20]);
    trial.insert(&open(902, now)).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [19, 20]);
}

/// A cap is for one user and one client.
pub async fn what_others_have_counts_for_nobody_else(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_client(client("other")).await.expect("the name is free");
    trial.store.add_user(user("bob")).await.expect("the name is free");
    let now = trial.clock.now();
    for number in 0..OPEN_CODES_MAX as u64 {
        for (place, (user, client)) in (0..).zip([("alice", "app"), ("alice", "other"), ("bob", "app")]) {
            let (subject, client) = (subject(user), client_id(client));
            let code = Grant { subject, client, ..open(100 * place + number, now) };
            trial.insert(&code).await.expect("the name is free");
        }
    }
    assert_eq!(trial.revoked().await, NONE);
    trial.insert(&Grant { subject: subject("bob"), ..open(250, now) }).await.expect("the name is free");
    assert_eq!(trial.revoked().await, [200], "bob's oldest");
}

/// An insert that is refused ends nothing.
pub async fn a_step_that_fails_makes_no_room(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    trial.insert_many((1..=OPEN_CODES_MAX as u64).map(|number| open(number, now))).await;
    trial.insert(&open(7, now)).await.expect_err("the name is taken");
    assert_eq!(trial.revoked().await, NONE);
}

fn live(number: u64) -> Grant {
    Grant {
        id: GrantId(u128::from(number).to_be_bytes()),
        session: None,
        code: None,
        idle_expires_at: None,
        absolute_expires_at: None,
        revoked_at: None,
        ..grant(1)
    }
}

fn open(number: u64, created_at: Timestamp) -> Grant {
    let idle_expires_at = Some(created_at.plus_seconds(60));
    Grant { generation: Generation(0), code: grant(1).code, idle_expires_at, created_at, ..live(number) }
}

impl Trial {
    /// The numbers of the grants that were revoked.
    async fn revoked(&self) -> Vec<u128> {
        let filter = GrantFilter { with_revoked: true, ..GrantFilter::default() };
        let (mut revoked, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.grants(&filter, after, SLICE_ROWS_MAX).await.expect("the store reads");
            revoked
                .extend(page.items.into_iter().map(|listed| listed.grant).filter(|grant| grant.revoked_at.is_some()));
            after = page.next;
            if after.is_none() {
                break revoked.into_iter().map(|grant| u128::from_be_bytes(grant.id.0)).collect();
            }
        }
    }
}
