use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{SealingKey, digest};
use regrant_protocol::Kid;

use crate::AuthorizationServer;

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
    pub(super) fn seal(&self, label: SealLabel, place: &[&[u8]], plaintext: &[u8]) -> String {
        let ring = self.keys.ring();
        let newest = self.keys.newest_kid();
        // Where the newest is not here, nobody is given a page.
        let (kid, master) = ring.get(newest).map_or_else(|| ring.newest(), |master| (newest, master));
        let sealed = SealingKey::new(master, label.as_str()).seal(plaintext, &self.aad(place), &*self.entropy);
        URL_SAFE_NO_PAD.encode([&[kid.0], &sealed[..]].concat())
    }

    /// What was sealed; `None` when it was sealed for another place or store, was changed, or its key has been retired.
    pub(super) fn unseal(&self, label: SealLabel, place: &[&[u8]], text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&kid, sealed) = bytes.split_first()?;
        if !self.keys.has(Kid(kid)) {
            return None;
        }
        let ring = self.keys.ring();
        let opened = SealingKey::new(ring.get(Kid(kid))?, label.as_str()).open(sealed, &self.aad(place)).ok()?;
        Some(opened.to_vec())
    }

    fn aad(&self, place: &[&[u8]]) -> [u8; 32] {
        let realm = &self.store.identity().realm.0[..];
        digest(&[&[realm], place].concat())
    }
}
