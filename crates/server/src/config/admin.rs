use std::net::SocketAddr;

use regrant_admin::{ADMIN_TOKEN_CHARACTERS_MAX, AdminToken, UnusableAdminToken};

use crate::config::key::{Form, Key, Kind};
use crate::config::secret_or_file::SecretOrFile;
use crate::config::section::{Section, Shape};
use crate::config::server::listen_address;
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "admin",
    shape: Shape::Table,
    doc: "A listener of its own, in plain HTTP, for those who run the server: `/livez`, whether the process answers, `/readyz`, whether its store can be read too, `/metrics`, what Prometheus keeps, and, with a token, the admin API below `/admin/v1`.",
    keys: &[LISTEN, TOKEN_FILE, TOKEN],
};

pub(super) const LISTEN: Key = Key::new(
    "listen",
    Kind::Text(Form::Address),
    Preset::Absent,
    "The address and port, which clients and users should not reach. Without it there is no such listener.",
)
.flag("admin-listen")
.at_start();

pub(super) const TOKEN_FILE: Key = Key::new(
    "token_file",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A file with the token that opens the admin API on `listen`, and nothing else; a line end behind it does not count. Without a token the API is reached by the socket in the data directory only.",
);

pub(super) const TOKEN: Key = Key::new(
    "token",
    Kind::Secret,
    Preset::Absent,
    "The token itself. Better name a file in `token_file`, or set the environment variable.",
);

/// The listener for those who run the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where it listens; `None` for no such listener.
    pub listen: Option<SocketAddr>,
    /// What opens the admin API there; `None` for no API.
    pub token: Option<AdminToken>,
}

impl AdminConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let listen = table.optional(&LISTEN, listen_address);
        let token = SecretOrFile {
            secret: &TOKEN,
            file: &TOKEN_FILE,
            owner: "the admin API",
            power: "do everything to clients, users and grants",
            shape: format!("admin token: {UnusableAdminToken}"),
            bytes_max: ADMIN_TOKEN_CHARACTERS_MAX,
            is_usable: |text| AdminToken::parse(text).is_ok(),
            is_for_its_owner: true,
        };
        let token = token.read(table);
        let listen = listen?;
        Ok(Self { listen, token: token?.and_then(|(_, token)| AdminToken::parse(token.expose()).ok()) })
    }
}
