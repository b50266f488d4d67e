//! The key that a grant is bound to.

use regrant_grant::Binding;

/// A binding as it is stored: a letter for its kind, and the thumbprint. Nothing for none.
#[must_use]
pub fn to_bytes(binding: &Binding) -> Option<Vec<u8>> {
    let (bytes, count) = binding.tag_input();
    (count > 0).then(|| bytes[..count].to_vec())
}

/// Reads a stored binding.
///
/// # Errors
/// What is wrong with it.
pub fn from_bytes(stored: Option<&[u8]>) -> Result<Binding, &'static str> {
    let Some(stored) = stored else { return Ok(Binding::None) };
    let [kind, thumbprint @ ..] = stored else { return Err("it is empty") };
    let thumbprint = thumbprint.try_into().map_err(|_| "its thumbprint is not 32 bytes long")?;
    match kind {
        b'd' => Ok(Binding::DpopKey(thumbprint)),
        b'c' => Ok(Binding::Certificate(thumbprint)),
        _ => Err("it is of no known kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_read_as_it_was_written() {
        for binding in [Binding::None, Binding::DpopKey([1; 32]), Binding::Certificate([2; 32])] {
            assert_eq!(from_bytes(to_bytes(&binding).as_deref()), Ok(binding));
        }
        for damaged in [&b""[..], b"d", b"dxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"] {
            from_bytes(Some(damaged)).unwrap_err();
        }
    }
}
