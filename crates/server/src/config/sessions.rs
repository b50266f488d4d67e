use regrant_engine::SESSION_SECONDS;

use crate::config::key::{Key, Kind};
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "sessions",
    shape: Shape::Table,
    doc: "How long users stay logged in with a browser. Grants outlive that; see `outlives_session`.",
    keys: &[LIFETIME],
};

const LIFETIME: Key = Key::new(
    "lifetime",
    Kind::Number { min: 60, max: SESSION_SECONDS_MAX, unit: "seconds" },
    Preset::Number(SESSION_SECONDS),
    "The time from a login to the next one that is asked for.",
)
.at_start();

/// The longest login session: browsers keep no cookie for longer than 400 days.
pub const SESSION_SECONDS_MAX: u32 = 400 * 24 * 60 * 60;

/// How long users stay logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// From a login to its end, in seconds.
    pub lifetime_seconds: u32,
}

impl SessionConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        Ok(Self { lifetime_seconds: table.number(&LIFETIME)? })
    }
}
