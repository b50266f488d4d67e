use std::net::IpAddr;

/// Where the user was when they approved the grant, so that they know it again in the list of their grants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApprovedFrom {
    /// The network address of the browser.
    pub address: IpAddr,
    /// What the browser is called, such as `Firefox on Linux`, in at most [`ApprovedFrom::AGENT_BYTES_MAX`] bytes; `None` when
    /// it did not say.
    pub agent: Option<String>,
}

impl ApprovedFrom {
    /// The longest name of a browser that is kept, in bytes.
    pub const AGENT_BYTES_MAX: usize = 64;

    /// Keeps as many whole characters of `agent` as fit, and nothing of an empty one.
    #[must_use]
    pub fn new(address: IpAddr, agent: Option<&str>) -> Self {
        let kept = agent.map(|agent| &agent[..longest_start(agent, Self::AGENT_BYTES_MAX)]);
        Self { address, agent: kept.filter(|agent| !agent.is_empty()).map(str::to_owned) }
    }
}

/// How many bytes, and no more than `bytes_max`, the whole characters take that `text` begins with.
fn longest_start(text: &str, bytes_max: usize) -> usize {
    (0..=bytes_max.min(text.len())).rfind(|&end| text.is_char_boundary(end)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_long_agent_is_cut_between_characters() {
        let (most, more) = ("a".repeat(64), "a".repeat(65));
        let (fits, would_be_split) = (format!("{}é", "a".repeat(62)), format!("{}é", "a".repeat(63)));
        for (agent, kept) in [
            (None, None),
            (Some(""), None),
            (Some("Firefox"), Some("Firefox")),
            (Some(&most[..]), Some(&most[..])),
            (Some(&more), Some(&most)),
            (Some(&fits), Some(&fits)),
            (Some(&would_be_split), Some(&most[..63])),
        ] {
            let from = ApprovedFrom::new(Ipv4Addr::LOCALHOST.into(), agent);
            assert_eq!(from.agent.as_deref(), kept, "{agent:?}");
        }
    }
}
