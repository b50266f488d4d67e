use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A host with its port, if one is named, as git and Docker ask for it: `git.example`, `127.0.0.1:3000`, `[::1]:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName {
    name: String,
    port: Option<u16>,
}

/// Why a text names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host: give its name, and its port if it has one, as in git.example or git.example:8443")]
pub(crate) struct HostNameError(String);

impl HostName {
    /// Whether it is this machine, so that nobody else sees what is sent there.
    pub(crate) fn is_loopback(&self) -> bool {
        ["127.0.0.1", "localhost", "[::1]"].contains(&self.name.as_str())
    }
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| HostNameError(text.to_owned()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn parse(text: &str) -> Option<HostName> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (format!("[{}]", address.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (plain(name)?, port)
        }
    };
    let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?.parse().ok()?) };
    Some(HostName { name, port })
}

/// A name of labels, or an IPv4 address.
fn plain(name: &str) -> Option<String> {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.split('.').all(is_label).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_a_port() {
        for (text, expected) in [
            ("git.example", Some("git.example")),
            ("Git.Example:8443", Some("git.example:8443")),
            ("localhost", Some("localhost")),
            ("127.0.0.1:3000", Some("127.0.0.1:3000")),
            ("[::1]", Some("[::1]")),
            ("[0:0:0:0:0:0:0:1]:3000", Some("[::1]:3000")),
            ("", None),
            ("https://git.example/", None),
            ("git.example/", None),
            ("*.example", None),
            ("ada@git.example", None),
            ("git.example:", None),
            ("git.example:port", None),
            ("git.example:70000", None),
            ("git..example", None),
            ("git.example.", None),
            ("-x", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]3000", None),
            ("[git.example]", None),
            ("a b", None),
        ] {
            let parsed = text.parse::<HostName>().ok().map(|host| host.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        for (text, expected) in [
            ("127.0.0.1:3000", true),
            ("localhost", true),
            ("[::1]", true),
            ("[::1]:3000", true),
            ("localhost.evil.example", false),
            ("[::2]", false),
        ] {
            assert_eq!(text.parse::<HostName>().unwrap().is_loopback(), expected, "{text}");
        }
    }
}
