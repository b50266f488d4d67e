use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use regrant_http::Dialect;
use regrant_import::settings::System;
use regrant_protocol::Issuer;

use crate::config::key::{Form, Key, Kind};
use crate::config::network::Network;
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "server",
    shape: Shape::Table,
    doc: "Who the server is, where it listens, and where its data are.",
    keys: &[ISSUER, LISTEN, DATA, TRUSTED_PROXIES, PLAIN_HTTP, STAND_IN],
};

pub(super) const ISSUER: Key = Key::new(
    "issuer",
    Kind::Text(Form::Url),
    Preset::Required("\"https://id.example.com\""),
    "The URL by which clients know the server, compared byte for byte: scheme, host, port and path, without a slash at its end.",
)
.flag("issuer")
.at_start()
.also(&["url", "base_url", "public_url"]);

pub(super) const LISTEN: Key = Key::new(
    "listen",
    Kind::Texts(Form::Address),
    Preset::Texts(&["0.0.0.0:443"]),
    "The addresses and ports to listen on, with TLS unless `plain_http` is true.",
)
.flag("listen")
.at_start()
.also(&["address", "bind", "host", "port"]);

const DATA: Key = Key::new(
    "data",
    Kind::Text(Form::Path),
    Preset::Text("regrant-data"),
    "The directory of database and keys. It is made, for its owner only, where there is none.",
)
.flag("data")
.at_start()
.also(&["data_directory", "data_dir"]);

const TRUSTED_PROXIES: Key = Key::new(
    "trusted_proxies",
    Kind::Texts(Form::Network),
    Preset::Texts(&[]),
    "The addresses and networks of proxies whose `X-Forwarded-For` is believed.",
)
.at_start();

pub(super) const PLAIN_HTTP: Key = Key::new(
    "plain_http",
    Kind::Switch,
    Preset::Switch(false),
    "Whether to listen without TLS, behind a proxy that speaks it. The issuer is still `https`, and so are the cookies.",
)
.flag("plain-http")
.at_start();

pub(super) const STAND_IN: Key = Key::new(
    "stand_in",
    Kind::Choice(&Dialect::NAMES),
    Preset::Text("standard"),
    "The system whose place the server takes: it speaks to clients as that system does (`[dialect]`), and treats them as that does \
     (`[defaults]`). `standard` is regrant itself.",
);

/// Who the server is, where it listens, and where its data are.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The URL by which clients know the server.
    pub issuer: Issuer,
    /// Where to listen; never empty.
    pub listen: Vec<SocketAddr>,
    /// The data directory, which may not be there yet.
    pub data: PathBuf,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether to listen without TLS.
    pub plain_http: bool,
    /// The system whose place the server takes, if it is not itself.
    pub stand_in: Option<System>,
}

impl ServerConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let issuer = table.required(&ISSUER, |text| Issuer::parse(text).map_err(Fault::value));
        let listen = table.list(&LISTEN, listen_address);
        let data = table.path(&DATA, directory_or_nothing);
        let trusted_proxies = table.list(&TRUSTED_PROXIES, |text| Network::parse(text).map_err(Fault::value));
        let plain_http = table.switch(&PLAIN_HTTP);
        let stand_in = table.required(&STAND_IN, |name| Ok(System::named(name)));

        let listen = listen?.unwrap_or_default();
        if listen.is_empty() {
            let fault = Fault::Value("the list is empty; name an address to listen on".to_owned());
            return Err(table.refuse(table.origin(LISTEN.name), LISTEN.name, fault));
        }
        Ok(Self {
            issuer: issuer?,
            listen,
            data: data?.map(|(path, ())| path).unwrap_or_default(),
            trusted_proxies: trusted_proxies?.unwrap_or_default(),
            plain_http: plain_http?,
            stand_in: stand_in?,
        })
    }
}

/// An address and a port, as in `0.0.0.0:443` or `[::]:443`.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        Fault::Value(format!(
            "{text:?} is not an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:443 or [::]:443"
        ))
    })
}

fn directory_or_nothing(path: &Path) -> Result<(), Fault> {
    if path.exists() && !path.is_dir() {
        return Err(Fault::Value(format!("{:?} is not a directory", path.display().to_string())));
    }
    Ok(())
}
