use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regrant_protocol::Timestamp;

/// The last moment that there is: the end of the year 9999 in UTC.
pub(crate) const LAST: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// In which zones the dates of a database without offsets are written.
#[derive(Clone, Debug)]
pub struct Zones {
    /// Where the clock of the program that wrote them stood: PHP's `date.timezone` for bshaffer and redCORE. WSO2 and
    /// DotAuth write UTC themselves.
    pub program: TimeZone,
    /// Where the clock of the MySQL server stands that a dump was taken from. It matters for one kind of source:
    /// `mysqldump` writes `TIMESTAMP` columns in UTC (its option `--tz-utc` is on unless told otherwise), not as the
    /// program wrote them. `None` takes the server's clock for UTC.
    pub database: Option<TimeZone>,
}

impl Zones {
    /// Everything in UTC.
    #[must_use]
    pub const fn utc() -> Self {
        Self { program: TimeZone::UTC, database: None }
    }

    /// The zones of a system that writes UTC, with the same database.
    pub(crate) fn with_program_in_utc(&self) -> Self {
        Self { program: TimeZone::UTC, database: self.database.clone() }
    }

    /// The moment that the program meant by `wall`.
    ///
    /// An hour that the clock showed twice is read as the later one, and an hour that it skipped as that much after the
    /// gap: whoever wrote it is then logged out up to an hour late, and never early.
    ///
    /// The last day of the year 9999, by which programs say that there is no end, is [`LAST`] in every zone.
    pub(crate) fn moment(&self, wall: DateTime) -> Timestamp {
        let moment = self.program.to_ambiguous_timestamp(wall).later();
        moment.map_or(LAST, |moment| Timestamp::from_milliseconds(moment.as_millisecond()))
    }

    /// What the program wrote, from what a dump in UTC shows of it.
    pub(crate) fn undump(&self, wall: DateTime) -> DateTime {
        let Some(database) = &self.database else { return wall };
        match TimeZone::UTC.to_ambiguous_timestamp(wall).unambiguous() {
            Ok(moment) => database.to_datetime(moment),
            Err(_) => wall,
        }
    }
}

/// The zone called `name` in the IANA time zone database, such as `Europe/Berlin`.
///
/// # Errors
/// When there is none of that name.
pub fn time_zone(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    TimeZone::get(name).map_err(|_| UnknownTimeZone(name.to_owned()))
}

/// A name that is no time zone's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no time zone {0:?}; name one of the IANA database, such as Europe/Berlin: what PHP's date.timezone says"
)]
pub struct UnknownTimeZone(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_is_read_in_the_zone_of_the_program() {
        let cases = [
            ("UTC", "2026-11-21T12:00:00", "2026-11-21T12:00:00Z", "as it stands"),
            ("Europe/Berlin", "2026-11-21T12:00:00", "2026-11-21T11:00:00Z", "winter"),
            ("Europe/Berlin", "2026-07-01T12:00:00", "2026-07-01T10:00:00Z", "summer"),
            ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T01:30:00Z", "an hour shown twice: the later"),
            ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z", "an hour never shown: after the gap"),
            ("America/New_York", "2026-11-01T01:15:00", "2026-11-01T06:15:00Z", "an hour shown twice: the later"),
            ("UTC", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z", "the last moment"),
            ("America/New_York", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z", "… which is none later"),
            ("Asia/Tokyo", "2026-11-21T12:00:00", "2026-11-21T03:00:00Z", "east"),
        ];
        for (zone, wall, expected, why) in cases {
            let zones = Zones { program: time_zone(zone).unwrap(), database: None };
            let moment = zones.moment(wall.parse().unwrap());
            assert_eq!(moment.to_rfc3339(), expected, "{zone} {wall}: {why}");
        }
    }

    #[test]
    fn what_mysqldump_turned_into_utc_is_turned_back() {
        let berlin = time_zone("Europe/Berlin").unwrap();
        let wall: DateTime = "2026-11-21T11:00:00".parse().unwrap();
        let cases = [
            (Zones { program: berlin.clone(), database: Some(berlin.clone()) }, "2026-11-21T11:00:00Z", "both there"),
            (Zones { program: berlin, database: None }, "2026-11-21T10:00:00Z", "the server in UTC"),
        ];
        for (zones, expected, why) in cases {
            assert_eq!(zones.moment(zones.undump(wall)).to_rfc3339(), expected, "{why}");
        }
    }

    #[test]
    fn a_zone_that_is_not_there_is_named() {
        let error = time_zone("Europe/Berln").unwrap_err().to_string();
        assert!(error.contains("Europe/Berln") && error.contains("date.timezone"), "{error}");
    }
}
