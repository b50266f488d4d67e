use super::token::Token;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A tick passes.
    Tick,
    /// A tab sends a refresh, or tries it once more.
    Send {
        /// Which tab.
        tab: u8,
    },
    /// The server decides the client's request at this place.
    Decide {
        /// The place among the requests under way.
        place: usize,
        /// The newest master key that the deciding node has.
        node_kid: u8,
    },
    /// The server answers 503 to the client's request at this place.
    Shed {
        /// The place among the requests under way.
        place: usize,
    },
    /// The client hears the answer to its request at this place.
    Hear {
        /// The place among the requests under way.
        place: usize,
    },
    /// The server crashes: undecided requests and unheard answers are lost.
    Crash,
    /// A new master key is made.
    RotateKey,
    /// The store is copied.
    TakeSnapshot,
    /// The copy is put back.
    PutBack,
    /// The time is over for which a restored store takes tokens of the epoch before.
    EndRecovery,
    /// The user revokes the grant.
    Revoke,
    /// The user's cutoff is raised, and all his grants end.
    RaiseCutoff,
    /// The client is disabled, or enabled again.
    SwitchClient,
    /// The user is disabled, or enabled again.
    SwitchUser,
    /// The thief takes a token.
    Steal(Token),
    /// The thief copies a whole request with this token.
    Copy(Token),
    /// The thief presents a token, and is answered at once.
    Present {
        /// The token.
        token: Token,
        /// What he sends with it.
        guise: Guise,
        /// What he asks for.
        ask: Ask,
        /// The newest master key that the deciding node has.
        node_kid: u8,
    },
    /// The thief makes up a token: the head is right, the tags are not.
    Forge {
        /// The generation that it names.
        generation: u8,
    },
}

/// What the thief sends with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guise {
    /// Nothing else.
    Plain,
    /// A retry challenge of his own, and its verifier.
    OwnChallenge,
    /// The challenge of the request that he copied, whose verifier he has not.
    CopiedChallenge,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// What was granted.
    Granted,
    /// More scope than was granted.
    MoreScope,
    /// A resource that was not granted.
    OtherTarget,
}
