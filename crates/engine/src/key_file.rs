use regrant_crypto::KeyRing;

/// Where the master keys lie: a file that the program around keeps, as the engine opens none.
pub trait KeyFile: Send + Sync {
    /// What lies there now. It may block as long as a disk takes.
    ///
    /// # Errors
    /// When there is nothing, or what cannot be read.
    fn read(&self) -> Result<KeyRing, KeyFileNotRead>;

    /// Replaces what lies there by this ring, all of it or nothing, and returns when no crash can undo that. It may block as
    /// long as a disk takes.
    ///
    /// # Errors
    /// When it is not known to be written; then either the old ring or this one lies there.
    fn replace(&self, ring: &KeyRing) -> Result<(), KeyFileNotWritten>;
}

/// Why the key file was not read: what the operator has to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key file was not read: {0}")]
pub struct KeyFileNotRead(pub String);

/// Why the key file was not written: what the operator has to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key file was not written: {0}")]
pub struct KeyFileNotWritten(pub String);
