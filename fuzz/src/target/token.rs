use regrant_grant::{
    AccessTokenId, CODE_PREFIX, GrantId, OPAQUE_ACCESS_PREFIX, REFRESH_PREFIX, TOKEN_CHARACTERS, TokenParts,
};

/// A token, a `jti` or a grant id has one spelling.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for prefix in [REFRESH_PREFIX, CODE_PREFIX, OPAQUE_ACCESS_PREFIX] {
        check(prefix, text, |text| {
            let token = TokenParts::parse(prefix, text).ok()?;
            Some(token.encode(prefix).expose().to_owned())
        });
    }
    if let Some(id) = AccessTokenId::parse(text) {
        assert_eq!(id.to_text(), text, "a jti that was read is written as it was");
    }
    if let Ok(id) = GrantId::parse(text) {
        assert_eq!(id.to_string(), text, "a grant id that was read is written as it was");
    }
}

/// Holds a reader, which gives what it read as it would be written, to the promises of a token.
pub(crate) fn check(prefix: &str, text: &str, read_and_write: impl Fn(&str) -> Option<String>) {
    let Some(written) = read_and_write(text) else { return };
    assert_eq!(written, text, "a token that was read is written as it was");
    assert_eq!(text.len(), TOKEN_CHARACTERS, "a token has one length");
    assert!(text.starts_with(prefix), "a token says what it is for");
}
