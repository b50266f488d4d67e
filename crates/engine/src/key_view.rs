use regrant_crypto::Algorithm;
use regrant_protocol::{Kid, Timestamp};
use regrant_store::{SealedSigningKey, SeenNode, StoreError};

use crate::keys::KeyState;
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
    /// What it does now.
    pub state: MasterKeyState,
}

/// What a master key does at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterKeyState {
    /// What was made under it is good; new tokens are made under a newer one.
    Good,
    /// New tokens are made under it.
    Newest,
    /// The next rotation puts it in force.
    Prepared,
    /// It is in force, and this node does not have it: whatever is made under it is answered 503 here.
    Missing,
}

impl AuthorizationServer {
    /// Every key: the signing keys, oldest first, with those that were withdrawn, then the master keys that count, oldest first.
    ///
    /// # Errors
    /// When the store failed, or keeps a signing key that this version does not know.
    pub async fn keys(&self) -> Result<Vec<KeyView>, KeyRotationError> {
        let signing = self.signing_key_views().await?.into_iter().map(KeyView::Signing);
        let newest = self.keys.newest_kid();
        let in_force = self.keys.announced().into_iter().map(|key| {
            let state = match self.keys.state_of(key.kid) {
                KeyState::InForce if key.kid == newest => MasterKeyState::Newest,
                KeyState::InForce => MasterKeyState::Good,
                KeyState::Prepared | KeyState::Missing | KeyState::Retired | KeyState::Ahead | KeyState::Nobodys => {
                    MasterKeyState::Missing
                }
            };
            KeyView::Master(MasterKeyView { kid: key.kid, state })
        });
        let ring = self.keys.ring();
        let kids = ring.iter().map(|(kid, _)| kid);
        let prepared = kids.filter(|&kid| self.keys.state_of(kid) == KeyState::Prepared);
        let prepared = prepared
            .map(|kid| KeyView::Master(MasterKeyView { kid, state: MasterKeyState::Prepared }))
            .collect::<Vec<_>>();
        Ok(signing.chain(in_force).chain(prepared).collect())
    }

    /// The nodes that were seen lately, by name; none where this process has the store for itself.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn nodes(&self) -> Result<Vec<SeenNode>, StoreError> {
        match self.store.shared() {
            Some(shared) => shared.nodes().await,
            None => Ok(Vec::new()),
        }
    }

    /// The signing keys, oldest first.
    pub(crate) async fn signing_key_views(&self) -> Result<Vec<SigningKeyView>, SigningKeysError> {
        view(&self.store.signing_keys().await?, self.clock.now())
    }
}

impl MasterKeyState {
    /// The name of the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Newest => "newest",
            Self::Prepared => "prepared",
            Self::Missing => "missing",
        }
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
