use std::borrow::Cow;
use std::fmt;

use regrant_protocol::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment as RFC 3339 text, which is written in UTC and to the second: `2026-03-01T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Timestamp);

/// The text is not a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time such as 2026-03-01T12:00:00Z (RFC 3339)")]
pub struct TimeError(String);

impl Time {
    /// Later than everything.
    pub(crate) const NEVER_REACHED: Self = Self(Timestamp::from_milliseconds(i64::MAX));

    /// Reads RFC 3339 text with any offset from UTC.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| TimeError(text.to_owned()))?;
        Ok(Self(Timestamp::from_milliseconds(moment.as_millisecond())))
    }
}

impl From<Timestamp> for Time {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'_, str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_and_read_with_any_offset() {
        let noon = Time(Timestamp::from_seconds(1_772_366_400));
        assert_eq!(noon.to_string(), "2026-03-01T12:00:00Z");
        for text in ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00.000Z"] {
            assert_eq!(Time::parse(text), Ok(noon), "{text}");
        }
        for text in ["", "yesterday", "2026-03-01", "2026-03-01T12:00:00", "1772366400"] {
            assert_eq!(Time::parse(text), Err(TimeError(text.to_owned())));
        }
    }
}
