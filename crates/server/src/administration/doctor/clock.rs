use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use regrant_admin::Time;
use regrant_protocol::Timestamp;

use regrant_data_directory::DATABASE;

use super::check::Check;

/// 2026-01-01: no clock that is right shows an earlier time.
const EARLIEST: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// What clocks of file systems may be ahead.
const AHEAD_SECONDS_MAX: i64 = 60;

/// Whether the clock can be right.
pub(super) fn check(data: &Path, now: Timestamp) -> Check {
    let written = fs::metadata(data.join(DATABASE)).map(|database| Timestamp::from_seconds(database.mtime())).ok();
    judge(now, written)
}

fn judge(now: Timestamp, written: Option<Timestamp>) -> Check {
    const NAME: &str = "clock";
    let shown = Time(now);
    match written {
        _ if now < EARLIEST => {
            Check::fail(NAME, format!("it shows {shown}, which is over; set it, or start a time service"))
        }
        Some(written) if written > now.plus_seconds(AHEAD_SECONDS_MAX) => Check::warn(
            NAME,
            format!("it shows {shown}, and the database was written at {}: the clock is or was wrong", Time(written)),
        ),
        Some(_) | None => Check::ok(NAME, format!("it shows {shown}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::administration::doctor::check::State;

    #[test]
    fn a_clock_that_stands_before_what_has_happened_is_wrong() {
        let now = EARLIEST.plus_seconds(1_000);
        for (now, written, state) in [
            (now, None, State::Ok),
            (now, Some(now), State::Ok),
            (now, Some(now.plus_seconds(60)), State::Ok),
            (now, Some(now.plus_seconds(61)), State::Warn),
            (Timestamp::from_seconds(0), Some(now), State::Fail),
        ] {
            assert_eq!(judge(now, written).state, state, "{now:?} {written:?}");
        }
    }
}
