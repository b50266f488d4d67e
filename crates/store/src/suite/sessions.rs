//! Login sessions, and what steps see of them.

use regrant_grant::{Grant, SessionId};
use regrant_protocol::{Clock, Timestamp};

use super::Trial;
use super::specimen::{access_token, grant, new_grant, session, subject, user};
use crate::{ChangeError, LIVE_SESSIONS_MAX, Session, Target, UserChange};

/// Every field comes back, at its extremes too, and after its end.
pub async fn a_session_is_read_as_it_was_written(trial: Trial) {
    let trial = trial.with_parties().await;
    let time = Timestamp::from_milliseconds;
    let least = Session {
        secret_digest: [0; 32],
        created_at: time(i64::MIN),
        authenticated_at: time(i64::MIN),
        expires_at: time(i64::MIN),
        ..session(2, "alice")
    };
    let greatest = Session {
        secret_digest: [0xFF; 32],
        created_at: time(i64::MAX),
        authenticated_at: time(i64::MAX),
        expires_at: time(i64::MAX),
        ..session(3, "alice")
    };
    for written in [session(1, "alice"), least, greatest] {
        assert_eq!(trial.store.keep_session(written.clone()).await, Ok(()));
        assert_eq!(trial.store.session(written.id).await, Ok(Some(written)));
    }
    assert_eq!(trial.store.session(SessionId([9; 16])).await, Ok(None));
}

/// Logging in again renews a session. It cannot undo a log-out, nor take over the session of somebody else.
pub async fn a_session_is_replaced_by_its_own_user_and_until_it_ends(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_user(user("bob")).await.expect("the name is free");
    let first = session(1, "alice");
    assert_eq!(trial.store.keep_session(first.clone()).await, Ok(()));
    let renewed = Session {
        secret_digest: [0xD2; 32],
        created_at: first.created_at.plus_seconds(1),
        authenticated_at: first.authenticated_at.plus_seconds(2),
        expires_at: trial.clock.now().plus_seconds(3),
        ..first
    };
    assert_eq!(trial.store.keep_session(renewed.clone()).await, Ok(()));
    assert_eq!(trial.store.session(renewed.id).await, Ok(Some(renewed.clone())));

    let taken = Err(ChangeError::Taken(renewed.id.to_string()));
    assert_eq!(trial.store.keep_session(session(1, "bob")).await, taken);
    trial.clock.advance_seconds(3);
    assert_eq!(trial.store.keep_session(session(1, "alice")).await, taken);
    assert_eq!(trial.store.session(renewed.id).await, Ok(Some(renewed)));
}

/// There is nobody to be logged in.
pub async fn a_session_of_an_unknown_or_removed_user_is_refused(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.change_user(&subject("alice"), UserChange::Remove).await.expect("it was added");
    for name in ["alice", "nobody"] {
        let refusal = trial.store.keep_session(session(1, name)).await;
        assert_eq!(refusal, Err(ChangeError::Unknown(name.to_owned())));
        assert_eq!(trial.store.session(SessionId([1; 16])).await, Ok(None));
    }
}

/// It ends at this moment, and never later than it would have.
pub async fn a_session_is_ended_once(trial: Trial) {
    let trial = trial.with_parties().await;
    let (running, other) = (session(1, "alice"), session(2, "alice"));
    let ended = Session { expires_at: trial.clock.now().plus_seconds(-1), ..session(3, "alice") };
    for session in [&running, &other, &ended] {
        assert_eq!(trial.store.keep_session(session.clone()).await, Ok(()));
    }
    let now = trial.clock.now();
    for _ in 0..2 {
        for id in [running.id, ended.id, SessionId([9; 16])] {
            assert_eq!(trial.store.end_session(id).await, Ok(()));
        }
        trial.clock.advance_seconds(1);
    }
    let expected = Session { expires_at: now, ..running };
    for session in [expected, other, ended] {
        assert_eq!(trial.store.session(session.id).await, Ok(Some(session)));
    }
}

/// The user stays logged in where they ask for it, and everybody else does.
pub async fn all_sessions_of_a_user_end_but_one(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_user(user("bob")).await.expect("the name is free");
    let (kept, other, bobs) = (session(1, "alice"), session(2, "alice"), session(3, "bob"));
    let ended = Session { expires_at: trial.clock.now().plus_seconds(-1), ..session(4, "alice") };
    for session in [&kept, &other, &bobs, &ended] {
        assert_eq!(trial.store.keep_session(session.clone()).await, Ok(()));
    }
    let now = trial.clock.now();
    assert_eq!(trial.store.end_sessions(&subject("alice"), Some(kept.id)).await, Ok(()));
    let other = Session { expires_at: now, ..other };
    for session in [&kept, &other, &bobs, &ended] {
        assert_eq!(trial.store.session(session.id).await, Ok(Some(session.clone())));
    }
    trial.clock.advance_seconds(1);
    assert_eq!(trial.store.end_sessions(&subject("alice"), None).await, Ok(()));
    let kept = Session { expires_at: trial.clock.now(), ..kept };
    for session in [kept, other, bobs, ended] {
        assert_eq!(trial.store.session(session.id).await, Ok(Some(session)));
    }
    assert_eq!(trial.store.end_sessions(&subject("nobody"), None).await, Ok(()));
}

