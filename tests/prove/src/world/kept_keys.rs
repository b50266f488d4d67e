use regrant_crypto::KeyRing;
use regrant_engine::{KeyFile, KeyFileNotRead, KeyFileNotWritten};

/// The master keys of a node, which nobody rotates.
pub(crate) struct KeptKeys(pub(crate) KeyRing);

impl KeyFile for KeptKeys {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Ok(self.0.clone())
    }

    fn replace(&self, _: &KeyRing) -> Result<(), KeyFileNotWritten> {
        Err(KeyFileNotWritten("it is in memory, and stays as it is".to_owned()))
    }
}
