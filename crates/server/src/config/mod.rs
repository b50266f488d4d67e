//! The configuration: one TOML file, the environment and flags, read into a checked [`Config`].
//!
//! A value comes from a flag, else from an environment variable, else from the file, else from the key's default; every value
//! knows its [`Origin`]. Each section has a file of its own here, which holds the table of its keys ([`Key`]), the type
//! that the server uses, and how one becomes the other. The reader, the JSON Schema and the reference page are made from
//! those tables. Everything that is wrong is told at once ([`ConfigErrors`]), by file, line and key, and never with a secret.

use regrant_data_directory::OutsideFiles;
use regrant_http::Dialects;
use regrant_store::ClientDefaults;

use crate::serve::TransportLimits;

mod admin;
mod branding;
mod client;
mod client_defaults;
mod client_secret;
mod contradictions;
mod conversion;
mod dialect;
mod document;
mod environment;
mod file;
mod key;
mod layers;
mod limits;
mod load;
mod log;
mod nearest;
mod network;
mod old_server;
mod one_line;
mod origin;
mod outside;
mod print;
mod problem;
mod reference;
mod schema;
mod scopes;
mod secret_or_file;
mod section;
mod server;
mod sessions;
mod sources;
mod stand_in;
mod store;
mod syntax;
mod table_reader;
mod tls;
mod toml_text;
mod unknown;
mod value;

pub use admin::AdminConfig;
pub use branding::{BRAND_NAME_CHARACTERS_MAX, BrandingConfig, Colour, Logo};
pub use client::{CLIENT_NAME_CHARACTERS_MAX, ConfiguredClient};
pub(crate) use client_secret::GOOD_SECRET_CHARACTERS_MIN;
pub use file::{CONFIG_BYTES_MAX, CONFIG_FILE};
pub(crate) use file::{read_bounded, read_text};
pub use key::{Form, Key, Kind, Reload};
pub use log::{LogConfig, LogFormat, LogLevel};
pub(crate) use nearest::nearest;
pub use network::{Network, NetworkError};
pub use old_server::ConfiguredOldServer;
pub(crate) use old_server::is_this_machine;
pub use origin::Origin;
pub use print::print;
pub use problem::{ConfigErrors, Fault, Problem};
pub use reference::reference;
pub use schema::schema;
pub use scopes::{SCOPE_TEXT_CHARACTERS_MAX, ScopeTexts};
pub use section::{SECTIONS, Section, Shape};
pub use server::ServerConfig;
pub use sessions::{SESSION_SECONDS_MAX, SessionConfig};
pub use sources::{ConfigOptions, Sources};
pub(crate) use stand_in::defaults_of;
pub use store::StoreConfig;
pub use tls::{Pem, TlsConfig};
pub(crate) use toml_text::quoted as toml_quoted;
pub use value::{Preset, Setting, Value};

/// Everything that the server is told, checked.
#[derive(Debug)]
pub struct Config {
    /// `[server]`.
    pub server: ServerConfig,
    /// `[tls]`; there unless `server.plain_http` is true.
    pub tls: Option<TlsConfig>,
    /// `[admin]`.
    pub admin: AdminConfig,
    /// `[store]`.
    pub store: StoreConfig,
    /// Where `[store]` has what is outside the database.
    pub outside: OutsideFiles,
    /// `[defaults]`, for clients that are registered in other ways than by the file.
    pub defaults: ClientDefaults,
    /// `[sessions]`.
    pub sessions: SessionConfig,
    /// `[branding]`.
    pub branding: BrandingConfig,
    /// How clients are spoken to: `[dialect]`, over what `server.stand_in` does.
    pub dialects: Dialects,
    /// `[scopes]`.
    pub scopes: ScopeTexts,
    /// `[limits]`.
    pub limits: TransportLimits,
    /// `[log]`.
    pub log: LogConfig,
    /// What is allowed and not wise.
    pub warnings: Vec<Problem>,
    /// What is good to know before clients come from another system.
    pub notes: Vec<Problem>,
    clients: Vec<ConfiguredClient>,
    old_servers: Vec<ConfiguredOldServer>,
    tables: Vec<Table>,
}

/// What holds in one table of the configuration.
#[derive(Clone, Debug)]
pub struct Table {
    /// The section it belongs to.
    pub section: &'static Section,
    /// What holds, in the order of the section's keys; keys that are absent are left out.
    pub settings: Vec<Setting>,
}

impl Config {
    /// Every `[[client]]`, in the order of the file. No identifier comes twice.
    #[must_use]
    pub fn clients(&self) -> &[ConfiguredClient] {
        &self.clients
    }

    /// Every `[[old_server]]`, in the order of the file. No client comes twice.
    #[must_use]
    pub fn old_servers(&self) -> &[ConfiguredOldServer] {
        &self.old_servers
    }

    /// What holds, table by table: every section once, but for one table for each client and each old server.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Where the value of `section.key` comes from; `None` for a key that is absent, or that only clients have.
    #[must_use]
    pub fn origin(&self, section: &str, key: &str) -> Option<&Origin> {
        self.setting(section, key).map(|setting| &setting.origin)
    }

    /// The keys, as `section.key`, that say something else in `newer` and that only a new start obeys.
    #[must_use]
    pub fn needs_restart(&self, newer: &Self) -> Vec<String> {
        let sections = SECTIONS.iter().filter(|section| section.shape == Shape::Table);
        let keys = sections.flat_map(|section| section.keys.iter().map(|key| (section.name, key)));
        let value =
            |config: &Self, section, key: &Key| config.setting(section, key.name).map(|setting| setting.value.clone());
        keys.filter(|(_, key)| key.reload == Reload::AtStart)
            .filter(|(section, key)| value(self, section, key) != value(newer, section, key))
            .map(|(section, key)| format!("{section}.{}", key.name))
            .collect()
    }

    fn setting(&self, section: &str, key: &str) -> Option<&Setting> {
        let mut tables = self.tables.iter().filter(|table| table.section.shape == Shape::Table);
        let table = tables.find(|table| table.section.name == section)?;
        table.settings.iter().find(|setting| setting.name == key)
    }
}
