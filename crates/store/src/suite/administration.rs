//! What an operator reads and ends.

use regrant_grant::{AccessVerdict, Generation, Grant, GrantId};
use regrant_protocol::Clock;

use super::Trial;
use super::specimen::{client, client_id, grant, subject, user, username};
use crate::{GrantFilter, Page, SLICE_ROWS_MAX, User, UserChange, UserStatus};

/// Of each family its root, by id, with what has become of it.
pub async fn grants_are_listed_by_user_and_client(trial: Trial) {
    let trial = trial.with_strangers().await;
    let now = trial.clock.now();
    let all = [
        (made(1, "alice", "app"), AccessVerdict::Active),
        (made(2, "alice", "other"), AccessVerdict::Active),
        (Grant { revoked_at: Some(now), ..made(3, "alice", "app") }, AccessVerdict::Revoked),
        (Grant { idle_expires_at: Some(now), ..made(4, "alice", "app") }, AccessVerdict::Expired),
        (Grant { client_cutoff: 1, ..made(5, "alice", "app") }, AccessVerdict::Revoked),
        (Grant { session: grant(1).session, ..made(6, "alice", "app") }, AccessVerdict::Revoked),
        (made(7, "bob", "app"), AccessVerdict::UserDisabled),
        (Grant { root: Some(GrantId([1; 16])), ..made(8, "alice", "app") }, AccessVerdict::Active),
    ];
    for (grant, _) in &all {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    trial.store.change_user(&subject("bob"), UserChange::Status(UserStatus::Locked)).await.expect("bob is known");

    for (user, client, with_revoked, expected) in [
        (None, None, false, &[1, 2, 4, 7][..]),
        (None, None, true, &[1, 2, 3, 4, 5, 6, 7]),
        (Some("alice"), None, false, &[1, 2, 4]),
        (Some("alice"), None, true, &[1, 2, 3, 4, 5, 6]),
        (None, Some("app"), false, &[1, 4, 7]),
        (None, Some("app"), true, &[1, 3, 4, 5, 6, 7]),
        (Some("alice"), Some("other"), false, &[2]),
        (Some("alice"), Some("other"), true, &[2]),
        (Some("bob"), None, false, &[7]),
        (Some("nobody"), None, false, &[]),
        (Some("nobody"), None, true, &[]),
        (None, Some("nothing"), true, &[]),
    ] {
        let filter = GrantFilter { user: user.map(subject), client: client.map(client_id), with_revoked };
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let Page { items, next } = trial.store.grants(&filter, after, 2).await.expect("the store reads");
            assert!(items.len() <= 2, "{filter:?}");
            listed.extend(items.into_iter().map(|listed| (listed.grant, listed.state)));
            after = next;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<_> = expected.iter().map(|&number: &usize| all[number - 1].clone()).collect();
        assert_eq!(listed, expected, "{filter:?}");
    }
}

/// A page is found without looking through everything, so that it may be empty.
pub async fn a_page_of_grants_ends_after_so_many_rows(trial: Trial) {
    let trial = trial.with_strangers().await;
    let bobs = GrantId(u128::from(SLICE_ROWS_MAX).to_be_bytes());
    let numbered = |number: u32| Grant { id: GrantId(u128::from(number).to_be_bytes()), ..made(1, "alice", "app") };
    trial.insert_many((0..SLICE_ROWS_MAX).map(numbered)).await;
    trial.insert(&Grant { id: bobs, ..made(1, "bob", "other") }).await.expect("there is no grant of this name");
    let filter = GrantFilter { client: Some(client_id("other")), ..GrantFilter::default() };
    let first = trial.store.grants(&filter, None, SLICE_ROWS_MAX).await.expect("the store reads");
    let last_of_alice = numbered(SLICE_ROWS_MAX - 1).id;
    assert_eq!(first, Page { items: Vec::new(), next: Some(last_of_alice) });
    let second = trial.store.grants(&filter, first.next, SLICE_ROWS_MAX).await.expect("the store reads");
    assert_eq!(second.items.iter().map(|listed| listed.grant.id).collect::<Vec<_>>(), [bobs]);
    assert_eq!(second.next, None);
    let most = trial.store.grants(&GrantFilter::default(), None, u32::MAX).await.expect("the store reads");
    assert_eq!((most.items.len(), most.next), (SLICE_ROWS_MAX as usize, Some(last_of_alice)));
}

/// Families made before the time end as one, and what is over stays as it is.
pub async fn grants_made_before_a_time_end(trial: Trial) {
    let trial = trial.with_strangers().await;
    let now = trial.clock.now();
    let made_before = now.plus_seconds(-10);
    let earlier = |grant: Grant| Grant { created_at: made_before.plus_milliseconds(-1), ..grant };
    let root = earlier(made(6, "alice", "app"));
    let all = [
        earlier(made(1, "alice", "app")),
        earlier(made(2, "alice", "other")),
        earlier(made(3, "bob", "app")),
        Grant { created_at: made_before, ..made(4, "alice", "app") },
        earlier(Grant { absolute_expires_at: Some(now), ..made(5, "alice", "app") }),
        Grant { idle_expires_at: Some(now), absolute_expires_at: Some(now), ..root.clone() },
        Grant { created_at: now, root: Some(root.id), ..made(7, "alice", "app") },
    ];
    for grant in &all {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    let mut ended = Vec::new();
    for (user, client, expected) in [
        (Some("bob"), None, &[3][..]),
        (None, Some("other"), &[2]),
        (Some("alice"), Some("app"), &[1, 6]),
        (None, None, &[]),
    ] {
        let filter = GrantFilter { user: user.map(subject), client: client.map(client_id), with_revoked: true };
        let page = trial.store.end_grants(&filter, made_before, None).await.expect("the store writes");
        let expected: Vec<_> = expected.iter().map(|&number: &u8| GrantId([number; 16])).collect();
        assert_eq!(page, Page { items: expected.clone(), next: None }, "{filter:?}");
        ended.extend(expected);
        for grant in &all {
            let expected = if ended.contains(&grant.id) {
                Grant { version: grant.version + 1, revoked_at: Some(now), ..grant.clone() }
            } else {
                grant.clone()
            };
            assert_eq!(trial.grant(grant.id).await, Some(expected), "{filter:?}");
        }
    }
}

/// Many of them end in slices.
pub async fn ending_goes_on_where_it_was(trial: Trial) {
    let trial = trial.with_parties().await;
    let count = SLICE_ROWS_MAX + 3;
    let numbered = |number: u32| Grant { id: GrantId(u128::from(number).to_be_bytes()), ..made(1, "alice", "app") };
    trial.insert_many((0..count).map(numbered)).await;
    let (filter, now) = (GrantFilter::default(), trial.clock.now());
    let first = trial.store.end_grants(&filter, now, None).await.expect("the store writes");
    assert_eq!((first.items.len(), first.next), (SLICE_ROWS_MAX as usize, Some(numbered(SLICE_ROWS_MAX - 1).id)));
    let second = trial.store.end_grants(&filter, now, first.next).await.expect("the store writes");
    assert_eq!((second.items.len(), second.next), (3, None));
}

/// Whoever was removed is not there.
pub async fn users_are_listed_by_login_name(trial: Trial) {
    let names = ["zoe", "alice", "émile", "bob", "Carol"];
    let named = |name: &str, subject_of: &str| User { username: username(name), ..user(subject_of) };
    for (place, name) in ["s4", "s1", "s0", "s3", "s2"].into_iter().zip(names) {
        trial.store.add_user(named(name, place)).await.expect("the names are free");
    }
    trial.store.change_user(&subject("s3"), UserChange::Remove).await.expect("bob is known");
    let (mut listed, mut after) = (Vec::new(), None);
    for expected in [2, 2, 0] {
        let Page { items, next } = trial.store.users(after.as_ref(), 2).await.expect("the store reads");
        assert_eq!((items.len(), next.is_some()), (expected, expected > 0));
        listed.extend(items);
        after = next;
    }
    let expected = [("Carol", "s2"), ("alice", "s1"), ("zoe", "s4"), ("émile", "s0")];
    assert_eq!(listed, expected.map(|(name, subject_of)| named(name, subject_of)));
    let all = trial.store.users(None, u32::MAX).await.expect("the store reads");
    assert_eq!((all.items.len(), all.next), (4, None));
}

/// A grant that nothing has ended, by an imported token, which meets no cap.
fn made(id: u8, user: &str, client: &str) -> Grant {
    Grant {
        subject: subject(user),
        client: client_id(client),
        session: None,
        code: None,
        generation: Generation(0),
        created_at: grant(1).created_at.plus_seconds(-1),
        idle_expires_at: None,
        absolute_expires_at: None,
        revoked_at: None,
        ..grant(id)
    }
}

impl Trial {
    /// Adds another client and another user too.
    pub(super) async fn with_strangers(self) -> Self {
        let trial = self.with_parties().await;
        trial.store.add_client(client("other")).await.expect("the name is free");
        trial.store.add_user(user("bob")).await.expect("the name is free");
        trial
    }
}
