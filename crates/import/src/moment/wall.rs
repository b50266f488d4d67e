use jiff::civil::DateTime;
use regrant_protocol::Timestamp;

use super::zone::LAST;

/// A date as a database writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wall {
    /// A clock on some wall; the zone is not said.
    Local(DateTime),
    /// A moment, by an offset from UTC.
    Exact(Timestamp),
    /// `0000-00-00 00:00:00`: what MySQL makes of a date that a `TIMESTAMP` cannot hold, below 1970 or past 2038.
    Zero,
    /// PostgreSQL's `infinity`.
    Infinity,
}

/// A text that is no date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WallError;

impl Wall {
    /// Reads `2026-11-21 12:00:00`, with fractions, with `T`, and with an offset (`Z`, `+02`, `+02:00`) if there is one.
    ///
    /// # Errors
    /// When it is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, WallError> {
        if text.starts_with("0000-00-00") {
            return Ok(Self::Zero);
        }
        if text == "infinity" {
            return Ok(Self::Infinity);
        }
        // The longest is `2026-11-21T12:00:00.000000000+02:00:00`.
        let is_long_enough = text.len() >= "2026-11-21 12:00:00".len() && text.len() <= 40 && text.is_ascii();
        if !is_long_enough || text.starts_with(['-', '+']) {
            return Err(WallError);
        }
        let (date, time) = text.split_at("2026-11-21".len());
        let time = time.strip_prefix([' ', 'T']).ok_or(WallError)?;
        let (clock, offset) = match time.find(['Z', '+', '-']) {
            Some(at) => time.split_at(at),
            None => (time, ""),
        };
        let local: DateTime = format!("{date}T{clock}").parse().map_err(|_| WallError)?;
        if offset.is_empty() {
            return Ok(Self::Local(local));
        }
        // PostgreSQL writes whole hours as two digits.
        let offset = if offset.len() == "+02".len() { format!("{offset}:00") } else { offset.to_owned() };
        let exact = |local: DateTime| format!("{local}{offset}").parse::<jiff::Timestamp>();
        match exact(local) {
            Ok(exact) => Ok(Self::Exact(Timestamp::from_milliseconds(exact.as_millisecond()))),
            // Beyond what can be counted lie the last hours of the year 9999 alone, if there is such an offset.
            Err(_)
                if local.year() == 9999
                    && local.with().year(9998).build().is_ok_and(|before| exact(before).is_ok()) =>
            {
                Ok(Self::Exact(LAST))
            }
            Err(_) => Err(WallError),
        }
    }

    /// Whether it is within one day of the Unix epoch, whatever the zone: how "never" is written as a date.
    pub(crate) fn is_epoch(self) -> bool {
        const DAY_SECONDS: i64 = 86_400;
        let seconds = match self {
            Self::Local(local) => jiff::tz::TimeZone::UTC
                .to_ambiguous_timestamp(local)
                .unambiguous()
                .map_or(i64::MAX, |at| at.as_second()),
            Self::Exact(moment) => moment.seconds(),
            Self::Zero | Self::Infinity => return false,
        };
        (-DAY_SECONDS..=DAY_SECONDS).contains(&seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_databases_write_them() {
        let local = |text: &str| Ok(Wall::Local(text.parse().unwrap()));
        let exact = |seconds| Ok(Wall::Exact(Timestamp::from_seconds(seconds)));
        let cases = [
            ("2026-11-21 12:00:00", local("2026-11-21T12:00:00"), "PHP's date('Y-m-d H:i:s')"),
            ("2026-11-21 12:00:00.123456", local("2026-11-21T12:00:00.123456"), "PostgreSQL's timestamp"),
            ("2026-11-21T12:00:00", local("2026-11-21T12:00:00"), "with a T"),
            ("1970-01-02 00:00:00+00", exact(86_400), "PostgreSQL's timestamptz"),
            ("1970-01-02 02:30:00+02:30", exact(86_400), "… of a zone with half hours"),
            ("1970-01-02T00:00:00.0000000+00:00", exact(86_400), ".NET's DateTimeOffset"),
            ("1970-01-02T00:00:00Z", exact(86_400), "RFC 3339"),
            ("0000-00-00 00:00:00", Ok(Wall::Zero), "MySQL's zero date"),
            ("0000-00-00 00:00:00.000000", Ok(Wall::Zero), "… with fractions"),
            ("infinity", Ok(Wall::Infinity), "PostgreSQL's infinity"),
            ("9999-12-31 23:59:59+00", Ok(Wall::Exact(LAST)), "the last moment"),
            ("9999-12-31 23:59:59+99", Err(WallError), "an offset that is none"),
            ("", Err(WallError), "nothing"),
            ("1795262400", Err(WallError), "a number of seconds"),
            ("2026-11-21", Err(WallError), "no time"),
            ("2026-13-21 12:00:00", Err(WallError), "no such month"),
            ("21.11.2026 12:00:00", Err(WallError), "another order"),
            ("2026-11-21 12:00:00 BC", Err(WallError), "before our era"),
            ("2026-11-2é 12:00:00", Err(WallError), "no ASCII"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(Wall::parse(text), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn the_epoch_is_recognized_in_every_zone() {
        let cases = [
            ("1970-01-01 00:00:00", true, "in UTC"),
            ("1969-12-31 19:00:00", true, "in New York"),
            ("1970-01-01 09:00:00", true, "in Tokyo"),
            ("1970-01-01 14:00:00", true, "as far east as it goes"),
            ("1970-01-02 00:00:01", false, "more than a day after it"),
            ("1969-12-30 23:59:59", false, "more than a day before it"),
            ("2026-11-21 12:00:00", false, "today"),
            ("0000-00-00 00:00:00", false, "not a date at all"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(Wall::parse(text).unwrap().is_epoch(), expected, "{text}: {why}");
        }
    }
}