/// Sessions that ended count for nothing, nor do those of others, and a session that is renewed is none more.
pub async fn one_session_more_than_may_live_ends_the_oldest(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_user(user("bob")).await.expect("the name is free");
    let now = trial.clock.now();
    let made = |number: u32| Session {
        id: SessionId(u128::from(number).to_be_bytes()),
        created_at: now.plus_seconds(i64::from(number)),
        ..session(1, "alice")
    };
    let keep = async |session: Session| trial.store.keep_session(session).await.expect("the name is free");
    keep(Session { expires_at: now, ..made(0) }).await;
    keep(Session { id: SessionId([0xB0; 16]), ..session(1, "bob") }).await;
    let most = LIVE_SESSIONS_MAX;
    for number in 1..=most {
        keep(made(number)).await;
    }
    // It is renewed with an early time, and stays.
    keep(Session { created_at: now, ..made(most) }).await;
    let ended = async |numbers: &[u32]| {
        for number in 1..=most + 2 {
            let Some(found) = trial.store.session(made(number).id).await.expect("the store reads") else { continue };
            assert_eq!(found.expires_at == now, numbers.contains(&number), "{number}");
        }
    };
    ended(&[]).await;
    keep(made(most + 1)).await;
    ended(&[most]).await;
    keep(Session { created_at: now, ..made(most + 2) }).await;
    ended(&[1, most]).await;
    let bobs = trial.store.session(SessionId([0xB0; 16])).await.expect("the store reads");
    assert!(bobs.is_some_and(|session| session.expires_at > now));
}

/// A grant ends with its session: its end is that of this moment, whatever the step is about.
pub async fn the_very_next_step_sees_the_end_of_the_session(trial: Trial) {
    let trial = trial.with_parties().await;
    let tied = grant(1);
    let free = Grant { session: None, ..grant(2) };
    for grant in [&tied, &free] {
        trial.insert(grant).await.expect("there is no grant of this name");
    }
    let session = Session { id: tied.session.expect("the specimen has one"), ..session(1, "alice") };
    let sees = async |tied_ends_at: Option<Timestamp>| {
        for (target, expected) in [
            (Target::Grant(tied.id), tied_ends_at),
            (Target::AccessToken(access_token(tied.id, 1)), tied_ends_at),
            (new_grant(1), tied_ends_at),
            (new_grant(3), tied_ends_at),
            (Target::Grant(free.id), None),
            (Target::AccessToken(access_token(free.id, 1)), None),
        ] {
            let seen = trial.read(target.clone(), |scene| scene.surroundings.session_ends_at).await;
            assert_eq!(seen, Ok(expected), "{target:?}");
        }
    };
    sees(None).await;
    assert_eq!(trial.store.keep_session(session.clone()).await, Ok(()));
    sees(Some(session.expires_at)).await;
    assert_eq!(trial.store.end_session(session.id).await, Ok(()));
    sees(Some(trial.clock.now())).await;
    assert_eq!(trial.store.change_user(&subject("alice"), UserChange::Remove).await, Ok(()));
    sees(None).await;
    assert_eq!(trial.store.session(session.id).await, Ok(None), "nothing is kept of who was removed");
}

/// Whoever names a session in which somebody else is logged in is in none.
pub async fn a_step_sees_no_session_of_another_user(trial: Trial) {
    let trial = trial.with_parties().await;
    trial.store.add_user(user("bob")).await.expect("the name is free");
    trial.insert(&grant(1)).await.expect("there is no grant of this name");
    let bobs = Session { id: grant(1).session.expect("the specimen has one"), ..session(1, "bob") };
    assert_eq!(trial.store.keep_session(bobs).await, Ok(()));
    for target in [Target::Grant(grant(1).id), Target::AccessToken(access_token(grant(1).id, 1)), new_grant(2)] {
        let seen = trial.read(target.clone(), |scene| scene.surroundings.session_ends_at).await;
        assert_eq!(seen, Ok(None), "{target:?}");
    }
}
