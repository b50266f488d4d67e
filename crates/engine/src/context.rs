use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A request that was not begun to be decided this long after its first byte is answered 503, and never a verdict: its
/// sender may have given up and tried again.
pub const BEGIN_SECONDS_MAX: u64 = 10;

/// The longest name of a request, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// What is known about a request before its words are read.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The address that failures are counted for.
    pub source: IpAddr,
    /// When the first byte of the request arrived, on the monotonic clock.
    pub first_byte: Instant,
    /// The name under which log, events and answer speak of the request; `None` where nobody gives names.
    pub id: Option<RequestId>,
}

impl RequestContext {
    /// A request without a name.
    #[must_use]
    pub const fn new(source: IpAddr, first_byte: Instant) -> Self {
        Self { source, first_byte, id: None }
    }

    /// Until when a step for this request may begin.
    #[must_use]
    pub fn begin_before(&self) -> Instant {
        self.first_byte + Duration::from_secs(BEGIN_SECONDS_MAX)
    }
}

/// The name of one request: 1 to [`REQUEST_ID_BYTES_MAX`] ASCII letters, digits, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// Reads a name; `None` when it has another length or other characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let has_length = (1..=REQUEST_ID_BYTES_MAX).contains(&text.len());
        (has_length && text.bytes().all(is_allowed)).then(|| Self(text.into()))
    }

    /// A name that no other request has: 32 hexadecimal digits.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)).into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_in_plain_letters_only() {
        for text in ["a", "0123456789abcdef0123456789abcdef", "edge-1_2.3"] {
            assert_eq!(RequestId::parse(text).unwrap().as_str(), text);
        }
        let long = "a".repeat(REQUEST_ID_BYTES_MAX + 1);
        for text in ["", "a b", "a\n", "é", "a\"", &long] {
            assert_eq!(RequestId::parse(text), None, "{text:?}");
        }
        let random = RequestId::from_random([0x0A; 16]);
        assert_eq!(random.as_str(), "0a".repeat(16));
        assert_eq!(RequestId::parse(random.as_str()), Some(random));
    }
}
