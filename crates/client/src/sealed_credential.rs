//! The format in which a credential is kept under a key of the keyring: JSON with a format name, a version, the key's name, and
//! the seal of what [`Credential::to_json`] writes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Entropy, MasterKey, SealingKey, random};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Credential, CredentialError};

/// Why bytes are not a credential that this version can open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Empty, truncated, longer than any, or of another program.
    #[error("it is not a whole credential sealed by the keyring: {0}")]
    Foreign(&'static str),
    /// Of a later version.
    #[error("it is a sealed credential of version {0}; this program reads version {VERSION}: update it")]
    Newer(u64),
    /// Changed since it was sealed.
    #[error("the key of the keyring does not open it: it was changed, or damaged")]
    NotAuthentic,
    /// Sealed by this program, and still not readable.
    #[error("what is sealed in it cannot be read: {0}")]
    Credential(#[from] CredentialError),
}

/// The name of a key in the keyring: 16 random bytes, made with the key at the first write of a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyName(String);

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedCredential {
    pub(crate) key: KeyName,
    sealed: Vec<u8>,
}

impl KeyName {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random::<16>(entropy)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({})", self.0)
    }
}

/// The key that opens what is sealed under `secret`, the 32 bytes that the keyring keeps.
pub(crate) fn sealing_key(secret: &[u8]) -> Option<SealingKey> {
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(secret).ok()?);
    Some(SealingKey::new(&MasterKey::from_bytes(*bytes), "client-credential"))
}

impl SealedCredential {
    /// Seals the JSON of a credential.
    pub(crate) fn seal(json: &[u8], name: &KeyName, key: &SealingKey, entropy: &dyn Entropy) -> Self {
        Self { key: name.clone(), sealed: key.seal(json, name.0.as_bytes(), entropy) }
    }

    pub(crate) fn open(&self, key: &SealingKey) -> Result<Credential, SealError> {
        let opened = key.open(&self.sealed, self.key.0.as_bytes()).map_err(|_| SealError::NotAuthentic)?;
        Ok(Credential::from_json(&opened)?)
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let (key, sealed) = (self.key.0.clone(), URL_SAFE_NO_PAD.encode(&self.sealed));
        let members = Members { format: FORMAT.to_owned(), version: VERSION, key, sealed };
        serde_json::to_vec_pretty(&members).expect("strings and numbers always serialize")
    }

    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, SealError> {
        if bytes.len() > SEALED_BYTES_MAX {
            return Err(SealError::Foreign("it is longer than any"));
        }
        let members: Members = serde_json::from_slice(bytes).map_err(|error| {
            SealError::Foreign(if error.is_data() { "its members are others" } else { "it is not whole JSON" })
        })?;
        match (members.format.as_str(), members.version) {
            (FORMAT, VERSION) => {}
            (FORMAT, version) if version > VERSION => return Err(SealError::Newer(version)),
            _ => return Err(SealError::Foreign("its \"format\" is another")),
        }
        let sealed = URL_SAFE_NO_PAD.decode(&members.sealed);
        let sealed = sealed.map_err(|_| SealError::Foreign("its \"sealed\" is not base64url"))?;
        Ok(Self { key: KeyName(members.key), sealed })
    }
}

/// The longest that a file with a sealed credential may be, in bytes: base64 of the longest credential, and the rest.
pub(crate) const SEALED_BYTES_MAX: usize = Credential::BYTES_MAX / 3 * 4 + 1024;

/// What the member `format` holds.
const FORMAT: &str = "regrant-sealed-credential";
/// The version that is written, and the only one there is.
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Members {
    format: String,
    version: u64,
    key: String,
    sealed: String,
}
