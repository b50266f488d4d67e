//! What is removed because it ended long ago.

use std::sync::Arc;

use regrant_grant::{
    CLOCK_AHEAD_SECONDS_MAX, Generation, Grant, GrantId, REVOKED_KEPT_SECONDS_MAX, SessionId, Write, latest_credible,
};
use regrant_protocol::{Clock, Lifetime, Timestamp};
use tokio::task::JoinSet;

use super::Trial;
use super::specimen::{access_token, client_id, grant, session, subject};
use crate::{
    ClientChange, Removed, SLICE_ROWS_MAX, Scene, Session, Step, Sweep, SweepError, SweepPosition, Swept, Target,
    UserChange,
};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A grant is kept for a day after its last token, and longer when that tells something.
pub async fn a_grant_goes_a_day_after_nothing_can_come_of_it(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let day_ago = now.plus_seconds(-DAY_SECONDS);
    let long_ago = Some(day_ago.plus_milliseconds(-1));
    let long_revoked = day_ago.plus_seconds(-i64::from(REVOKED_KEPT_SECONDS_MAX));
    let endless = |id| over(id, None);
    let mut kept = Vec::new();
    for (why, is_swept, grant) in [
        ("it has no end", false, endless(1)),
        ("its end is to come", false, over(2, Some(now.plus_seconds(1)))),
        ("it ended a day ago", false, over(3, Some(day_ago))),
        ("it was not used for long", true, over(4, long_ago)),
        ("its absolute end came", true, Grant { absolute_expires_at: long_ago, ..endless(5) }),
        ("its access token lives on", false, Grant { access_lifetime: Lifetime::Never, ..over(6, long_ago) }),
        ("nobody redeemed its code", true, unredeemed(7, long_ago)),
        ("its code may still be redeemed", false, unredeemed(8, Some(now.plus_seconds(1)))),
        ("it was revoked, and would live", false, Grant { revoked_at: long_ago, ..endless(9) }),
        ("it was revoked, and would have ended", true, {
            Grant { revoked_at: long_ago, absolute_expires_at: long_ago, ..endless(10) }
        }),
        ("it was revoked, and not used", false, Grant { revoked_at: long_ago, ..over(11, long_ago) }),
        ("it was revoked 400 days ago", false, Grant { revoked_at: Some(long_revoked), ..endless(12) }),
        ("it was revoked earlier still", true, {
            Grant { revoked_at: Some(long_revoked.plus_milliseconds(-1)), ..endless(13) }
        }),
    ] {
        trial.insert(&grant).await.expect("there is no grant of this name");
        kept.push((why, grant.id, (!is_swept).then_some(grant)));
    }
    let removed = trial.sweep_everything(SLICE_ROWS_MAX).await;
    assert_eq!(removed.grants, kept.iter().filter(|(_, _, kept)| kept.is_none()).count() as u64);
    for (why, id, kept) in kept {
        assert_eq!(trial.grant(id).await, kept, "{why}");
    }
}

/// The siblings of a family ask their root whether it was revoked.
pub async fn a_root_stays_until_its_last_sibling_went(trial: Trial) {
    let trial = trial.with_parties().await;
    let now = trial.clock.now();
    let long_ago = Some(now.plus_seconds(-DAY_SECONDS - 1));
    let root = over(9, long_ago);
    let forked = |id, end| Grant { root: Some(root.id), ..over(id, end) };
    for grant in [&root, &forked(1, long_ago), &forked(2, Some(now))] {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 1);
    assert_eq!(trial.grant(root.id).await, Some(root.clone()));
    assert_eq!(trial.grant(forked(2, None).id).await, Some(forked(2, Some(now))));

    trial.clock.advance_seconds(2 * DAY_SECONDS as u32);
    // The root comes after its siblings by its name.
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 2);
    assert_eq!(trial.grant(root.id).await, None);
}

