use regrant_crypto::{
    AccessKey, AuthorityContext, KeyRing, MESSAGE_BYTES, MasterKey, PrefilterKeys, Purpose, authority_key,
};
use regrant_grant::{AuthorityTag, Binding, Grant, GrantSecret, HEAD_BYTES, Head, REFRESH_PREFIX, TokenParts, Verdict};
use regrant_protocol::{ClientId, EpochNumber, Kid, Secret};
use regrant_store::{Identity, StoreError};

/// The master keys and what the store says about itself: all that tags are made of but the row.
pub(crate) struct Keys {
    ring: KeyRing,
    prefilters: PrefilterKeys,
    identity: Identity,
    newest_announced: Kid,
}

/// Whose token it is, as the row tells it: what a tag binds a token to beside its head.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) secret: &'a GrantSecret,
    pub(crate) client: &'a ClientId,
    pub(crate) binding: Binding,
}

impl<'a> From<&'a Grant> for Owner<'a> {
    fn from(row: &'a Grant) -> Self {
        Self { secret: &row.secret, client: &row.client, binding: row.binding }
    }
}

impl Keys {
    pub(crate) fn new(ring: KeyRing, identity: Identity, newest_announced: Kid) -> Self {
        Self { prefilters: PrefilterKeys::new(&ring), ring, identity, newest_announced }
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    pub(crate) fn newest_kid(&self) -> Kid {
        self.ring.newest().0
    }

    pub(crate) fn present_epoch(&self) -> EpochNumber {
        self.identity.epoch().number
    }

    /// Whether this process can make the tokens of the current generation of a row.
    pub(crate) fn can_make(&self, row: &Grant) -> bool {
        self.ring.get(row.kid).is_some() && self.identity.epoch_numbered(row.epoch).is_some()
    }

    /// Whether the prefilter tag is ours: a forged token ends here, without the database.
    pub(crate) fn prefilter(&self, head: &Head, tag: &[u8; 8], purpose: Purpose) -> Result<(), Verdict> {
        let Some(key) = self.prefilters.get(head.kid, purpose) else {
            // Announced to the store, but this process has not been given it yet.
            let is_coming = head.kid > self.newest_kid() && head.kid <= self.newest_announced;
            return Err(if is_coming { Verdict::Unavailable } else { Verdict::Forged });
        };
        if key.verify(&head.to_bytes(), &self.identity.realm.0, tag) { Ok(()) } else { Err(Verdict::Forged) }
    }

    /// Checks the authority tag of a presented token under the kid and epoch that the token names.
    pub(crate) fn check_authority(&self, parts: &TokenParts, owner: Owner<'_>, purpose: Purpose) -> AuthorityTag {
        if self.identity.epoch_numbered(parts.head.epoch).is_none() {
            return AuthorityTag::Unverifiable;
        }
        let message = message(&parts.head.to_bytes(), &parts.prefilter_tag);
        let verified = self.with_context(&parts.head, owner, |master, context| {
            authority_key(master, owner.secret.expose(), purpose).verify(context, &message, &parts.authority_tag)
        });
        if verified == Some(true) { AuthorityTag::Valid } else { AuthorityTag::Invalid }
    }

    /// The refresh token of the current generation of a row.
    ///
    /// Fails when this process cannot make it: [`Keys::can_make`] is asked before the row is written.
    pub(crate) fn refresh_token(&self, row: &Grant) -> Result<Secret, StoreError> {
        let unknown =
            || StoreError::Unavailable(format!("master key {} or epoch {} is not loaded", row.kid, row.epoch.0));
        self.make_refresh_token(row).ok_or_else(unknown)
    }

    fn make_refresh_token(&self, row: &Grant) -> Option<Secret> {
        let head = Head { kid: row.kid, epoch: row.epoch, grant: row.id, generation: row.generation };
        let prefilter_tag = self.prefilter_tag(&head, Purpose::Refresh)?;
        let message = message(&head.to_bytes(), &prefilter_tag);
        let owner = Owner::from(row);
        let authority_tag = self.with_context(&head, owner, |master, context| {
            authority_key(master, owner.secret.expose(), Purpose::Refresh).tag(context, &message)
        })?;
        Some(TokenParts { head, prefilter_tag, authority_tag }.encode(REFRESH_PREFIX))
    }

    pub(crate) fn prefilter_tag(&self, head: &Head, purpose: Purpose) -> Option<[u8; 8]> {
        Some(self.prefilters.get(head.kid, purpose)?.tag(&head.to_bytes(), &self.identity.realm.0))
    }

    /// Encrypts the claims of an opaque access token.
    pub(crate) fn encrypt_access(&self, head: &Head, owner: Owner<'_>, claims: &[u8]) -> Option<Vec<u8>> {
        self.with_context(head, owner, |master, context| {
            let aad = context.with_head(&head.to_bytes());
            AccessKey::new(master, owner.secret.expose()).encrypt(claims, &aad)
        })
    }

    /// Decrypts the claims of an opaque access token; `None` when it is not one of this owner.
    pub(crate) fn decrypt_access(&self, head: &Head, owner: Owner<'_>, body: &[u8]) -> Option<Vec<u8>> {
        self.with_context(head, owner, |master, context| {
            let aad = context.with_head(&head.to_bytes());
            AccessKey::new(master, owner.secret.expose()).decrypt(body, &aad).ok()
        })?
    }

    /// Calls `act` with the master key of `head` and the context of its tags; `None` when key or epoch is unknown here.
    fn with_context<T>(
        &self,
        head: &Head,
        owner: Owner<'_>,
        act: impl FnOnce(&MasterKey, &AuthorityContext<'_>) -> T,
    ) -> Option<T> {
        let master = self.ring.get(head.kid)?;
        let epoch = self.identity.epoch_numbered(head.epoch)?;
        let (binding, length) = owner.binding.tag_input();
        let context =
            AuthorityContext::new(&self.identity.realm.0, &epoch.random, owner.client.as_str(), &binding[..length])
                .ok()?;
        Some(act(master, &context))
    }
}

fn message(head: &[u8; HEAD_BYTES], prefilter_tag: &[u8; 8]) -> [u8; MESSAGE_BYTES] {
    let mut message = [0; MESSAGE_BYTES];
    message[..HEAD_BYTES].copy_from_slice(head);
    message[HEAD_BYTES..].copy_from_slice(prefilter_tag);
    message
}
