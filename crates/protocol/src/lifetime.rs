use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How long something lives, in seconds; 0 means that it never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub enum Lifetime {
    /// It does not end by time.
    Never,
    /// It ends this many seconds after it began.
    Seconds(NonZeroU32),
}

impl Lifetime {
    /// The lifetime of `seconds`; 0 is [`Lifetime::Never`].
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Self::Seconds(seconds),
            None => Self::Never,
        }
    }

    /// The seconds, 0 for [`Lifetime::Never`].
    #[must_use]
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Never => 0,
            Self::Seconds(seconds) => seconds.get(),
        }
    }

    /// When something that began at `start` ends; `None` for never.
    #[must_use]
    pub fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Seconds(seconds) => Some(start.plus_seconds(i64::from(seconds.get()))),
        }
    }
}

impl From<u32> for Lifetime {
    fn from(seconds: u32) -> Self {
        Self::from_seconds(seconds)
    }
}

impl From<Lifetime> for u32 {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_never_and_a_number_is_seconds() {
        let start = Timestamp::from_seconds(10);
        assert_eq!(Lifetime::from_seconds(0).end(start), None);
        assert_eq!(Lifetime::from_seconds(5).end(start), Some(Timestamp::from_seconds(15)));
        assert_eq!(Lifetime::from_seconds(u32::MAX).seconds(), u32::MAX);
    }
}
