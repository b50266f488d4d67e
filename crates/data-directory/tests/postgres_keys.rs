//! When a node makes the first master keys of a store.

use std::sync::Arc;

use regrant_crypto::SeededEntropy;
use regrant_data_directory::{DataDirectory, KEY_FILE};
use regrant_databases::Postgres;
use regrant_protocol::{Kid, SystemClock, Timestamp};
use regrant_store::{AnnouncedKey, SealedSigningKey, Store};
use regrant_store_postgres::{Address, Settings};

#[tokio::test]
async fn no_keys_are_made_for_a_store_that_was_used_though_it_knows_none() {
    let database = Postgres::shared().database();
    let settings = || Settings::new(Address::parse(&database.url(), None).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let first = DataDirectory::open(&folder.path().join("first")).unwrap();
    let entropy = SeededEntropy::new(1);
    let (ring, store) = first.postgres(settings(), &entropy, Arc::new(SystemClock)).await.unwrap();
    let check_value = ring.check_value(Kid::FIRST).unwrap();
    store.announce_key(AnnouncedKey { kid: Kid::FIRST, check_value }).await.unwrap();
    let at = Timestamp::from_seconds(1);
    let key = SealedSigningKey {
        key_id: "a".to_owned(),
        algorithm: "ES256".to_owned(),
        sealed_under: Kid::FIRST,
        sealed: vec![1],
        created_at: at,
        signs_from: at,
        withdrawn_at: None,
    };
    store.add_signing_key(key).await.unwrap();
    database.sql("DELETE FROM regrant.announced_keys");
    let late = DataDirectory::open(&folder.path().join("late")).unwrap();
    let told = late.postgres(settings(), &entropy, Arc::new(SystemClock)).await.err().unwrap().to_string();
    assert!(told.contains("copy the key file of another node there"), "{told}");
    assert!(!late.path().join(KEY_FILE).exists());
}
