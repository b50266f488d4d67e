use std::fmt;
use std::sync::Arc;

use crate::text::serde_as_text;

/// The most names that a scope may have.
pub const SCOPE_TOKENS_MAX: usize = 100;

/// A set of scope tokens, in the order in which they were asked for (RFC 6749 §3.3).
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope(Option<Arc<str>>);

/// Why a text is not a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Two spaces in a row, or one at an end.
    #[error("scope has an empty entry; separate scope names by exactly one space")]
    EmptyToken,
    /// More than [`SCOPE_TOKENS_MAX`] names.
    #[error("scope has more than {SCOPE_TOKENS_MAX} names")]
    TooMany,
    /// A character outside `%x21 / %x23-5B / %x5D-7E`.
    #[error("scope contains a character that is not allowed in a scope name")]
    Character,
}

impl Scope {
    /// The scope that grants nothing by name.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Reads `scope-token *( SP scope-token )`; a token named twice counts once.
    ///
    /// # Errors
    /// When the text does not follow the grammar of RFC 6749 §3.3.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Ok(Self::empty());
        }
        let mut tokens: Vec<&str> = Vec::new();
        for token in text.split(' ') {
            if token.is_empty() {
                return Err(ScopeError::EmptyToken);
            }
            if !token.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) {
                return Err(ScopeError::Character);
            }
            if tokens.contains(&token) {
                continue;
            }
            if tokens.len() == SCOPE_TOKENS_MAX {
                return Err(ScopeError::TooMany);
            }
            tokens.push(token);
        }
        Ok(Self(Some(tokens.join(" ").into())))
    }

    /// The scope as it is written in requests and answers; empty text for the empty scope.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// The tokens, in order.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|text| text.split(' '))
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether `token` is named.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.tokens().any(|own| own == token)
    }

    /// Whether everything named here is named in `wider` too.
    #[must_use]
    pub fn is_within(&self, wider: &Self) -> bool {
        self.tokens().all(|token| wider.contains(token))
    }

    /// The part of this scope that is named in `wider` too.
    #[must_use]
    pub fn within(&self, wider: &Self) -> Self {
        self.keep(|token| wider.contains(token))
    }

    /// This scope without `token`.
    #[must_use]
    pub fn without(&self, token: &str) -> Self {
        self.keep(|own| own != token)
    }

    fn keep(&self, is_kept: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<&str> = self.tokens().filter(|token| is_kept(token)).collect();
        if kept.is_empty() { Self::empty() } else { Self(Some(kept.join(" ").into())) }
    }
}

serde_as_text!(Scope);

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_3_3_the_grammar() {
        let many = (0..=SCOPE_TOKENS_MAX).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        for (text, expected) in [
            ("read write", Ok("read write")),
            ("write read write", Ok("write read")),
            ("", Ok("")),
            ("!#[]~", Ok("!#[]~")),
            (" read", Err(ScopeError::EmptyToken)),
            ("read  write", Err(ScopeError::EmptyToken)),
            (&many, Err(ScopeError::TooMany)),
            ("a\"b", Err(ScopeError::Character)),
            ("a\\b", Err(ScopeError::Character)),
            ("a\tb", Err(ScopeError::Character)),
            ("a\u{a0}b", Err(ScopeError::Character)),
        ] {
            let parsed = Scope::parse(text);
            assert_eq!(parsed.as_ref().map(Scope::as_str).map_err(|error| *error), expected, "{text:?}");
        }
    }

    #[test]
    fn rfc6749_section_6_within_means_every_name_was_granted() {
        let granted = Scope::parse("a b").unwrap();
        for (asked, within) in [("a", true), ("b a", true), ("", true), ("a b c", false), ("ab", false)] {
            assert_eq!(Scope::parse(asked).unwrap().is_within(&granted), within, "{asked:?}");
        }
        assert!(!granted.is_within(&Scope::empty()));
        assert_eq!(granted.without("a").as_str(), "b");
        assert!(granted.without("a").without("b").is_empty());
        assert_eq!(Scope::parse("c b a").unwrap().within(&granted).as_str(), "b a");
    }
}
