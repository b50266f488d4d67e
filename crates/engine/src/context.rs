use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A request that was not begun to be decided this long after its first byte is answered 503, and never a verdict: its
/// sender may have given up and tried again.
pub const BEGIN_SECONDS_MAX: u64 = 10;

/// What is known about a request before its words are read.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// The address that failures are counted for.
    pub source: IpAddr,
    /// When the first byte of the request arrived, on the monotonic clock.
    pub first_byte: Instant,
}

impl RequestContext {
    /// Until when a step for this request may begin.
    #[must_use]
    pub fn begin_before(&self) -> Instant {
        self.first_byte + Duration::from_secs(BEGIN_SECONDS_MAX)
    }
}
