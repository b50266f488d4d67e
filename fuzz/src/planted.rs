//! Targets with a fault: each is a sound target around an implementation that breaks one of its promises.

use regrant_grant::{
    Decision, OnReuse, REFRESH_PREFIX, RETRY_WINDOW_PROVEN_SECONDS, RedeemVerdict, Redemption, TokenParts, Verdict,
    Write,
};
use regrant_server::serve::head::{Framing, Head};

use crate::target;

/// A reader of tokens that also takes the standard alphabet of base64.
pub(crate) fn token_of_either_alphabet(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    target::token::check(REFRESH_PREFIX, text, |text| {
        let token = TokenParts::parse(REFRESH_PREFIX, &text.replace('+', "-").replace('/', "_")).ok()?;
        Some(token.encode(REFRESH_PREFIX).expose().to_owned())
    });
}

/// A reader of heads to which a bare LF ends a line, as RFC 9112 §2.2 allows.
pub(crate) fn head_with_bare_line_feeds(data: &[u8]) {
    target::head::check::<LenientHead>(data);
}

#[derive(Default)]
struct LenientHead {
    head: Head,
    last: u8,
}

impl target::head::Reader for LenientHead {
    fn feed(&mut self, bytes: &[u8]) -> Result<Option<(usize, Framing)>, String> {
        for (index, &byte) in bytes.iter().enumerate() {
            let is_bare = byte == b'\n' && self.last != b'\r';
            self.last = byte;
            let fed = if is_bare { self.head.feed(b"\r\n") } else { self.head.feed(&[byte]) };
            if let Some((_, framing)) = fed.map_err(|refusal| format!("{refusal:?}"))? {
                return Ok(Some((index + 1, framing)));
            }
        }
        Ok(None)
    }
}

/// A rule that takes every older token of the right sender for a retry, however old it is.
pub(crate) fn life_without_reuse(data: &[u8]) {
    target::life::check(data, |case| {
        let decision = case.decide();
        let is_older = case.facts.generation < case.row.generation;
        let is_reuse = decision.verdict == Verdict::ReuseDetected && case.policy.on_reuse != Some(OnReuse::Alert);
        if is_reuse && is_older { Decision::unchanged(Verdict::Retried) } else { decision }
    });
}

/// A rule whose longest retry window is open a millisecond too long.
pub(crate) fn decide_with_a_longer_window(data: &[u8]) {
    target::decide::check(data, |case| {
        let decision = case.decide();
        let window_milliseconds = i64::from(RETRY_WINDOW_PROVEN_SECONDS) * 1000;
        let is_at_its_end = case.now.milliseconds_since(case.row.rotated_at) == window_milliseconds;
        if decision.verdict == Verdict::RetryTooLate && is_at_its_end {
            Decision::unchanged(Verdict::Retried)
        } else {
            decision
        }
    });
}

/// A rule that gives tokens for a code as often as its owner presents it, and ends nothing.
pub(crate) fn code_life_without_replay(data: &[u8]) {
    target::code_life::check(data, |case| match case.redeem() {
        Redemption { verdict: RedeemVerdict::Replayed, .. } => {
            Redemption { verdict: RedeemVerdict::Retried, write: Write::Nothing }
        }
        redemption => redemption,
    });
}

/// A comparison to which everything between the host and the path of a loopback address is its port.
pub(crate) fn redirect_uri_with_any_text_for_a_port(data: &[u8]) {
    let after_port = |uri: &str| {
        let port_onwards = uri.strip_prefix("http://127.0.0.1:")?;
        Some(port_onwards[port_onwards.find('/')?..].to_owned())
    };
    target::redirect_uri::check(data, |uri, presented| {
        let path = after_port(presented);
        uri.matches(presented) || path.is_some() && path == after_port(uri.as_str())
    });
}
