use std::fmt;

/// What is kept of a client secret or a password, in the text form of its hash. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Takes the text form of a hash.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text form, to be checked against or stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_does_not_print_itself() {
        assert_eq!(format!("{:?}", Credential::new("$argon2id$x".to_owned())), "Credential(redacted)");
    }
}
