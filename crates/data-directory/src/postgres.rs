use std::sync::Arc;

use regrant_crypto::{Entropy, KeyRing, random};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::Store;
use regrant_store_postgres::{Genesis, PostgresStore, Settings};

use crate::key_file::KEY_FILE;
use crate::{DataDirectory, DataDirectoryError};

/// The data directory of a node, whose store is elsewhere.
impl DataDirectory {
    /// Opens the store on PostgreSQL, made or migrated where that is due, and the master keys that belong to it: from the key file, or
    /// new ones where the store knows none yet.
    ///
    /// # Errors
    /// When the database cannot be used, or does not answer; when the key file is missing though the store knows keys, is open to others, or
    /// cannot be read.
    pub async fn postgres(
        &self,
        settings: Settings,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<(KeyRing, PostgresStore), DataDirectoryError> {
        let address = settings.address.to_string();
        let genesis = Genesis { realm: Realm(random(entropy)), epoch_random: random(entropy) };
        let store = PostgresStore::open(settings, genesis, clock).await?;
        let known = store.announced_keys().await;
        let known = known.map_err(|error| DataDirectoryError::Store { store: address.clone(), error })?;
        let ring = self.keys(entropy, || match known.is_empty() {
            true => Ok(()),
            false => Err(DataDirectoryError::KeyFileNotCopied {
                key_file: self.path().join(KEY_FILE).display().to_string(),
                store: address,
            }),
        })?;
        Ok((ring, store))
    }
}

#[cfg(test)]
mod tests {
    use regrant_crypto::SeededEntropy;
    use regrant_databases::Postgres;
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
}
