use std::sync::Arc;

use regrant_crypto::{Entropy, KeyRing, random};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::{Identity, Mark, Store};
use regrant_store_postgres::{Genesis, PostgresStore, Settings};

use crate::key_file::KEY_FILE;
use crate::mark::MarkFile;
use crate::move_note::refuse_moving;
use crate::{DataDirectory, DataDirectoryError, KnownStore, OutsideFiles, StoreKind};

/// The data directory of a node, whose store is elsewhere.
impl DataDirectory {
    /// Opens the store on PostgreSQL, made or migrated where that is due, and the master keys that belong to it: from the key file, or
    /// new ones where the store knows none yet.
    ///
    /// # Errors
    /// When the database cannot be used, or does not answer; when the key file is missing though the store knows keys, is open to others, or
    /// cannot be read; when the directory belongs to another store.
    pub async fn postgres(
        &self,
        settings: Settings,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<(KeyRing, PostgresStore), DataDirectoryError> {
        self.postgres_beside(settings, entropy, clock, &OutsideFiles::default()).await
    }

    /// The same with a high-water mark elsewhere than in this directory.
    ///
    /// # Errors
    /// As [`postgres`](Self::postgres); and when the database was put back to an earlier day.
    pub async fn postgres_beside(
        &self,
        settings: Settings,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
        outside: &OutsideFiles,
    ) -> Result<(KeyRing, PostgresStore), DataDirectoryError> {
        refuse_moving(self.path())?;
        let address = settings.address.to_string();
        let belongs_to = self.realm_of_store(StoreKind::Postgres, &address)?;
        if belongs_to.is_some() {
            let found = PostgresStore::realm(&settings.address).await?;
            self.check_realm(belongs_to, found, &address, NAME_ANOTHER)?;
        }
        let genesis = Genesis { realm: Realm(random(entropy)), epoch_random: random(entropy) };
        let mark = |identity: &Identity| {
            let mark = MarkFile::open(&outside.mark_in(self.path()), identity.realm)?;
            Ok(Some(Box::new(mark) as Box<dyn Mark>))
        };
        let store = PostgresStore::open_beside(settings, genesis, clock, mark).await?;
        let known = store.announced_keys().await;
        let known = known.map_err(|error| DataDirectoryError::Store { store: address.clone(), error })?;
        // A server that was there has made signing keys, and a restore has begun an epoch, whatever was announced.
        let signing = store.signing_keys().await;
        let signing = signing.map_err(|error| DataDirectoryError::Store { store: address.clone(), error })?;
        let was_used = !known.is_empty() || !signing.is_empty() || store.identity().epochs.len() > 1;
        let ring = self.keys(entropy, || match was_used {
            false => Ok(()),
            true => Err(DataDirectoryError::KeyFileNotCopied {
                key_file: self.path().join(KEY_FILE).display().to_string(),
                store: address,
            }),
        })?;
        // With the keys of another store the server does not start, and belongs to none yet.
        let is_ours = known.iter().all(|key| ring.check_value(key.kid) == Some(key.check_value));
        if belongs_to.is_none() && is_ours {
            self.remember_store(KnownStore { kind: StoreKind::Postgres, realm: store.identity().realm })?;
        }
        Ok((ring, store))
    }
}

/// What to do where a database is not that of the data directory.
const NAME_ANOTHER: &str = "name the database of this server in store.url, or put its store back there from a backup";

#[cfg(test)]
mod tests {
    use regrant_crypto::SeededEntropy;
    use regrant_databases::{Database, Postgres};
    use regrant_protocol::{Kid, SystemClock};
    use regrant_store::AnnouncedKey;
    use regrant_store_postgres::Address;

    use super::*;

