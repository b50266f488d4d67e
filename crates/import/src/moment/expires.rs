use regrant_protocol::Timestamp;

use super::{Wall, WallError, Zones};
use crate::Expiry;

/// The end of a refresh token by the column `expires` of bshaffer and redCORE.
///
/// "Never" is kept as the number 0, and that is written as a date: within a day of the epoch in whatever zone, or what
/// MySQL makes of a date that it cannot hold. Such tokens do refresh.
///
/// # Errors
/// When the text is no date.
pub(crate) fn refresh_expiry(text: &str, zones: &Zones, is_dumped_in_utc: bool) -> Result<Expiry, WallError> {
    let wall = Wall::parse(text)?;
    match wall {
        Wall::Zero | Wall::Infinity => Ok(Expiry::Never),
        Wall::Local(_) | Wall::Exact(_) if wall.is_epoch() => Ok(Expiry::Never),
        Wall::Local(_) | Wall::Exact(_) => moment(wall, zones, is_dumped_in_utc).map(Expiry::At),
    }
}

/// The end of an access token by the same column, where the epoch and the zero date mean that it was dead when it was
/// written: there is no access token that never ends.
///
/// # Errors
/// When the text is no date.
pub(crate) fn access_expiry(text: &str, zones: &Zones, is_dumped_in_utc: bool) -> Result<Timestamp, WallError> {
    moment(Wall::parse(text)?, zones, is_dumped_in_utc)
}

/// The moment that `wall` means; the epoch for a date that is none.
fn moment(wall: Wall, zones: &Zones, is_dumped_in_utc: bool) -> Result<Timestamp, WallError> {
    match wall {
        Wall::Local(local) => {
            let local = if is_dumped_in_utc { zones.undump(local) } else { local };
            Ok(zones.moment(local))
        }
        Wall::Exact(moment) => Ok(moment),
        Wall::Zero | Wall::Infinity => Ok(Timestamp::from_seconds(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::LAST;
    use crate::time_zone;

    #[test]
    fn never_is_told_from_expired_long_ago() {
        let new_york = Zones { program: time_zone("America/New_York").unwrap(), database: None };
        let cases = [
            ("1969-12-31 19:00:00", Expiry::Never, "the epoch in its zone"),
            ("1970-01-01 00:00:00", Expiry::Never, "the epoch in another zone"),
            ("0000-00-00 00:00:00", Expiry::Never, "MySQL could not hold it: never, or past 2038"),
            ("infinity", Expiry::Never, "PostgreSQL's word for it"),
            ("9999-12-31 23:59:59", Expiry::At(LAST), "the last date that MySQL can hold"),
            ("9999-12-31 23:59:59+00", Expiry::At(LAST), "… of a column with an offset"),
            (
                "1970-02-01 00:00:00",
                Expiry::At(Timestamp::from_seconds(31 * 86_400 + 5 * 3600)),
                "long ago, but a date",
            ),
        ];
        for (text, expected, why) in cases {
            assert_eq!(refresh_expiry(text, &new_york, false), Ok(expected), "{text}: {why}");
        }
    }

    #[test]
    fn no_access_token_lives_for_ever() {
        for text in ["1969-12-31 19:00:00", "1970-01-01 09:00:00", "0000-00-00 00:00:00"] {
            let end = access_expiry(text, &Zones::utc(), false).unwrap();
            assert!(end < Timestamp::from_seconds(2 * 86_400), "{text} ends at {end:?}");
        }
    }
}