/// A family that was revoked without an end is no burden for good.
pub async fn the_siblings_of_a_revoked_root_go_with_it(trial: Trial) {
    let trial = trial.with_parties().await;
    let long_revoked = trial.clock.now().plus_seconds(-DAY_SECONDS - 1 - i64::from(REVOKED_KEPT_SECONDS_MAX));
    let root = Grant { revoked_at: Some(long_revoked), ..over(1, None) };
    let sibling = Grant { root: Some(root.id), ..over(2, None) };
    for grant in [&root, &sibling] {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 1);
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 1);
    assert_eq!(trial.grant(root.id).await, None);
}

/// What ended from outside is revoked in its row too, so that it is kept as long as what was revoked, and no longer.
pub async fn what_ended_for_good_is_written_down_and_goes_like_what_was_revoked(trial: Trial) {
    let trial = trial.with_strangers().await;
    let now = trial.clock.now();
    let ends_at = |seconds| now.plus_seconds(seconds);
    for (id, end) in [(1, ends_at(60)), (2, ends_at(-DAY_SECONDS)), (3, ends_at(-DAY_SECONDS - 1))] {
        let session = Session { expires_at: end, ..session(id, "alice") };
        trial.store.keep_session(session).await.expect("there is no session of this name");
    }
    let endless = |id| over(id, None);
    let in_session = |id, session| Grant { session: Some(SessionId([session; 16])), ..endless(id) };
    let root = Grant { client_cutoff: 2, ..endless(9) };
    let grants = [
        ("nothing ended it", false, endless(1)),
        ("its client's cutoff was raised", true, Grant { client_cutoff: 2, ..endless(2) }),
        ("its user's cutoff was raised", true, Grant { user_cutoff: 4, ..endless(3) }),
        ("its session goes on", false, in_session(4, 1)),
        ("its session ended a day ago", false, in_session(5, 2)),
        ("its session ended before", true, in_session(6, 3)),
        ("its session is gone", true, in_session(7, 9)),
        ("its session is another user's", true, Grant { subject: subject("bob"), ..in_session(8, 1) }),
        (
            "its family ends at the root",
            false,
            Grant { root: Some(root.id), ..Grant { id: endless(10).id, ..root.clone() } },
        ),
        ("its siblings ask it", true, root),
        ("its user was removed", true, Grant { subject: subject("bob"), ..endless(11) }),
        ("its client was removed", true, Grant { client: client_id("other"), ..endless(12) }),
    ];
    for (_, _, grant) in &grants {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    trial.store.change_user(&subject("bob"), UserChange::Remove).await.expect("bob is known");
    trial.store.change_client(&client_id("other"), ClientChange::Remove).await.expect("the client is known");
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 0);
    for (why, is_revoked, grant) in &grants {
        let revoked = Grant { version: grant.version + 1, revoked_at: Some(now), ..grant.clone() };
        let expected = if *is_revoked { revoked } else { grant.clone() };
        assert_eq!(trial.grant(grant.id).await, Some(expected), "{why}");
    }
    let past_their_time = REVOKED_KEPT_SECONDS_MAX + DAY_SECONDS as u32 + 1;
    trial.clock.advance_seconds(past_their_time);
    // The sibling went before its root, by its name after it.
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 8);
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 1);
    trial.clock.advance_seconds(past_their_time);
    // By now the sessions of two more are over.
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await.grants, 2);
    assert_eq!(trial.grant(endless(1).id).await, Some(endless(1)));
}

