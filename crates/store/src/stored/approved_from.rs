//! Where a grant was approved.

use std::net::AddrParseError;

use regrant_grant::ApprovedFrom;

/// Where a grant was approved, as it is stored: an address has no space.
#[must_use]
pub fn to_text(from: &ApprovedFrom) -> String {
    match &from.agent {
        Some(agent) => format!("{} {agent}", from.address),
        None => from.address.to_string(),
    }
}

/// Reads where a grant was approved.
///
/// # Errors
/// When it does not begin with an address.
pub fn from_text(text: &str) -> Result<ApprovedFrom, AddrParseError> {
    let (address, agent) = text.split_once(' ').map_or((text, None), |(address, agent)| (address, Some(agent)));
    Ok(ApprovedFrom::new(address.parse()?, agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_grant_was_approved_is_written_as_it_was_read() {
        for text in ["192.0.2.1", "2001:db8::1 Firefox", "192.0.2.1  two  words ", "::1 é"] {
            assert_eq!(to_text(&from_text(text).unwrap()), text);
        }
        for text in ["", " Firefox", "Firefox", "192.0.2.1,Firefox"] {
            from_text(text).unwrap_err();
        }
    }
}
