use std::fmt::Write as _;

use regrant_protocol::{IdentifierError, Subject};

/// Why a name cannot be the `sub` of a user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be the sub of tokens: {cause}")]
pub struct SubjectError {
    /// As the foreign system has it.
    pub name: String,
    /// What is wrong with it.
    pub cause: IdentifierError,
}

/// What stands before the name of a user who is called as a client is.
const USER: &str = "user:";

/// The `sub` of a user whom the foreign system's tokens call `name`: that name, so that clients know the user again. Two kinds of
/// names cannot be: one with characters beyond ASCII (OpenID Connect Core §2) is percent-encoded, and the name of a client, which
/// no user may have (RFC 9068 §5), gets `user:` before it. So does, or is encoded, what looks as if that had been done already: no two names
/// get the same `sub`. `is_client` says whether a client is called so; it is asked about [`client_names_of`] and nothing else.
///
/// # Errors
/// When it is empty, too long, or has a control character.
pub fn subject_of(name: &str, is_client: impl Fn(&str) -> bool) -> Result<Subject, SubjectError> {
    let parse = |text: &str| Subject::parse(text).map_err(|cause| SubjectError { name: name.to_owned(), cause });
    if !name.is_ascii() || looks_encoded(name) {
        return parse(&encoded(name));
    }
    let subject = parse(name)?;
    let is_called_as_a_client = client_names_of(name).into_iter().any(is_client);
    if is_called_as_a_client { parse(&format!("{USER}{name}")) } else { Ok(subject) }
}

/// The names of clients that decide what a user is called whom a foreign system calls `name`.
#[must_use]
pub fn client_names_of(name: &str) -> [&str; 2] {
    [name, name.trim_start_matches(USER)]
}

/// Whether a name has what only an encoded one should have: `%25`, or a byte beyond ASCII.
fn looks_encoded(name: &str) -> bool {
    let is_escape = |escape: &[u8]| {
        let [b'%', high, low] = escape else { return false };
        low.is_ascii_hexdigit() && (matches!(high, b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F') || [*high, *low] == *b"25")
    };
    name.as_bytes().windows(3).any(is_escape)
}

fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len() * 3);
    for character in name.chars() {
        if character.is_ascii() && character != '%' {
            encoded.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                write!(encoded, "%{byte:02X}").expect("a String takes whatever is written to it");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_as_before_wherever_that_can_be() {
        let long = "x".repeat(256);
        for (name, expected) in [
            ("alice", Some("alice")),
            ("100%", Some("100%")),
            ("CARBON.SUPER/Alice Liddell", Some("CARBON.SUPER/Alice Liddell")),
            ("shop", Some("user:shop")),
            ("jörg", Some("j%C3%B6rg")),
            ("jörg 100%", Some("j%C3%B6rg 100%25")),
            ("j%C3%B6rg", Some("j%25C3%25B6rg")),
            ("j%25C3%25B6rg", Some("j%2525C3%2525B6rg")),
            ("100%2", Some("100%2")),
            ("user:alice", Some("user:alice")),
            ("user:shop", Some("user:user:shop")),
            ("user:user:shop", Some("user:user:user:shop")),
            ("", None),
            ("a\nb", None),
            (&long, None),
        ] {
            let subject = subject_of(name, |client| client == "shop");
            assert_eq!(subject.as_ref().ok().map(Subject::as_str), expected, "{name:?}: {subject:?}");
        }
    }
}
