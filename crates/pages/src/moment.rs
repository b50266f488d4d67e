use std::fmt;

/// A time as people read it: `21 November 2026, 04:10 UTC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The first second of the year 1 and the last of 9999: what `<time>` can say.
const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_300_799;

impl Moment {
    /// The minute of `unix_seconds`, or the nearest of the years 1 to 9999.
    pub(crate) fn new(unix_seconds: i64) -> Self {
        let seconds = unix_seconds.clamp(SECONDS_MIN, SECONDS_MAX);
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        Self { year, month, day, hour: second / 3_600, minute: second / 60 % 60 }
    }

    /// For the attribute `datetime`.
    pub(crate) fn datetime(&self) -> String {
        let Self { year, month, day, hour, minute } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z")
    }
}

/// Year, month and day of the Gregorian calendar, `days` after 1 January 1970. Years begin in March here, so that the
/// leap day is the last of its year.
fn date(days: i64) -> (i64, usize, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let days = days + 719_468; // since 1 March of the year 0
    let era = days.div_euclid(DAYS_OF_400_YEARS);
    let day_of_era = days.rem_euclid(DAYS_OF_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, usize::try_from(month).expect("months are 1 to 12"), day)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{day} {} {year}, {hour:02}:{minute:02} UTC", MONTHS[month - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_in_words() {
        // Each as `date -u -d @SECONDS` says it.
        let cases = [
            (0, "1 January 1970, 00:00 UTC", "1970-01-01T00:00Z"),
            (-1, "31 December 1969, 23:59 UTC", "1969-12-31T23:59Z"),
            (951_782_400, "29 February 2000, 00:00 UTC", "2000-02-29T00:00Z"),
            (1_795_234_259, "21 November 2026, 04:10 UTC", "2026-11-21T04:10Z"),
            (4_107_542_399, "28 February 2100, 23:59 UTC", "2100-02-28T23:59Z"),
            (4_107_542_400, "1 March 2100, 00:00 UTC", "2100-03-01T00:00Z"),
            (i64::MAX, "31 December 9999, 23:59 UTC", "9999-12-31T23:59Z"),
            (i64::MIN, "1 January 1, 00:00 UTC", "0001-01-01T00:00Z"),
        ];
        for (seconds, text, datetime) in cases {
            let moment = Moment::new(seconds);
            assert_eq!((moment.to_string().as_str(), moment.datetime().as_str()), (text, datetime), "{seconds}");
        }
    }

    #[test]
    fn every_day_is_followed_by_the_next() {
        let days_of = |year: i64, month: usize| match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let (mut year, mut month, mut day) = (1, 1, 1);
        for number in SECONDS_MIN / 86_400..=SECONDS_MAX / 86_400 {
            assert_eq!(date(number), (year, month, day), "{number}");
            day += 1;
            if day > days_of(year, month) {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
