use std::fmt;

use regrant_protocol::{EpochNumber, Kid};

use crate::Generation;

/// A refresh token of the one grant: what tells its string from every other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub(super) generation: u8,
    pub(super) kid: u8,
    pub(super) epoch: u8,
}

impl Token {
    /// The token that the grant begins with.
    pub(super) const FIRST: Self = Self { generation: 1, kid: 1, epoch: 1 };
    /// The one that it begins with when it was imported: a string that names neither master key nor epoch.
    pub(super) const IMPORTED: Self = Self { generation: 0, ..Self::FIRST };
    /// Stands where no token matters any more.
    pub(super) const NONE: Self = Self { generation: 0, kid: 0, epoch: 0 };

    pub(super) fn generation(self) -> Generation {
        Generation(u32::from(self.generation))
    }

    pub(super) fn kid(self) -> Kid {
        Kid(self.kid)
    }

    pub(super) fn epoch(self) -> EpochNumber {
        EpochNumber(self.epoch)
    }

    fn bit(self) -> u64 {
        let Self { generation, kid, epoch } = self;
        assert!(generation < 8 && matches!((kid, epoch), (1..=2, 1..=4)), "a model has few tokens: {self:?}");
        1 << (generation * 8 + (kid - 1) * 4 + epoch - 1)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {} (kid {}, epoch {})", self.generation, self.kid, self.epoch)
    }
}

/// A set of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tokens(u64);

impl Tokens {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) fn insert(&mut self, token: Token) {
        self.0 |= token.bit();
    }

    pub(super) fn contains(self, token: Token) -> bool {
        self.0 & token.bit() != 0
    }

    /// The tokens that are in this set and not in the other.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those of a higher generation than this one.
    pub(super) fn above(self, generation: u8) -> Self {
        Self(self.0 & !(u64::MAX >> (56 - 8 * generation)))
    }

    /// Whether another token of the same generation and the same epoch is in the set.
    pub(super) fn has_twin(self, token: Token) -> bool {
        let other_kid = Token { kid: 3 - token.kid, ..token };
        self.contains(other_kid)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Token> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let index = left.trailing_zeros() as u8;
            left &= left - 1;
            Some(Token { generation: index / 8, kid: index % 8 / 4 + 1, epoch: index % 4 + 1 })
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_token() -> impl Iterator<Item = Token> {
        (0..8).flat_map(|generation| {
            (1..=2).flat_map(move |kid| (1..=4).map(move |epoch| Token { generation, kid, epoch }))
        })
    }

    #[test]
    fn a_set_of_tokens_gives_back_what_was_put_in_and_nothing_else() {
        for token in every_token() {
            let mut tokens = Tokens::EMPTY;
            tokens.insert(token);
            assert_eq!(tokens.iter().collect::<Vec<_>>(), [token]);
            assert!(every_token().all(|other| tokens.contains(other) == (other == token)), "{token:?}");
        }
    }

    #[test]
    fn a_twin_is_another_token_of_the_same_generation_and_epoch() {
        for token in every_token() {
            for other in every_token() {
                let mut tokens = Tokens::EMPTY;
                tokens.insert(other);
                let is_twin = (other.generation, other.epoch) == (token.generation, token.epoch) && other != token;
                assert_eq!(tokens.has_twin(token), is_twin, "{token:?} beside {other:?}");
            }
        }
    }

    #[test]
    fn a_set_may_lose_those_of_another_and_those_that_are_not_above_a_generation() {
        for token in every_token() {
            let mut tokens = Tokens::EMPTY;
            tokens.insert(token);
            assert_eq!(tokens.without(tokens), Tokens::EMPTY);
            assert_eq!(tokens.without(Tokens::EMPTY), tokens);
            for generation in 0..8 {
                assert_eq!(tokens.above(generation).contains(token), token.generation > generation, "{token:?}");
            }
        }
    }
}
