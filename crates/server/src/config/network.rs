use std::fmt;
use std::net::IpAddr;

/// An address, or all addresses with the same prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

/// Why a text is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No address.
    #[error("{0:?} is neither an address nor a network, such as 10.0.0.7 or 10.0.0.0/8")]
    Form(String),
    /// More bits than the address has.
    #[error("{0:?} has a prefix of more bits than its address, which has {1}")]
    PrefixBits(String, u32),
    /// The address has bits beyond the prefix.
    #[error("{0:?} names an address within a network; write {1} for the network, or the address alone")]
    BitsBeyond(String, Network),
}

impl Network {
    /// Reads `ADDRESS` or `ADDRESS/BITS`.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let form = || NetworkError::Form(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| form())?;
        let width = width(address);
        let prefix_bits = match bits {
            None => width,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().map_err(|_| form())?,
            Some(_) => return Err(form()),
        };
        if prefix_bits > width {
            return Err(NetworkError::PrefixBits(text.to_owned(), width));
        }
        let network = Self { address: truncate(address, prefix_bits), prefix_bits };
        if network.address == address { Ok(network) } else { Err(NetworkError::BitsBeyond(text.to_owned(), network)) }
    }

    /// Whether `address` is in it. An IPv4 address that came over an IPv6 socket counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = if self.address.is_ipv4() { address.to_canonical() } else { address };
        width(address) == width(self.address) && truncate(address, self.prefix_bits) == self.address
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// `address` with zeros behind its first `bits`.
fn truncate(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_with_its_prefix() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.6", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("::/0", "2001:db8::1", true),
        ] {
            let found = Network::parse(network).unwrap().contains(address.parse().unwrap());
            assert_eq!(found, expected, "{network} {address}");
        }
    }

    #[test]
    fn what_is_not_a_network_is_refused_with_what_to_write() {
        for (text, expected) in [
            ("proxy", "neither an address nor a network"),
            ("", "neither an address nor a network"),
            ("10.0.0.0/", "neither an address nor a network"),
            ("10.0.0.0/+8", "neither an address nor a network"),
            ("10.0.0.0/33", "more bits than its address, which has 32"),
            ("10.0.0.1/8", "write 10.0.0.0/8 for the network"),
            ("2001:db8::1/32", "write 2001:db8::/32 for the network"),
        ] {
            let told = Network::parse(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}
