use regrant_crypto::Algorithm;
use regrant_protocol::{Kid, Timestamp};
use regrant_store::SealedSigningKey;

use crate::signing::{SigningKeysError, algorithm_of, signer};
use crate::{AuthorizationServer, KeyRotationError};

/// What an operator is told of a key; never the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyView {
    /// A key that signs access tokens and ID tokens.
    Signing(SigningKeyView),
    /// A key outside the database, of which refresh tokens, codes and opaque access tokens are made.
    Master(MasterKeyView),
}

/// What an operator is told of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeyView {
    /// Its `kid` in the key set.
    pub key_id: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// When it was made, and from when on it is in the key set.
    pub created_at: Timestamp,
    /// From when on it signs, unless a newer one does.
    pub signs_from: Timestamp,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// What it does now.
    pub state: SigningKeyState,
}

/// What a signing key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyState {
    /// It is in the key set, and signs later.
    Waiting,
    /// It signs.
    Signing,
    /// Another signs in its place. It stays in the key set for the tokens that it signed.
    Verifying,
    /// It is not in the key set, and what it signed is refused.
    Withdrawn,
}

/// What an operator is told of a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterKeyView {
    /// Its number.
    pub kid: Kid,
    /// Whether it is the newest: new tokens are made under it. What was made under the others is good as before.
    pub is_newest: bool,
}

impl AuthorizationServer {
    /// Every key: the signing keys, oldest first, with those that were withdrawn, then the master keys in force, oldest
    /// first.
    ///
    /// # Errors
    /// When the store failed, or keeps a signing key that this version does not know.
    pub async fn keys(&self) -> Result<Vec<KeyView>, KeyRotationError> {
        let signing = self.signing_key_views().await?.into_iter().map(KeyView::Signing);
        let ring = self.keys.ring();
        let newest = ring.newest().0;
        let master = ring.iter().map(|(kid, _)| KeyView::Master(MasterKeyView { kid, is_newest: kid == newest }));
        Ok(signing.chain(master).collect())
    }

    /// The signing keys, oldest first.
    pub(crate) async fn signing_key_views(&self) -> Result<Vec<SigningKeyView>, SigningKeysError> {
        view(&self.store.signing_keys().await?, self.clock.now())
    }
}

impl SigningKeyState {
    /// The name of the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Signing => "signing",
            Self::Verifying => "verifying",
            Self::Withdrawn => "withdrawn",
        }
    }
}

fn view(keys: &[SealedSigningKey], now: Timestamp) -> Result<Vec<SigningKeyView>, SigningKeysError> {
    let signs = |key: &SealedSigningKey| {
        let rivals = keys.iter().filter(|rival| rival.algorithm == key.algorithm && rival.withdrawn_at.is_none());
        signer(rivals, |rival| rival.signs_from, now).is_some_and(|signer| signer.key_id == key.key_id)
    };
    let view = |key: &SealedSigningKey| {
        let state = match key.withdrawn_at {
            Some(_) => SigningKeyState::Withdrawn,
            None if signs(key) => SigningKeyState::Signing,
            None if key.signs_from > now => SigningKeyState::Waiting,
            None => SigningKeyState::Verifying,
        };
        let SealedSigningKey { created_at, signs_from, withdrawn_at, .. } = *key;
        let algorithm = algorithm_of(key)?;
        Ok(SigningKeyView { key_id: key.key_id.clone(), algorithm, created_at, signs_from, withdrawn_at, state })
    };
    keys.iter().map(view).collect()
}
