use std::fmt;

/// Which master key a token was made under. Kids only grow; 0 is never given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid(pub u8);

impl Kid {
    /// The first kid of a new key ring.
    pub const FIRST: Self = Self(1);

    /// The kid after this one; `None` after 255.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which epoch of the store a token was made in. A restore begins a new one, so that dead token strings stay dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochNumber(pub u8);

impl EpochNumber {
    /// The epoch that a store is made with.
    pub const FIRST: Self = Self(1);
}
