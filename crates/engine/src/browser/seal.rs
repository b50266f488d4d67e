use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{SealingKey, digest};
use regrant_protocol::Kid;
use regrant_store::StoreError;

use crate::AuthorizationServer;
use crate::keys::{KeyState, missing};

/// What may be given into a browser's hands, each kind under a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SealLabel {
    /// What a page carries to the next.
    Errand,
    /// That a form is one of ours.
    Form,
    /// What was just done.
    Notice,
    /// That a user has logged in with a browser.
    Known,
}

impl SealLabel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Errand => "errand",
            Self::Form => "form",
            Self::Notice => "notice",
            Self::Known => "known-browser",
        }
    }
}

impl AuthorizationServer {
    /// base64url(kid ‖ seal) of `plaintext`, under the newest master key. It is unsealed only with the same label and `place`.
    ///
    /// # Errors
    /// When the newest master key is not here.
    pub(super) fn seal(&self, label: SealLabel, place: &[&[u8]], plaintext: &[u8]) -> Result<String, StoreError> {
        let (kid, ring) = self.keys.newest()?;
        let master = ring.get(kid).ok_or_else(|| missing(kid))?;
        let sealed = SealingKey::new(master, label.as_str()).seal(plaintext, &self.aad(place), &*self.entropy);
        Ok(URL_SAFE_NO_PAD.encode([&[kid.0], &sealed[..]].concat()))
    }

    /// What was sealed; `None` when it was sealed for another place or store, was changed, or its key has been retired.
    ///
    /// # Errors
    /// When nobody can tell whether the key has been retired, or it is in force and not here.
    pub(super) async fn unseal(
        &self,
        label: SealLabel,
        place: &[&[u8]],
        text: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else { return Ok(None) };
        let Some((&kid, sealed)) = bytes.split_first() else { return Ok(None) };
        let kid = Kid(kid);
        self.learn_of_key(kid).await?;
        match self.keys.state_of(kid) {
            KeyState::InForce | KeyState::Prepared => {}
            KeyState::Missing => return Err(missing(kid)),
            KeyState::Retired | KeyState::Ahead | KeyState::Nobodys => return Ok(None),
        }
        let ring = self.keys.ring();
        let Some(master) = ring.get(kid) else { return Ok(None) };
        let opened = SealingKey::new(master, label.as_str()).open(sealed, &self.aad(place));
        Ok(opened.ok().map(|opened| opened.to_vec()))
    }

    fn aad(&self, place: &[&[u8]]) -> [u8; 32] {
        let realm = &self.store.identity().realm.0[..];
        digest(&[&[realm], place].concat())
    }
}
