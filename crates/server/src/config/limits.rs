use std::time::Duration;

use crate::config::key::{Key, Kind};
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;
use crate::serve::{
    CONNECTIONS_MAX, DRAIN_SECONDS_MAX, IDLE_SECONDS_MAX, REQUEST_READ_SECONDS_MAX, RESPONSE_WRITE_SECONDS_MAX,
    TransportLimits,
};

pub(super) const SECTION: Section = Section {
    name: "limits",
    shape: Shape::Table,
    doc: "Bounds on connections and times. What is fixed, such as the size of a request, is on the page about endpoints.",
    keys: &[CONNECTIONS, REQUEST_READ, RESPONSE_WRITE, IDLE, DRAIN],
};

const CONNECTIONS: Key = Key::new(
    "connections",
    Kind::Number { min: 1, max: 1_000_000, unit: "connections" },
    Preset::Number(CONNECTIONS_MAX),
    "The most connections that are open at once. Each needs a file descriptor.",
)
.at_start()
.also(&["max_connections", "connections_max"]);

const REQUEST_READ: Key = seconds(
    "request_read",
    REQUEST_READ_SECONDS_MAX,
    REQUEST_READ_SECONDS_MAX,
    "The time that a request may take to arrive, from its first byte.",
);

const RESPONSE_WRITE: Key =
    seconds("response_write", RESPONSE_WRITE_SECONDS_MAX, 600, "The time that a client may leave an answer unread.");

const IDLE: Key = seconds("idle", IDLE_SECONDS_MAX, 3600, "The time that a connection may idle between requests.");

const DRAIN: Key = seconds(
    "drain",
    DRAIN_SECONDS_MAX,
    600,
    "The time that running requests have to finish once the server is told to stop.",
);

const fn seconds(name: &'static str, preset: u64, max: u64, doc: &'static str) -> Key {
    let kind = Kind::Number { min: 1, max: max as u32, unit: "seconds" };
    Key::new(name, kind, Preset::Number(preset as u32), doc).at_start()
}

pub(super) fn read(table: &mut TableReader<'_>) -> Result<TransportLimits, Reported> {
    let connections = table.number(&CONNECTIONS);
    let mut duration = |key| table.number(key).map(|seconds| Duration::from_secs(seconds.into()));
    let (request_read, response_write) = (duration(&REQUEST_READ), duration(&RESPONSE_WRITE));
    let (idle, drain) = (duration(&IDLE), duration(&DRAIN));
    Ok(TransportLimits {
        connections_max: connections?,
        request_read: request_read?,
        response_write: response_write?,
        idle: idle?,
        drain: drain?,
    })
}
