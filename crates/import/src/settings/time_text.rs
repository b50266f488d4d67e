/// How a system writes a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSpelling {
    /// A number of seconds.
    Seconds,
    /// A number of seconds, or a number and `s`, `m`, `h` or `d`.
    Suffixed,
    /// A number of seconds, or `hh:mm:ss` with days before a point, as .NET writes it.
    TimeSpan,
}

/// A text that is no length of time: what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeTextError {
    /// It is in no spelling of the system.
    #[error("{0}")]
    Spelling(&'static str),
    /// It has more hours than a day.
    #[error(
        "\"{days}.{hours:02}:{rest}\", with the days before a point: .NET reads {given} in the place of the hours as days"
    )]
    Hours {
        /// The hours as they were written.
        given: i64,
        /// The days in them.
        days: i64,
        /// The hours beside those.
        hours: i64,
        /// Minutes and seconds, as they were written.
        rest: String,
    },
}

impl TimeSpelling {
    /// The seconds that a text means.
    ///
    /// # Errors
    /// What to write instead.
    pub fn read(self, text: &str) -> Result<i64, TimeTextError> {
        let text = text.trim();
        let seconds = text.parse().ok().or_else(|| match self {
            Self::Seconds => None,
            Self::Suffixed => suffixed(text),
            Self::TimeSpan => time_span(text),
        });
        let hours = || (self == Self::TimeSpan).then(|| hours_above_a_day(text)).flatten();
        seconds.ok_or_else(|| hours().unwrap_or(TimeTextError::Spelling(self.wanted())))
    }

    /// What to write, for a person.
    #[must_use]
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Seconds => "a whole number of seconds",
            Self::Suffixed => "a whole number of seconds, or one with s, m, h or d behind it, such as \"1d\"",
            Self::TimeSpan => "a whole number of seconds, or hours, minutes and seconds, such as \"00:30:00\"",
        }
    }
}

fn suffixed(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => MINUTE,
        'h' => 60 * MINUTE,
        'd' => DAY,
        _ => return None,
    };
    text[..text.len() - 1].trim_end().parse::<i64>().ok()?.checked_mul(unit)
}

fn time_span(text: &str) -> Option<i64> {
    let (days, clock) = text.split_once('.').unwrap_or(("0", text));
    let parts: Vec<i64> = clock.split(':').map(digits).collect::<Option<_>>()?;
    let [hours @ 0..24, minutes @ 0..60, seconds @ 0..60] = parts[..] else { return None };
    digits(days)?.checked_mul(DAY)?.checked_add((hours * 60 + minutes) * MINUTE + seconds)
}

/// `24:00:00`, which .NET reads as 24 days.
fn hours_above_a_day(text: &str) -> Option<TimeTextError> {
    let (hours, rest) = text.split_once(':')?;
    let given = digits(hours).filter(|hours| *hours >= DAY_HOURS)?;
    time_span(&format!("00:{rest}"))?;
    Some(TimeTextError::Hours { given, days: given / DAY_HOURS, hours: given % DAY_HOURS, rest: rest.to_owned() })
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

const MINUTE: i64 = 60;
const DAY_HOURS: i64 = 24;
const DAY: i64 = DAY_HOURS * 60 * MINUTE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_in_the_spelling_of_its_system_alone() {
        use TimeSpelling::{Seconds, Suffixed, TimeSpan};
        for (spelling, text, seconds) in [
            (Seconds, "84600", Some(84600)),
            (Seconds, " -1\n", Some(-1)),
            (Seconds, "1d", None),
            (Suffixed, "90", Some(90)),
            (Suffixed, "90s", Some(90)),
            (Suffixed, "5m", Some(300)),
            (Suffixed, "1h", Some(3600)),
            (Suffixed, "1d", Some(86400)),
            (Suffixed, "-1s", Some(-1)),
            (Suffixed, "1.5h", None),
            (Suffixed, "1w", None),
            (Suffixed, "d", None),
            (Suffixed, "9223372036854775807d", None),
            (Suffixed, "ü", None),
            (TimeSpan, "00:30:00", Some(1800)),
            (TimeSpan, "14.00:00:01", Some(14 * 86400 + 1)),
            (TimeSpan, "1800", Some(1800)),
            (TimeSpan, "24:00:00", None),
            (TimeSpan, "30:00", None),
            (TimeSpan, "00:-1:00", None),
            (TimeSpan, "", None),
        ] {
            assert_eq!(spelling.read(text).ok(), seconds, "{spelling:?} {text:?}");
        }
    }

    #[test]
    fn hours_above_a_day_are_told_with_the_reason_and_the_right_spelling() {
        let told = |text| TimeSpelling::TimeSpan.read(text).unwrap_err().to_string();
        assert!(told("24:00:00").starts_with("\"1.00:00:00\", with the days before a point: .NET reads 24 "));
        assert!(told("50:30:01").starts_with("\"2.02:30:01\", "));
        for text in ["24:60:00", "24", "1.24:00:00", "x"] {
            let other = TimeSpelling::TimeSpan.read(text).err();
            assert!(!matches!(other, Some(TimeTextError::Hours { .. })), "{text}");
        }
    }
}
