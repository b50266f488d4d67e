//! Master keys that were announced, and sealed signing keys.

use regrant_protocol::{Kid, Timestamp};

use super::Trial;
use crate::{AnnouncedKey, ChangeError, SealedSigningKey};

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

/// The oldest comes first, and the first of a name is the one that counts.
pub async fn signing_keys_are_listed_by_age_and_stay_as_they_are(trial: Trial) {
    let store = &trial.store;
    let key = |key_id: &str, second| SealedSigningKey {
        key_id: key_id.to_owned(),
        algorithm: "ES256".to_owned(),
        sealed_under: Kid(u8::MAX),
        sealed: vec![0, 1, 0xFF],
        created_at: Timestamp::from_seconds(second),
    };
    for key in [key("b", 2), key("c", 2), key("a", 3), key("d", 1)] {
        assert_eq!(store.add_signing_key(key).await, Ok(()));
    }
    let changed = SealedSigningKey { sealed: Vec::new(), ..key("b", 9) };
    assert_eq!(store.add_signing_key(changed).await, Ok(()), "adding a known key is no error");
    assert_eq!(store.signing_keys().await, Ok(vec![key("d", 1), key("b", 2), key("c", 2), key("a", 3)]));
}
