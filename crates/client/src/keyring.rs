//! The keyring of the operating system: where a key is kept that no file holds.

use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

/// Secrets by name. Every call may wait for a person who has to unlock something.
pub(crate) trait Keyring: Send + Sync {
    /// The secret of that name; `None` when there is none, or none is shown.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String>;
    /// Keeps a secret under a name that is new.
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), String>;
    /// Removes a secret that may not be there.
    fn remove(&self, name: &str) -> Result<(), String>;
}

/// Secret Service on Linux and the BSDs, Keychain on macOS, Credential Manager on Windows.
///
/// It connects anew with every call: a keyring that was not there, or has gone and come back, is found.
pub(crate) struct SystemKeyring {
    service: String,
}

impl SystemKeyring {
    /// The secrets of the program `service`, which is what a person reads who looks into the keyring.
    pub(crate) fn new(service: String) -> Self {
        Self { service }
    }

    fn entry(&self, name: &str) -> Result<Entry, String> {
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new();
        #[cfg(windows)]
        let store = windows_native_keyring_store::Store::new();
        #[cfg(all(unix, not(target_os = "macos")))]
        let store = zbus_secret_service_keyring_store::Store::new();
        store.and_then(|store| store.build(&self.service, name, None)).map_err(|error| error.to_string())
    }
}

impl Keyring for SystemKeyring {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), String> {
        self.entry(name)?.set_secret(secret).map_err(|error| error.to_string())
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}
