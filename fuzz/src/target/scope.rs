use std::collections::BTreeSet;

use regrant_protocol::{SCOPE_TOKENS_MAX, Scope, ScopeError};

/// A scope is a set of names after the grammar of RFC 6749 §3.3, and all that follows it is a scope.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let named: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split(' ').collect() };
    let is_name_character = |byte: u8| byte == b'!' || (b'#'..=b'~').contains(&byte) && byte != b'\\';
    let scope = match Scope::parse(text) {
        Ok(scope) => scope,
        Err(ScopeError::EmptyToken) => return assert!(named.contains(&""), "no name is empty"),
        Err(ScopeError::TooMany) => {
            let distinct: BTreeSet<_> = named.iter().collect();
            return assert!(distinct.len() > SCOPE_TOKENS_MAX, "few names are not too many");
        }
        Err(ScopeError::Character) => {
            return assert!(
                !named.iter().all(|name| name.bytes().all(is_name_character)),
                "every character is allowed"
            );
        }
    };
    let names: Vec<&str> = scope.tokens().collect();
    assert_eq!(names.join(" "), scope.as_str());
    assert_eq!(scope.is_empty(), names.is_empty());
    for (index, name) in names.iter().enumerate() {
        assert!(!name.is_empty() && name.bytes().all(is_name_character), "{name:?}");
        assert!(!names[..index].contains(name), "{name:?} is named twice");
        assert!(scope.contains(name) && named.contains(name));
        let without = scope.without(name);
        assert!(!without.contains(name) && without.is_within(&scope) && !scope.is_within(&without));
        assert_eq!(without.tokens().count(), names.len() - 1);
    }
    assert!(named.iter().all(|name| scope.contains(name)), "nothing that was asked for is lost");
    assert!(scope.is_within(&scope) && Scope::empty().is_within(&scope));
    assert_eq!(Scope::parse(scope.as_str()).as_ref(), Ok(&scope), "a scope is read back");
}
