use std::net::SocketAddr;

use crate::config::key::{Form, Key, Kind};
use crate::config::section::{Section, Shape};
use crate::config::server::listen_address;
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "admin",
    shape: Shape::Table,
    doc: "A listener of its own, in plain HTTP, for those who run the server: `/livez`, whether the process answers, and `/readyz`, whether its store does too.",
    keys: &[LISTEN],
};

pub(super) const LISTEN: Key = Key::new(
    "listen",
    Kind::Text(Form::Address),
    Preset::Absent,
    "The address and port, which clients and users should not reach. Without it there is no such listener.",
)
.flag("admin-listen")
.at_start();

/// The listener for those who run the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where it listens; `None` for no such listener.
    pub listen: Option<SocketAddr>,
}

impl AdminConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        Ok(Self { listen: table.optional(&LISTEN, listen_address)? })
    }
}
