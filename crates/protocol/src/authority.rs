use std::net::Ipv6Addr;

/// The hosts that are this machine: the only ones that `http` is accepted for (RFC 8252 §7.3, §8.3).
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Host and port of a URL (RFC 3986 §3.2), never with user information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in brackets, as it was written.
    pub(crate) host: &'a str,
    /// The port, where one is named.
    pub(crate) port: Option<u16>,
}

/// Why a text is not host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorityFault {
    Userinfo,
    Host,
    Port,
}

impl<'a> Authority<'a> {
    /// Reads what stands between `//` and the path, query or end.
    pub(crate) fn parse(text: &'a str) -> Result<Self, AuthorityFault> {
        if text.contains('@') {
            return Err(AuthorityFault::Userinfo);
        }
        let host_end = match text.find(']') {
            Some(bracket) if text.starts_with('[') => bracket + 1,
            _ => text.find(':').unwrap_or(text.len()),
        };
        let (host, after_host) = text.split_at(host_end);
        if !is_host(host) {
            return Err(AuthorityFault::Host);
        }
        match after_host.strip_prefix(':') {
            Some(port) => Ok(Self { host, port: Some(parse_port(port).ok_or(AuthorityFault::Port)?) }),
            None if after_host.is_empty() => Ok(Self { host, port: None }),
            None => Err(AuthorityFault::Host),
        }
    }

    /// Whether the host is this machine, in the one way of writing each of its names.
    pub(crate) fn is_loopback(&self) -> bool {
        LOOPBACK_HOSTS.contains(&self.host)
    }
}

/// A port from 1 to 65535 as browsers write it: digits without a leading zero.
pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// An IPv6 address in brackets, or labels of letters, digits, `-` and `_` between dots; other names have to be in Punycode.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    host.split('.').all(is_label)
}
