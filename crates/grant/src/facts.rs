use regrant_protocol::{ClientId, CodeChallenge, EpochNumber, Kid, Resources, RetryChallenge, Scope, Timestamp};

use crate::{Binding, Generation, Grant, GrantId, GrantSecret, Recovery};

/// What is known about a refresh before the rule decides it: who sent it, what it presents, what it asks for.
#[derive(Clone, Debug)]
pub struct RefreshFacts {
    /// The client that the request comes from: authenticated, or named by a public client.
    pub client: ClientId,
    /// Whether that client proved itself.
    pub client_kind: ClientKind,
    /// The key that the sender proved to hold in this request.
    pub proven_key: Binding,
    /// The generation that the presented token names.
    pub generation: Generation,
    /// The master key that the presented token names.
    pub kid: Kid,
    /// The epoch that the presented token names.
    pub epoch: EpochNumber,
    /// What came of checking its authority tag under its own kid and epoch.
    pub authority_tag: AuthorityTag,
    /// What the next retry will have to prove.
    pub retry_challenge: Option<RetryChallenge>,
    /// The challenge that belongs to the verifier that this request carries.
    pub retry_verifier: Option<RetryChallenge>,
    /// The scope that is asked for; `None` for all that was granted.
    pub scope: Option<Scope>,
    /// The resources that are asked for; none for all that were granted.
    pub resources: Resources,
    /// The newest master key that this node may use: the successor is made under it.
    pub newest_kid: Kid,
    /// Name and secret of a sibling, should this refresh fork; fresh random bytes.
    pub sibling: (GrantId, GrantSecret),
    /// How the store takes tokens of the epoch before its own; `None` when they are dead.
    pub recovery: Option<Recovery>,
}

impl RefreshFacts {
    /// What is presented is the imported token of `row`, which was found by its digest: that is its authority tag. It is
    /// generation 0, and as its string names neither master key nor epoch, it has those of the row.
    pub fn present_imported_token(&mut self, row: &Grant) {
        self.generation = Generation::IMPORTED;
        self.kid = row.kid;
        self.epoch = row.epoch;
        self.authority_tag = AuthorityTag::Valid;
    }
}

/// What is known about the redemption of a code before the rule decides it.
#[derive(Clone, Debug)]
pub struct RedeemFacts {
    /// The client that the request comes from: authenticated, or named by a public client.
    pub client: ClientId,
    /// What came of checking the code's authority tag under its own kid and epoch.
    pub authority_tag: AuthorityTag,
    /// The master key that the code names.
    pub kid: Kid,
    /// The epoch that the code names.
    pub epoch: EpochNumber,
    /// The challenge that belongs to the `code_verifier` that this request carries.
    pub verifier: Option<CodeChallenge>,
    /// The digest of the `redirect_uri` that this request carries, as in [`Code::redirect_uri`](crate::Code).
    pub redirect_uri: Option<[u8; 16]>,
    /// The newest master key that this node may use: the refresh token is made under it.
    pub newest_kid: Kid,
}

/// Whether a client can authenticate (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// It proved itself with a secret or key; the proof is also the proof of the same sender.
    Confidential,
    /// It only named itself.
    Public,
}

/// What came of checking the authority tag of a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthorityTag {
    /// It was made with the master key and this row's secret.
    Valid,
    /// It was not.
    Invalid,
    /// The store does not know the epoch that the token names, so nobody can say: the store is older than its tokens.
    Unverifiable,
    /// The same, but that epoch was before the store's own: a restore ended it and could not keep it. The token is dead.
    Forgotten,
}

/// What the store reads together with the row, in the same step.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The epoch of the store.
    pub epoch: EpochNumber,
    /// The client of the grant; `None` when it was removed.
    pub client: Option<Party>,
    /// The user of the grant; `None` when it was removed.
    pub user: Option<Party>,
    /// The root of the grant's family; `None` when the grant is the root itself.
    pub root: Option<&'a Grant>,
    /// When the login session that the grant is tied to ends or ended; `None` when there is none such.
    pub session_ends_at: Option<Timestamp>,
}

/// What can end the grants of a client or user from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Party {
    /// Neither disabled nor locked.
    pub enabled: bool,
    /// Grants with a lower one have ended.
    pub cutoff: u32,
    /// Raised by every change of the client or user, so that a cached copy is known to be old.
    pub version: u64,
}
