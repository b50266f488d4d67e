//! Users, and what steps see of them.

use regrant_grant::Party;
use regrant_protocol::Profile;

use super::Trial;
use super::specimen::{access_token, grant, new_grant, profile, subject, user, username};
use crate::{ChangeError, Credential, Target, User, UserChange, UserStatus};

/// Every field comes back, at its extremes too.
pub async fn a_user_is_read_as_it_was_written(trial: Trial) {
    let locked =
        User { credential: None, status: UserStatus::Locked, cutoff: u32::MAX, version: u64::MAX / 2, ..user("~ %") };
    let profile = Profile::default();
    let disabled = User { status: UserStatus::Disabled, profile, cutoff: 0, version: 0, ..user("bob") };
    for written in [user("alice"), locked, disabled] {
        trial.store.add_user(written.clone()).await.expect("the name is free");
        assert_eq!(trial.store.user(&written.subject).await, Ok(Some(written)));
    }
}

/// Both are compared byte for byte.
pub async fn a_user_is_found_by_subject_and_by_login_name(trial: Trial) {
    let alice = user("alice");
    trial.store.add_user(alice.clone()).await.expect("the name is free");
    assert_eq!(trial.store.user_named(&alice.username).await, Ok(Some(alice.clone())));
    assert_eq!(trial.store.user_named(&username("Alice@exämple")).await, Ok(None));
    assert_eq!(trial.store.user(&subject("Alice")).await, Ok(None));

    let change = password(None, "another hash");
    assert_eq!(trial.store.change_user(&alice.subject, change).await, Ok(()));
    let changed = User { credential: Some(Credential::new("another hash".to_owned())), version: 12, ..alice.clone() };
    assert_eq!(trial.store.user_named(&alice.username).await, Ok(Some(changed.clone())));

    let change = UserChange::Profile { seen_version: 12, profile: Box::default() };
    assert_eq!(trial.store.change_user(&alice.subject, change).await, Ok(()));
    let changed = User { profile: Profile::default(), version: 13, ..changed };
    assert_eq!(trial.store.user_named(&alice.username).await, Ok(Some(changed)));

    assert_eq!(trial.store.change_user(&alice.subject, UserChange::Remove).await, Ok(()));
    assert_eq!(trial.store.user_named(&alice.username).await, Ok(None));
    assert_eq!(trial.store.user(&alice.subject).await, Ok(None));
    let refusal = trial.store.change_user(&alice.subject, UserChange::RaiseCutoff).await;
    assert_eq!(refusal, Err(ChangeError::Unknown("alice".to_owned())));
}

/// Whoever made a profile of what is not there any more, or checked a password that is another by now, would undo what others
/// did meanwhile.
pub async fn what_was_made_of_another_version_of_a_user_changes_nothing(trial: Trial) {
    let alice = user("alice");
    trial.store.add_user(alice.clone()).await.expect("the name is free");
    let profile = |seen_version| UserChange::Profile { seen_version, profile: Box::new(profile()) };
    let outdated = Err(ChangeError::Outdated("alice".to_owned()));
    for change in [profile(0), profile(10), profile(12), password(Some(10), "lost"), password(Some(12), "lost")] {
        assert_eq!(trial.store.change_user(&alice.subject, change.clone()).await, outdated, "{change:?}");
    }
    assert_eq!(trial.store.user(&alice.subject).await, Ok(Some(alice.clone())));
    for (seen, change) in [(11, password(Some(11), "new")), (12, password(None, "set")), (13, profile(13))] {
        assert_eq!(trial.store.change_user(&alice.subject, change).await, Ok(()));
        for late in [profile(seen), password(Some(seen), "lost")] {
            assert_eq!(trial.store.change_user(&alice.subject, late.clone()).await, outdated, "{late:?}");
        }
    }
    let changed = trial.store.user(&alice.subject).await.expect("the store reads").expect("she was not removed");
    assert_eq!((changed.credential, changed.version), (Some(Credential::new("set".to_owned())), 14));
    let unknown = Err(ChangeError::Unknown("nobody".to_owned()));
    assert_eq!(trial.store.change_user(&subject("nobody"), profile(0)).await, unknown);
}

