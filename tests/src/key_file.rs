use std::sync::{Arc, Mutex, PoisonError};

use regrant_crypto::KeyRing;
use regrant_engine::{KeyFile, KeyFileNotRead, KeyFileNotWritten};

use crate::{Fault, FaultyStore};

/// The key file of a server, in memory. Its writes and those of keys in the store fail together: see
/// [`FaultyStore::crash_at_key_write`].
pub struct TestKeyFile {
    text: Mutex<String>,
    store: Arc<FaultyStore>,
}

impl TestKeyFile {
    pub(crate) fn new(ring: &KeyRing, store: Arc<FaultyStore>) -> Self {
        Self { text: Mutex::new(ring.to_text().to_string()), store }
    }

    /// What a process that starts now reads.
    #[must_use]
    pub fn ring(&self) -> KeyRing {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        KeyRing::from_text(&text).expect("the engine writes key files that can be read")
    }

    /// The numbers of the master keys in it.
    #[must_use]
    pub fn kids(&self) -> Vec<u8> {
        self.ring().iter().map(|(kid, _)| kid.0).collect()
    }
}

impl KeyFile for TestKeyFile {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Ok(self.ring())
    }

    fn replace(&self, ring: &KeyRing) -> Result<(), KeyFileNotWritten> {
        let fault = self.store.reach_key_write();
        if matches!(fault, None | Some(Fault::ForgetsToAnswer)) {
            *self.text.lock().unwrap_or_else(PoisonError::into_inner) = ring.to_text().to_string();
        }
        match fault {
            None => Ok(()),
            Some(_) => Err(KeyFileNotWritten("the test asked for it".to_owned())),
        }
    }
}
