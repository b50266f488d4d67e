/// The key that refresh tokens of a public client are bound to (RFC 9449 §5, RFC 8705 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// A bearer token, or a token of a confidential client, which is bound to the client's authentication instead.
    None,
    /// The SHA-256 thumbprint of a DPoP key.
    DpopKey([u8; 32]),
    /// The SHA-256 thumbprint of a client certificate.
    Certificate([u8; 32]),
}

impl Binding {
    /// The bytes that go into the authority tag: a letter for the kind and the thumbprint; nothing for [`Binding::None`].
    #[must_use]
    pub fn tag_input(&self) -> ([u8; 33], usize) {
        let (kind, thumbprint) = match self {
            Self::None => return ([0; 33], 0),
            Self::DpopKey(thumbprint) => (b'd', thumbprint),
            Self::Certificate(thumbprint) => (b'c', thumbprint),
        };
        let mut bytes = [kind; 33];
        bytes[1..].copy_from_slice(thumbprint);
        (bytes, 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_binding_has_a_tag_input_of_its_own() {
        for (binding, input) in [
            (Binding::None, vec![]),
            (Binding::DpopKey([7; 32]), [&b"d"[..], &[7; 32]].concat()),
            (Binding::Certificate([7; 32]), [&b"c"[..], &[7; 32]].concat()),
        ] {
            let (bytes, length) = binding.tag_input();
            assert_eq!(bytes[..length], input, "{binding:?}");
        }
    }
}