    #[tokio::test]
    async fn keys_are_made_for_a_store_that_knows_none_and_never_again() {
        let database = Postgres::shared().database();
        let settings = || Settings::new(Address::parse(&database.url(), None).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let directory = |name: &str| DataDirectory::open(&folder.path().join(name)).unwrap();
        let entropy = SeededEntropy::new(1);
        let opened =
            async |directory: &DataDirectory| directory.postgres(settings(), &entropy, Arc::new(SystemClock)).await;

        let first = directory("first");
        let (ring, store) = opened(&first).await.unwrap();
        // A crash before anything was announced: another node may begin.
        let (other_ring, _) = opened(&directory("other")).await.unwrap();
        assert_ne!(ring.to_text(), other_ring.to_text());
        let check_value = ring.check_value(Kid::FIRST).unwrap();
        store.announce_key(AnnouncedKey { kid: Kid::FIRST, check_value }).await.unwrap();

        let late = directory("late");
        let told = opened(&late).await.err().unwrap().to_string();
        assert!(told.contains("copy the key file of another node there") && !told.contains('\n'), "{told}");
        assert!(!late.path().join(KEY_FILE).exists());
        std::fs::copy(first.path().join(KEY_FILE), late.path().join(KEY_FILE)).unwrap();
        let (copied, _) = opened(&late).await.unwrap();
        assert_eq!(copied.to_text(), ring.to_text());
        assert_eq!(opened(&first).await.unwrap().0.to_text(), ring.to_text());
    }

    #[tokio::test]
    async fn a_restored_database_knows_the_keys_of_the_key_file_alone() {
        let database = Postgres::shared().database();
        let settings = || Settings::new(Address::parse(&database.url(), None).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let node = DataDirectory::open(&folder.path().join("node")).unwrap();
        let entropy = SeededEntropy::new(1);
        let (mut ring, store) = node.postgres(settings(), &entropy, Arc::new(SystemClock)).await.unwrap();
        let first = AnnouncedKey { kid: Kid::FIRST, check_value: ring.check_value(Kid::FIRST).unwrap() };
        store.announce_key(first).await.unwrap();
        drop(store);
        // The emergency came after the backup.
        let kid = ring.add(&entropy).unwrap();
        ring.retire_below(kid);
        regrant_engine::KeyFile::replace(&node, &ring).unwrap();
        let (outside, policy) = (OutsideFiles::default(), crate::RestorePolicy::Strict);
        let restoring = node.restore_postgres(settings(), &outside, policy, true, &entropy, Arc::new(SystemClock));
        restoring.await.unwrap();
        let (_, store) = node.postgres(settings(), &entropy, Arc::new(SystemClock)).await.unwrap();
        let second = AnnouncedKey { kid, check_value: ring.check_value(kid).unwrap() };
        assert_eq!(store.announced_keys().await, Ok(vec![second]));
        assert!(store.announce_key(first).await.is_err());
    }

    #[tokio::test]
    async fn a_node_opens_no_other_database_and_makes_no_store_in_an_empty_one() {
        let [ours, another, empty] = [(); 3].map(|()| Postgres::shared().database());
        let settings = |database: &Database<'_>| Settings::new(Address::parse(&database.url(), None).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let open = async |name: &str, database: &Database<'_>, seed: u64| {
            let directory = DataDirectory::open(&folder.path().join(name)).unwrap();
            let opened = directory.postgres(settings(database), &SeededEntropy::new(seed), Arc::new(SystemClock)).await;
            opened.map(|(ring, store)| (ring, store, directory))
        };
        let announce = async |ring: &KeyRing, store: &PostgresStore| {
            let check_value = ring.check_value(Kid::FIRST).unwrap();
            store.announce_key(AnnouncedKey { kid: Kid::FIRST, check_value }).await.unwrap();
        };
        let (ring, store, node) = open("node", &ours, 1).await.unwrap();
        announce(&ring, &store).await;
        let known = KnownStore { kind: StoreKind::Postgres, realm: store.identity().realm };
        assert_eq!(DataDirectory::known_store(node.path()).unwrap(), Some(known));
        drop(node);
        let (ring, store, _) = open("another", &another, 2).await.unwrap();
        announce(&ring, &store).await;

        for (database, told) in [(&empty, "there is no store in"), (&another, "is another store than")] {
            let refused = open("node", database, 3).await.err().unwrap().to_string();
            assert!(refused.contains(told) && refused.contains("store.url") && !refused.contains('\n'), "{refused}");
        }
        assert_eq!(PostgresStore::realm(&settings(&empty).address).await.unwrap(), None, "it is as empty as before");
        open("node", &ours, 3).await.unwrap();

        // With a key file that is not of this store the server does not start, and may be of another yet.
        let late = folder.path().join("late");
        drop(DataDirectory::open(&late).unwrap());
        std::fs::copy(folder.path().join("node").join(KEY_FILE), late.join(KEY_FILE)).unwrap();
        drop(open("late", &another, 4).await.unwrap());
        assert_eq!(DataDirectory::known_store(&late).unwrap(), None);
        open("late", &ours, 4).await.unwrap();

        let single = DataDirectory::open(&folder.path().join("single")).unwrap();
        single.remember_store(KnownStore { kind: StoreKind::Sqlite, ..known }).unwrap();
        drop(single);
        let refused = open("single", &empty, 5).await.err().unwrap().to_string();
        assert!(refused.contains("an SQLite file in it") && refused.contains("take out store.url"), "{refused}");
    }
}
