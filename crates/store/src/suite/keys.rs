//! Master keys that were announced, and sealed signing keys.

use std::sync::Arc;

use regrant_protocol::{Kid, Timestamp};
use tokio::task::JoinSet;

use super::Trial;
use crate::{AnnouncedKey, ChangeError, NewKeys, SealedSigningKey, SigningKeyChange, StoreError};

/// It may be announced again; another key of its number may not.
pub async fn an_announced_key_stays_as_it_is(trial: Trial) {
    let store = &trial.store;
    let first = AnnouncedKey { kid: Kid(1), check_value: [1; 8] };
    let last = AnnouncedKey { kid: Kid(u8::MAX), check_value: [0xFF; 8] };
    assert_eq!(store.announced_keys().await, Ok(Vec::new()));
    for key in [first, last, first] {
        assert_eq!(store.announce_key(key).await, Ok(()));
    }
    let refusal = store.announce_key(AnnouncedKey { check_value: [2; 8], ..first }).await;
    assert!(matches!(refusal, Err(ChangeError::Taken(_))), "{refusal:?}");
    assert_eq!(store.announced_keys().await, Ok(vec![first, last]));
}

/// Whoever held it makes no token with it any more, and no new key gets its number.
pub async fn a_retired_key_never_comes_back(trial: Trial) {
    let store = &trial.store;
    let key = |kid| AnnouncedKey { kid: Kid(kid), check_value: [kid; 8] };
    let replace = async |master| {
        store.replace_keys(NewKeys { master, signing: Vec::new(), withdrawn_at: Timestamp::from_seconds(9) }).await
    };
    for kid in [3, 4, 6] {
        assert_eq!(store.announce_key(key(kid)).await, Ok(()));
    }
    for _ in 0..2 {
        assert_eq!(replace(key(4)).await, Ok(()));
        assert_eq!(store.announced_keys().await, Ok(vec![key(4), key(6)]));
    }
    for kid in [3, 1] {
        let refusal = store.announce_key(key(kid)).await;
        assert!(matches!(refusal, Err(ChangeError::Taken(_))), "{kid}: {refusal:?}");
        let refusal = replace(key(kid)).await;
        assert!(matches!(refusal, Err(ChangeError::Taken(_))), "{kid}: {refusal:?}");
    }
    for kid in [4, 5, 7] {
        assert_eq!(store.announce_key(key(kid)).await, Ok(()), "{kid} was not retired");
    }
}

/// Those that were withdrawn are none, and one for something else hinders nobody. Of those that come together, one is added.
pub async fn the_first_signing_key_of_an_algorithm_is_added_once(trial: Trial) {
    let store = &trial.store;
    assert_eq!(store.announce_key(announced(1)).await, Ok(()));
    let mut adding = JoinSet::new();
    for number in 0..8_u8 {
        let (store, key) = (Arc::clone(store), signing_key(&format!("key-{number}"), 1));
        adding.spawn(async move { store.add_first_signing_key(key).await });
    }
    assert!(adding.join_all().await.iter().all(Result::is_ok));
    let kept = store.signing_keys().await.expect("the store reads");
    assert_eq!(kept.len(), 1);
    let withdraw = SigningKeyChange::Withdraw(Timestamp::from_seconds(2));
    assert_eq!(store.change_signing_key(&kept[0].key_id, withdraw).await, Ok(()));
    let other = SealedSigningKey { algorithm: "another".to_owned(), ..signing_key("other", 1) };
    for key in [signing_key("next", 1), other, signing_key("late", 1)] {
        assert_eq!(store.add_first_signing_key(key).await, Ok(()));
    }
    let mut names: Vec<_> =
        store.signing_keys().await.expect("the store reads").into_iter().map(|key| key.key_id).collect();
    names.sort();
    let mut expected = [kept[0].key_id.clone(), "next".to_owned(), "other".to_owned()];
    expected.sort();
    assert_eq!(names, expected);
    let refused = store.add_first_signing_key(SealedSigningKey {
        algorithm: "third".to_owned(),
        sealed_under: Kid(0),
        ..signing_key("under a retired one", 1)
    });
    assert!(matches!(refused.await, Err(StoreError::Unavailable(_))));
}

/// A master key and the signing keys that are sealed under it come together, and all others go.
pub async fn all_keys_are_replaced_at_once_or_none_is(trial: Trial) {
    let store = &trial.store;
    let (first, at) = (Timestamp::from_seconds(20), Timestamp::from_seconds(30));
    for kid in [1, 2] {
        assert_eq!(store.announce_key(announced(kid)).await, Ok(()));
    }
    for key in [signing_key("a", 1), signing_key("b", 2)] {
        assert_eq!(store.add_signing_key(key).await, Ok(()));
    }
    assert_eq!(store.change_signing_key("a", SigningKeyChange::Withdraw(first)).await, Ok(()));
    let before = store.signing_keys().await;
    let foreign = AnnouncedKey { check_value: [9; 8], ..announced(2) };
    let keys = |master| NewKeys { master, signing: vec![signing_key("c", 3), signing_key("d", 4)], withdrawn_at: at };
    let refusal = store.replace_keys(keys(foreign)).await;
    assert!(matches!(refusal, Err(ChangeError::Taken(_))), "{refusal:?}");
    assert_eq!(
        (store.announced_keys().await, store.signing_keys().await),
        (Ok(vec![announced(1), announced(2)]), before)
    );

    assert_eq!(store.replace_keys(keys(announced(3))).await, Ok(()));
    assert_eq!(store.announced_keys().await, Ok(vec![announced(3)]));
    let withdrawn = |key, at| SealedSigningKey { sealed: Vec::new(), withdrawn_at: Some(at), ..key };
    let gone = [withdrawn(signing_key("a", 1), first), withdrawn(signing_key("b", 2), at)];
    let left = [signing_key("c", 3), signing_key("d", 4)];
    assert_eq!(store.signing_keys().await, Ok([gone, left].concat()));
}

