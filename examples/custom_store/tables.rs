use std::collections::{BTreeMap, HashMap};

use regrant::store::{
    AccessTokenId, AnnouncedKey, Client, ClientId, Consent, EpochNumber, Grant, GrantId, ImportedAccessToken, Kid,
    SealedSigningKey, Session, SessionId, Subject, Timestamp, User,
};

/// Everything that is kept. Each call of the store has it for itself, from beginning to end.
pub(crate) struct Tables {
    pub(crate) epoch: EpochNumber,
    /// `None` for a client that was removed: its name is never given again.
    pub(crate) clients: BTreeMap<ClientId, Option<Client>>,
    /// `None` for a user who was removed.
    pub(crate) users: BTreeMap<Subject, Option<User>>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) consents: HashMap<(Subject, ClientId), Consent>,
    pub(crate) grants: BTreeMap<GrantId, Grant>,
    /// The siblings of each root.
    pub(crate) siblings: HashMap<GrantId, Vec<GrantId>>,
    /// The access tokens that were revoked alone, and their ends.
    pub(crate) listed_access_tokens: BTreeMap<[u8; AccessTokenId::BYTES], Option<Timestamp>>,
    pub(crate) imported_refresh_tokens: BTreeMap<[u8; 32], (GrantId, Timestamp)>,
    /// In the order of their digests, as the sweep comes by.
    pub(crate) imported_access_tokens: BTreeMap<[u8; 32], (GrantId, ImportedAccessToken)>,
    pub(crate) announced_keys: BTreeMap<Kid, AnnouncedKey>,
    pub(crate) signing_keys: Vec<SealedSigningKey>,
    pub(crate) swept_at: Option<Timestamp>,
}

impl Tables {
    pub(crate) fn new(epoch: EpochNumber) -> Self {
        Self {
            epoch,
            clients: BTreeMap::new(),
            users: BTreeMap::new(),
            sessions: BTreeMap::new(),
            consents: HashMap::new(),
            grants: BTreeMap::new(),
            siblings: HashMap::new(),
            listed_access_tokens: BTreeMap::new(),
            imported_refresh_tokens: BTreeMap::new(),
            imported_access_tokens: BTreeMap::new(),
            announced_keys: BTreeMap::new(),
            signing_keys: Vec::new(),
            swept_at: None,
        }
    }
}
