use std::net::{IpAddr, Ipv6Addr};

use regrant_grant::ApprovedFrom;
use regrant_store::stored::approved_from::{from_text, to_text};

/// The engine's own reader of `User-Agent`, which no other crate can see, compiled once more.
#[path = "../../../crates/engine/src/browser/agent.rs"]
mod agent;

/// Where a grant was approved is written as it was read, whether the bytes come from the store or are a `User-Agent`.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(from) = from_text(text) {
        is_kept(&from);
    }
    let words = agent::in_words(text);
    assert!(words.as_ref().is_none_or(|words| !words.is_empty()));
    let from = ApprovedFrom::new(IpAddr::V6(Ipv6Addr::LOCALHOST), words.as_deref());
    assert_eq!(from.agent.is_some(), words.is_some());
    assert!(words.unwrap_or_default().starts_with(from.agent.as_deref().unwrap_or_default()), "it is cut, not changed");
    is_kept(&from);
}

fn is_kept(from: &ApprovedFrom) {
    assert!(from.agent.as_ref().is_none_or(|agent| (1..=ApprovedFrom::AGENT_BYTES_MAX).contains(&agent.len())));
    assert_eq!(from_text(&to_text(from)).as_ref(), Ok(from), "what was written is read back");
}