/// What is told of a session, or of an access token that was revoked alone, is told for a day after its end.
pub async fn sessions_and_listed_access_tokens_go_a_day_after_their_end(trial: Trial) {
    let trial = trial.with_parties().await;
    let (now, day_ago) = (trial.clock.now(), trial.clock.now().plus_seconds(-DAY_SECONDS));
    let long_ago = day_ago.plus_milliseconds(-1);
    for (id, end) in [(1, now.plus_seconds(1)), (2, day_ago), (3, long_ago)] {
        let session = Session { expires_at: end, ..session(id, "alice") };
        trial.store.keep_session(session).await.expect("there is no session of this name");
    }
    let ends = [None, Some(now), Some(day_ago), Some(long_ago)];
    for (digest, until) in (1..).zip(ends) {
        let id = access_token(GrantId([1; 16]), digest);
        let listed = trial.write(Target::AccessToken(id), Write::ListAccessToken { id, until }).await;
        assert_eq!(listed, Ok(()));
    }
    for rows_max in [1, SLICE_ROWS_MAX] {
        let removed = trial.sweep_everything(rows_max).await;
        let expected = if rows_max == 1 { 1 } else { 0 };
        assert_eq!(removed, Removed { grants: 0, access_tokens: expected, sessions: expected });
    }
    for (id, is_kept) in [(1, true), (2, true), (3, false)] {
        let found = trial.store.session(SessionId([id; 16])).await.expect("the store reads");
        assert_eq!(found.is_some(), is_kept, "session {id}");
    }
    for (digest, is_kept) in [(1, true), (2, true), (3, true), (4, false)] {
        let token = Target::AccessToken(access_token(GrantId([1; 16]), digest));
        assert_eq!(trial.read(token, |scene| scene.access_token_is_listed).await, Ok(is_kept), "token {digest}");
    }
}

/// A sweep goes on where it was, comes by everything once, and looks at no more than it may.
pub async fn a_sweep_is_as_many_slices_as_it_takes(trial: Trial) {
    let trial = trial.with_parties().await;
    let long_ago = Some(trial.clock.now().plus_seconds(-DAY_SECONDS - 1));
    let count = u64::from(SLICE_ROWS_MAX) + 100;
    trial.insert_many((0..count).map(|number| numbered(number, long_ago))).await;
    let mut from = SweepPosition::default();
    for (rows_max, expected) in [(0, 1), (7, 7), (7, 7), (u32::MAX, u64::from(SLICE_ROWS_MAX)), (u32::MAX, 85)] {
        let Swept { removed, next, now } = trial.sweep(from, rows_max).await.expect("the clock is right");
        assert_eq!((removed.grants, now), (expected, trial.clock.now()));
        from = next.expect("it has come to no end");
    }
    assert_eq!(from, SweepPosition::AccessTokens(Vec::new()));
    assert_eq!(trial.sweep_everything(SLICE_ROWS_MAX).await, Removed::default());
}

/// By a clock that jumped everything has ended.
pub async fn a_sweep_under_a_clock_that_is_ahead_removes_nothing(trial: Trial) {
    let trial = trial.with_parties().await;
    let ends_soon = over(1, Some(trial.clock.now().plus_seconds(1)));
    trial.insert(&ends_soon).await.expect("there is no grant of this name");
    let at_most = latest_credible(trial.clock.now(), std::time::Duration::ZERO);
    let from = SweepPosition::default();
    let sweep = Sweep { from, rows_max: SLICE_ROWS_MAX, clock_at_most: at_most };
    let ahead = i64::from(CLOCK_AHEAD_SECONDS_MAX) * 1000;
    for (milliseconds, is_refused) in [(ahead + 1, true), (10 * 365 * DAY_SECONDS * 1000, true), (ahead, false)] {
        let before = trial.clock.now();
        let now = at_most.plus_milliseconds(milliseconds - ahead);
        trial.clock.jump_to(now);
        let refusal = trial.store.sweep(sweep.clone()).await.err();
        assert_eq!(refusal, is_refused.then_some(SweepError::ClockAhead { now, at_most }), "{milliseconds} ms");
        trial.clock.jump_to(before);
    }
    assert_eq!(trial.grant(ends_soon.id).await, Some(ends_soon));
}