/// It is the same password in another form: the version stays. A password that is another by now stays too, or none.
pub async fn a_rehashed_password_replaces_only_what_it_was_made_of(trial: Trial) {
    let alice = user("alice");
    trial.store.add_user(alice.clone()).await.expect("the name is free");
    let credential = |text: &str| Credential::new(text.to_owned());
    let kept = alice.credential.clone().expect("every specimen has a password");
    for (what, change, now, version) in [
        ("of another", UserChange::Rehashed { from: credential("no"), to: credential("lost") }, kept.clone(), 11),
        ("of this one", UserChange::Rehashed { from: kept.clone(), to: credential("new") }, credential("new"), 11),
        ("once more", UserChange::Rehashed { from: kept.clone(), to: credential("late") }, credential("new"), 11),
        ("changed", password(None, "chosen"), credential("chosen"), 12),
        (
            "too late",
            UserChange::Rehashed { from: credential("new"), to: credential("lost") },
            credential("chosen"),
            12,
        ),
    ] {
        assert_eq!(trial.store.change_user(&alice.subject, change).await, Ok(()), "{what}");
        let expected = User { credential: Some(now), version, ..alice.clone() };
        assert_eq!(trial.store.user(&alice.subject).await, Ok(Some(expected)), "{what}");
    }
    let nobody = User { credential: None, ..user("bob") };
    trial.store.add_user(nobody.clone()).await.expect("the name is free");
    let rehashed = UserChange::Rehashed { from: credential(""), to: credential("lost") };
    assert_eq!(trial.store.change_user(&nobody.subject, rehashed.clone()).await, Ok(()));
    assert_eq!(trial.store.user(&nobody.subject).await, Ok(Some(nobody)));
    let refusal = trial.store.change_user(&subject("carol"), rehashed).await;
    assert_eq!(refusal, Err(ChangeError::Unknown("carol".to_owned())));
}

/// Status, cutoff and version are those of this moment, whatever the step is about; every change raises the version.
pub async fn the_very_next_step_sees_a_change_of_the_user(trial: Trial) {
    let trial = trial.with_parties().await;
    let grant = grant(1);
    trial.insert(&grant).await.expect("there is no grant of this name");
    let party = |enabled, cutoff, version| Some(Party { enabled, cutoff, version });
    for (change, expected) in [
        (None, party(true, 5, 11)),
        (Some(UserChange::Status(UserStatus::Locked)), party(false, 5, 12)),
        (Some(UserChange::Status(UserStatus::Disabled)), party(false, 5, 13)),
        (Some(UserChange::RaiseCutoff), party(false, 6, 14)),
        (Some(UserChange::Status(UserStatus::Active)), party(true, 6, 15)),
        (Some(password(None, "another hash")), party(true, 6, 16)),
        (Some(UserChange::Profile { seen_version: 16, profile: Box::new(profile()) }), party(true, 6, 17)),
        (Some(UserChange::Remove), None),
    ] {
        if let Some(change) = change.clone() {
            assert_eq!(trial.store.change_user(&subject("alice"), change).await, Ok(()));
        }
        for target in [Target::Grant(grant.id), Target::AccessToken(access_token(grant.id, 1)), new_grant(2)] {
            let seen = trial.read(target.clone(), |scene| scene.surroundings.user).await;
            assert_eq!(seen, Ok(expected), "{change:?} {target:?}");
        }
    }
    assert_eq!(trial.grant(grant.id).await, Some(grant), "a grant outlives its user");
}

fn password(seen_version: Option<u64>, hash: &str) -> UserChange {
    UserChange::Password { seen_version, credential: Credential::new(hash.to_owned()) }
}
