use super::token::{Token, Tokens};

/// What the thief has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Thief {
    pub(super) has_stolen: bool,
    /// The token that he stole, and those that he was given for it.
    pub(super) tokens: Tokens,
    /// The token of a whole request that he copied, with its challenge.
    pub(super) copied: Option<Token>,
}

impl Thief {
    pub(super) const fn new() -> Self {
        Self { has_stolen: false, tokens: Tokens::EMPTY, copied: None }
    }
}

/// The number of the retry challenge whose verifier the thief has: his own.
pub(super) const THIEF_CHALLENGE: u8 = 0xEE;
