//! What every old database needs: moments around now, and tokens as the systems make them.

use regrant_crypto::sha256;
use regrant_protocol::{Clock, SystemClock};

/// An hour, in seconds.
pub(crate) const HOUR: i64 = 3600;
/// A day, in seconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// `YYYY-MM-DD HH:MM:SS`, so many seconds from now, on a clock in a zone that many hours east.
pub(crate) fn wall(seconds: i64, hours_east: i64) -> String {
    let moment = SystemClock.now().plus_seconds(seconds + hours_east * HOUR);
    moment.to_rfc3339().replace('T', " ").replace('Z', "")
}

/// A moment in UTC, so many seconds from now.
pub(crate) fn utc(seconds: i64) -> String {
    wall(seconds, 0)
}

/// A token of 40 hexadecimal digits, made of a name.
pub(crate) fn token(name: &str) -> String {
    hex(name)[..40].to_owned()
}

/// SHA-256 in hexadecimal.
pub(crate) fn hex(text: &str) -> String {
    sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
