use std::collections::BTreeMap;

use regrant_protocol::Timestamp;

use crate::Zones;

/// SHA-256. The one place of cryptography is elsewhere; whoever reads gives it.
pub type Digest = fn(&[u8]) -> [u8; 32];

/// What must be known to read a foreign database, and is not in it.
#[derive(Clone, Debug)]
pub struct Options {
    /// In which zones its dates are.
    pub zones: Zones,
    /// The time: what ended before is left out.
    pub now: Timestamp,
    /// SHA-256.
    pub digest: Digest,
    /// What stands before the name of every table, such as Joomla's `jos_`; `None` finds out, or asks where several do.
    pub table_prefix: Option<String>,
    /// The names of tables that were given others (bshaffer's options `client_table` and so on), by their own names.
    pub renamed_tables: BTreeMap<String, String>,
    /// DotAuth: the tenant whose rows are read; `None` reads all.
    pub tenant: Option<String>,
    /// How long the access tokens of the foreign server live, in seconds. By it the survey tells when the newest was
    /// issued, and whether the time zone is right; bshaffer's and redCORE's `access_lifetime`.
    pub access_lifetime_seconds: u32,
}

impl Options {
    /// Everything in UTC and under the system's own names.
    #[must_use]
    pub fn new(now: Timestamp, digest: Digest) -> Self {
        Self {
            zones: Zones::utc(),
            now,
            digest,
            table_prefix: None,
            renamed_tables: BTreeMap::new(),
            tenant: None,
            access_lifetime_seconds: ACCESS_LIFETIME_SECONDS_DEFAULT,
        }
    }
}

/// What all of the systems but DotAuth come with.
const ACCESS_LIFETIME_SECONDS_DEFAULT: u32 = 3600;