/// It is known by name and times; what it could sign with is gone.
pub async fn a_withdrawn_signing_key_stays_withdrawn(trial: Trial) {
    let store = &trial.store;
    let (first, later) = (Timestamp::from_seconds(20), Timestamp::from_seconds(30));
    let (key, other) = (signing_key("a", 1), signing_key("b", 2));
    for key in [&key, &other] {
        assert_eq!(store.add_signing_key(key.clone()).await, Ok(()));
    }
    let withdrawn = SealedSigningKey { sealed: Vec::new(), withdrawn_at: Some(first), ..key.clone() };
    for at in [first, later] {
        assert_eq!(store.change_signing_key("a", SigningKeyChange::Withdraw(at)).await, Ok(()));
        assert_eq!(store.signing_keys().await, Ok(vec![withdrawn.clone(), other.clone()]));
    }
    let refusal = store.change_signing_key("a", reseal(Kid(9))).await;
    assert!(matches!(refusal, Err(ChangeError::Unknown(_))), "{refusal:?}");
    assert_eq!(store.add_signing_key(key).await, Ok(()), "adding a known key is no error");
    assert_eq!(store.signing_keys().await, Ok(vec![withdrawn, other]));
}

/// Nothing else of it changes, and nothing of another.
pub async fn a_signing_key_is_sealed_anew(trial: Trial) {
    let store = &trial.store;
    let (key, other) = (signing_key("a", 1), signing_key("b", 2));
    for key in [&key, &other] {
        assert_eq!(store.add_signing_key(key.clone()).await, Ok(()));
    }
    assert_eq!(store.change_signing_key("a", reseal(Kid(9))).await, Ok(()));
    let resealed = SealedSigningKey { sealed_under: Kid(9), sealed: vec![9], ..key };
    assert_eq!(store.signing_keys().await, Ok(vec![resealed, other]));
    for change in [reseal(Kid(9)), SigningKeyChange::Withdraw(Timestamp::from_seconds(1))] {
        let refusal = store.change_signing_key("c", change).await;
        assert!(matches!(refusal, Err(ChangeError::Unknown(_))), "{refusal:?}");
    }
}

/// Whoever has not heard of an emergency yet would seal what nobody can open any more.
pub async fn nothing_is_sealed_under_a_master_key_that_was_retired(trial: Trial) {
    let store = &trial.store;
    assert_eq!(store.announce_key(announced(1)).await, Ok(()));
    let under = |kid, key| SealedSigningKey { sealed_under: Kid(kid), ..key };
    let keys = NewKeys {
        master: announced(2),
        signing: vec![under(2, signing_key("a", 1))],
        withdrawn_at: Timestamp::from_seconds(1),
    };
    assert_eq!(store.replace_keys(keys).await, Ok(()));
    let refusal = store.add_signing_key(under(1, signing_key("b", 2))).await;
    assert!(matches!(refusal, Err(StoreError::Unavailable(_))), "{refusal:?}");
    let refusal = store.change_signing_key("a", reseal(Kid(1))).await;
    assert!(matches!(refusal, Err(ChangeError::Unknown(_))), "{refusal:?}");
    assert_eq!(store.add_signing_key(under(2, signing_key("b", 2))).await, Ok(()));
    let left = [under(2, signing_key("a", 1)), under(2, signing_key("b", 2))];
    assert_eq!(store.signing_keys().await, Ok(left.to_vec()));
}

/// The oldest comes first, and the first of a name is the one that counts.
pub async fn signing_keys_are_listed_by_age_and_stay_as_they_are(trial: Trial) {
    let store = &trial.store;
    let key = signing_key;
    for key in [key("b", 2), key("c", 2), key("a", 3), key("d", 1)] {
        assert_eq!(store.add_signing_key(key).await, Ok(()));
    }
    let changed = SealedSigningKey { sealed: Vec::new(), ..key("b", 9) };
    assert_eq!(store.add_signing_key(changed).await, Ok(()), "adding a known key is no error");
    assert_eq!(store.signing_keys().await, Ok(vec![key("d", 1), key("b", 2), key("c", 2), key("a", 3)]));
}

fn signing_key(key_id: &str, second: i64) -> SealedSigningKey {
    SealedSigningKey {
        key_id: key_id.to_owned(),
        algorithm: "ES256".to_owned(),
        sealed_under: Kid(u8::MAX),
        sealed: vec![0, 1, 0xFF],
        created_at: Timestamp::from_seconds(second),
        signs_from: Timestamp::from_seconds(second + 10),
        withdrawn_at: None,
    }
}

fn announced(kid: u8) -> AnnouncedKey {
    AnnouncedKey { kid: Kid(kid), check_value: [kid; 8] }
}

fn reseal(sealed_under: Kid) -> SigningKeyChange {
    SigningKeyChange::Reseal { sealed_under, sealed: vec![9] }
}
