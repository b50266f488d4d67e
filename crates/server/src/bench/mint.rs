use anyhow::{Context, Result};
use regrant_crypto::{AuthorityContext, KeyRing, MESSAGE_BYTES, Purpose, authority_key, prefilter_key};
use regrant_grant::{CODE_PREFIX, Grant, HEAD_BYTES, Head, REFRESH_PREFIX, TokenParts};
use regrant_protocol::Kid;
use regrant_store::Identity;

/// Makes the tokens of rows that were written past the engine, as the engine would.
pub(super) struct Mint {
    ring: KeyRing,
    identity: Identity,
}

impl Mint {
    pub(super) fn new(ring: KeyRing, identity: Identity) -> Self {
        Self { ring, identity }
    }

    /// The master key of new rows.
    pub(super) fn kid(&self) -> Kid {
        self.ring.newest().0
    }

    /// The refresh token of a row that is bound to no key.
    pub(super) fn refresh_token(&self, row: &Grant) -> Result<String> {
        self.make(row, Purpose::Refresh, REFRESH_PREFIX)
    }

    /// The code of a row.
    pub(super) fn code(&self, row: &Grant) -> Result<String> {
        self.make(row, Purpose::Code, CODE_PREFIX)
    }

    fn make(&self, row: &Grant, purpose: Purpose, prefix: &str) -> Result<String> {
        let master = self.ring.get(row.kid).context("a new row has the newest key")?;
        let epoch = self.identity.epoch();
        let head = Head { kid: row.kid, epoch: row.epoch, grant: row.id, generation: row.generation };
        let prefilter_tag = prefilter_key(master, purpose).tag(&head.to_bytes(), &self.identity.realm.0);
        let context = AuthorityContext::new(&self.identity.realm.0, &epoch.random, row.client.as_str(), &[])?;
        let mut message = [0; MESSAGE_BYTES];
        message[..HEAD_BYTES].copy_from_slice(&head.to_bytes());
        message[HEAD_BYTES..].copy_from_slice(&prefilter_tag);
        let authority_tag = authority_key(master, row.secret.expose(), purpose).tag(&context, &message);
        Ok(TokenParts { head, prefilter_tag, authority_tag }.encode(prefix).expose().to_owned())
    }
}
