use std::borrow::Cow;

use jiff::tz;
use regrant_protocol::Timestamp;

use super::choice::{AllowedValue, ChoiceValue};

/// A time zone, in which local times are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(tz::TimeZone);

impl TimeZone {
    /// UTC.
    pub const UTC: Self = Self(tz::TimeZone::UTC);

    /// The second as PHP's `date('Y-m-d H:i:s')` writes it there.
    pub(super) fn write(&self, moment: Timestamp) -> String {
        let moment = jiff::Timestamp::from_second(moment.seconds()).unwrap_or(jiff::Timestamp::MAX);
        moment.to_zoned(self.0.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

impl ChoiceValue for TimeZone {
    const ALLOWED: &'static [AllowedValue] =
        &[AllowedValue { value: "ZONE", does: "a time zone of the IANA list, such as UTC or Europe/Copenhagen" }];

    fn parse(text: &str) -> Option<Self> {
        tz::TimeZone::get(text).ok().map(Self)
    }

    fn name(&self) -> Cow<'static, str> {
        self.0.iana_name().unwrap_or("UTC").to_owned().into()
    }
}