/// What the next process compares its clock with: no slice under a wrong clock changes it, and none that is behind.
pub async fn the_last_sweep_is_remembered(trial: Trial) {
    let now = trial.clock.now();
    assert_eq!(trial.store.swept_at().await, Ok(None));
    let from = SweepPosition::default;
    let refused = trial.store.sweep(Sweep { from: from(), rows_max: 1, clock_at_most: now.plus_seconds(-1) }).await;
    assert!(matches!(refused, Err(SweepError::ClockAhead { .. })), "{refused:?}");
    assert_eq!(trial.store.swept_at().await, Ok(None));
    for (shows, swept_at) in [(0, 0), (3_600, 3_600), (60, 3_600)] {
        trial.clock.jump_to(now.plus_seconds(shows));
        trial.sweep(from(), 1).await.expect("the clock is right");
        assert_eq!(trial.store.swept_at().await, Ok(Some(now.plus_seconds(swept_at))));
    }
    let trial = trial.reopen().await;
    assert_eq!(trial.store.swept_at().await, Ok(Some(now.plus_seconds(3_600))));
    assert_eq!(trial.store.trust_clock().await, Ok(()));
    assert_eq!(trial.store.swept_at().await, Ok(Some(trial.clock.now())), "the clock is 59 minutes behind, and right");
}

/// Nobody's refresh fails, is lost or waits for all of the sweep.
pub async fn a_sweep_beside_refreshes_disturbs_nobody(trial: Trial) {
    const LIVE: u64 = 16;
    const REFRESHES: u32 = 24;
    let trial = trial.with_parties().await;
    let long_ago = Some(trial.clock.now().plus_seconds(-DAY_SECONDS - 1));
    // Every tenth grant lives.
    let ends = |number: u64| if number.is_multiple_of(10) { None } else { long_ago };
    trial.insert_many((0..10 * LIVE).map(|number| numbered(number, ends(number)))).await;
    let mut refreshes = JoinSet::new();
    for number in (0..10 * LIVE).step_by(10) {
        let store = Arc::clone(&trial.store);
        refreshes.spawn(async move {
            for _ in 0..REFRESHES {
                let target = Target::Grant(numbered(number, None).id);
                let rule = Box::new(|scene: &Scene<'_>| {
                    let row = scene.grant.expect("a sweep takes no live grant");
                    let generation = Generation(row.generation.0 + 1);
                    Write::Update(Grant { version: row.version + 1, generation, ..row.clone() })
                });
                assert_eq!(store.step(Step { target, begin_before: None, rule }).await, Ok(()));
            }
        });
    }
    let mut removed = 0;
    while !refreshes.is_empty() {
        removed += trial.sweep_everything(3).await.grants;
        while let Some(refreshed) = refreshes.try_join_next() {
            refreshed.expect("every refresh was done");
        }
    }
    assert_eq!(removed, 9 * LIVE);
    for number in 0..10 * LIVE {
        let found = trial.grant(numbered(number, None).id).await.map(|grant| grant.generation);
        assert_eq!(found, ends(number).is_none().then_some(Generation(REFRESHES)), "{number}");
    }
}

/// A grant whose last access token ends then unless it is used: an imported one, which meets no cap.
fn over(id: u8, end: Option<Timestamp>) -> Grant {
    let idle_expires_at = end.map(|end| end.plus_seconds(-1));
    Grant {
        session: None,
        code: None,
        generation: Generation(0),
        access_lifetime: Lifetime::from_seconds(1),
        idle_expires_at,
        absolute_expires_at: None,
        revoked_at: None,
        ..grant(id)
    }
}

fn unredeemed(id: u8, end: Option<Timestamp>) -> Grant {
    Grant { code: grant(id).code, idle_expires_at: end, ..over(id, None) }
}

fn numbered(number: u64, end: Option<Timestamp>) -> Grant {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Grant { id: GrantId(id), ..over(1, end) }
}

impl Trial {
    async fn sweep(&self, from: SweepPosition, rows_max: u32) -> Result<Swept, SweepError> {
        self.store.sweep(Sweep { from, rows_max, clock_at_most: self.clock.now() }).await
    }

    /// Sweeps from the beginning to the end, in slices of so many rows.
    async fn sweep_everything(&self, rows_max: u32) -> Removed {
        let mut removed = Removed::default();
        let mut position = Some(SweepPosition::default());
        while let Some(from) = position {
            let swept = self.sweep(from, rows_max).await.expect("the clock is right");
            removed += swept.removed;
            position = swept.next;
        }
        removed
    }
}
