use regrant_protocol::{Scope, ScopeError};

/// Reads a scope as other servers do, by which any number of blanks separates two names.
pub(crate) fn lenient_scope(text: &str) -> Result<Scope, ScopeError> {
    let names: Vec<&str> = text.split_whitespace().collect();
    Scope::parse(&names.join(" "))
}
