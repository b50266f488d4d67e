use std::net::SocketAddr;

use regrant_protocol::Secret;

use crate::config::key::{Form, Key, Kind};
use crate::config::secret_or_file::SecretOrFile;
use crate::config::section::{Section, Shape};
use crate::config::server::listen_address;
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "admin",
    shape: Shape::Table,
    doc: "A listener of its own, in plain HTTP, for those who run the server: `/livez`, whether the process answers, `/readyz`, whether its store does too, and, with a token, the admin API below `/admin/v1`.",
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
)
.at_start();

pub(super) const TOKEN: Key = Key::new(
    "token",
    Kind::Secret,
    Preset::Absent,
    "The token itself. Better name a file in `token_file`, or set the environment variable.",
)
.at_start();

/// The shortest admin token: 32 characters of base64url are 192 bits.
pub const ADMIN_TOKEN_BYTES_MIN: usize = 32;

/// The longest admin token.
pub const ADMIN_TOKEN_BYTES_MAX: usize = 1024;

/// The listener for those who run the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where it listens; `None` for no such listener.
    pub listen: Option<SocketAddr>,
    /// What opens the admin API there; `None` for no API.
    pub token: Option<Secret>,
}

impl AdminConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let listen = table.optional(&LISTEN, listen_address);
        let token = SecretOrFile {
            secret: &TOKEN,
            file: &TOKEN_FILE,
            owner: "the admin API",
            power: "do everything to clients, users and grants",
            shape: format!(
                "token of {ADMIN_TOKEN_BYTES_MIN} to {ADMIN_TOKEN_BYTES_MAX} letters, digits and -._~+/=; make one with: \
                 openssl rand -base64 32"
            ),
            bytes_max: ADMIN_TOKEN_BYTES_MAX,
            is_usable: is_token,
        };
        let token = token.read(table);
        Ok(Self { listen: listen?, token: token?.map(|(_, token)| token) })
    }
}

/// What a header can carry after `Bearer` (RFC 6750 §2.1), and nobody guesses.
fn is_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    text.len() >= ADMIN_TOKEN_BYTES_MIN && text.bytes().all(is_allowed)
}
