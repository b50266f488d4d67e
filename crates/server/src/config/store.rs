use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::path::Path;

use regrant_data_directory::DATABASE;
use regrant_protocol::Secret;
use regrant_store_postgres::{Address, Settings};

use crate::config::environment::variable;
use crate::config::key::{Form, Key, Kind, words};
use crate::config::outside::{JOURNAL, JOURNAL_PASSWORD, JOURNAL_PASSWORD_FILE, MARK};
use crate::config::problem::Fault;
use crate::config::secret_or_file::SecretOrFile;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::tls::certificate_file;
use crate::config::value::{Preset, Value};

pub(super) const SECTION: Section = Section {
    name: "store",
    shape: Shape::Table,
    doc: "What keeps clients, users and grants.",
    keys: &[
        KIND,
        URL,
        PASSWORD_FILE,
        PASSWORD,
        ROOT_CERTIFICATE,
        CONNECTIONS,
        MARK,
        JOURNAL,
        JOURNAL_PASSWORD_FILE,
        JOURNAL_PASSWORD,
    ],
};

const KIND: Key = Key::new(
    "kind",
    Kind::Choice(&KINDS_WORDS),
    Preset::Text("sqlite"),
    "`sqlite` is a database file in the directory `server.data`, for one server. `postgres` is the database that `url` names, for any number of servers; a `url` alone says so too.",
)
.at_start();

const URL: Key = Key::new(
    "url",
    Kind::Text(Form::Plain),
    Preset::Absent,
    "Where the database is: `postgres://user@host/database`, without the password. Of several hosts (`host1:5432,host2`) the one is used that can be written. `?sslmode=` is `verify-full` unless it says `require` or `disable`.",
)
.at_start()
.also(&["database_url", "dsn", "address", "host"]);

const PASSWORD_FILE: Key = Key::new(
    "password_file",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A file with the password of that user and nothing else; a line end behind it does not count.",
)
.at_start();

const PASSWORD: Key = Key::new(
    "password",
    Kind::Secret,
    Preset::Absent,
    "The password itself. Better name a file in `password_file`, or set the environment variable.",
)
.at_start();

const ROOT_CERTIFICATE: Key = Key::new(
    "root_certificate",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A PEM file with the certificates that alone vouch for the database. Without it, those of the system do.",
)
.at_start()
.also(&["sslrootcert", "ca_file", "ca"]);

const CONNECTIONS: Key = Key::new(
    "connections",
    Kind::Number { min: 1, max: CONNECTIONS_MAX, unit: "connections" },
    Preset::Number(CONNECTIONS_PRESET),
    "How many connections to PostgreSQL this server keeps for refreshes and the like. For everything else it makes up to 6 more.",
)
.at_start()
.also(&["pool_size", "max_connections"]);

/// More would only wait for each other.
const CONNECTIONS_MAX: u32 = 64;
const CONNECTIONS_PRESET: u32 = 4;

/// What only a server on PostgreSQL is told.
const OF_POSTGRES: [&Key; 8] = [
    &KIND,
    &URL,
    &PASSWORD_FILE,
    &PASSWORD,
    &ROOT_CERTIFICATE,
    &CONNECTIONS,
    &JOURNAL_PASSWORD_FILE,
    &JOURNAL_PASSWORD,
];

/// What is longer is no password, but another file.
pub(super) const PASSWORD_BYTES_MAX: usize = 1000;

const KINDS: [(&str, StoreKind); 2] = [("sqlite", StoreKind::Sqlite), ("postgres", StoreKind::Postgres)];
const KINDS_WORDS: [&str; 2] = words(&KINDS);

/// What keeps clients, users and grants.
#[derive(Clone, Debug)]
pub enum StoreConfig {
    /// SQLite in the data directory.
    Sqlite,
    /// PostgreSQL, which other servers may use too.
    Postgres(Box<Settings>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StoreKind {
    Sqlite,
    Postgres,
}

impl StoreConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let password = password(table);
        let known = password.as_ref().ok().and_then(Option::as_ref);
        let address = table.optional(&URL, |url| Address::parse(url, known).map_err(Fault::value));
        let root_certificate = table.path(&ROOT_CERTIFICATE, |path: &Path| certificate_file(path));
        if !matches!(address, Ok(None)) {
            table.inherit(&KIND, Value::Text("postgres".to_owned()));
        }
        let kind = table.choice(&KIND, &KINDS);
        let connections = match kind {
            Ok(StoreKind::Sqlite) => table.said(&CONNECTIONS).map(|_| None),
            Ok(StoreKind::Postgres) | Err(Reported) => table.number(&CONNECTIONS).map(Some),
        };
        let (_, connections, root_certificate, address) = (password?, connections?, root_certificate?, address?);
        match (kind?, address) {
            (StoreKind::Sqlite, Some(_)) => {
                let told = "url is that of a PostgreSQL; leave out one of the two";
                Err(table.refuse(table.origin(KIND.name), KIND.name, Fault::Contradiction(told.to_owned())))
            }
            (StoreKind::Sqlite, None) => {
                let of_postgres = [&PASSWORD_FILE, &PASSWORD, &ROOT_CERTIFICATE, &CONNECTIONS];
                match of_postgres.into_iter().find(|key| table.value(key).is_some()) {
                    Some(key) => Err(refuse_missing_url(table, key)),
                    None => Ok(Self::Sqlite),
                }
            }
            (StoreKind::Postgres, None) => Err(refuse_missing_url(table, &KIND)),
            (StoreKind::Postgres, Some(mut address)) => {
                if let Some((path, ())) = root_certificate {
                    address = address.trusting(path).map_err(|error| {
                        let origin = table.origin(ROOT_CERTIFICATE.name);
                        table.refuse(origin, ROOT_CERTIFICATE.name, Fault::Contradiction(error.to_string()))
                    })?;
                }
                let mut settings = Settings::new(address);
                let connections = connections.and_then(|connections| u16::try_from(connections).ok());
                settings.step_connections = connections.and_then(NonZeroU16::new).unwrap_or(settings.step_connections);
                Ok(Self::Postgres(Box::new(settings)))
            }
        }
    }

    /// The variables that only a server on PostgreSQL is told.
    pub(crate) fn variables_of_postgres() -> BTreeSet<String> {
        OF_POSTGRES.iter().map(|key| variable_of(key)).collect()
    }

    /// The variables that name the PostgreSQL at `url`.
    pub(crate) fn variables_of(url: &str) -> [(String, Secret); 2] {
        [(&KIND, "postgres"), (&URL, url)].map(|(key, value)| (variable_of(key), Secret::new(value.to_owned())))
    }

    /// The variable that names the file with the password.
    pub(crate) fn variable_of_password_file() -> String {
        variable_of(&PASSWORD_FILE)
    }

    /// What it is and where, without any password; SQLite has its file in `data`.
    pub(crate) fn shown(&self, data: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite: {}", data.join(DATABASE).display()),
            Self::Postgres(settings) => {
                let address = settings.address.to_string();
                format!("postgres: {}", address.strip_prefix("postgres://").unwrap_or(&address))
            }
        }
    }
}

fn variable_of(key: &Key) -> String {
    variable(SECTION.name, None, key.name)
}

fn refuse_missing_url(table: &mut TableReader<'_>, needy: &Key) -> Reported {
    let told = format!("{} needs it, for example url = \"postgres://regrant@db.example/regrant\"", needy.name);
    table.refuse(table.origin(needy.name), URL.name, Fault::Missing(told))
}

fn password(table: &mut TableReader<'_>) -> Result<Option<Secret>, Reported> {
    let keys = SecretOrFile {
        secret: &PASSWORD,
        file: &PASSWORD_FILE,
        owner: "the store",
        power: "read and change everything in the database",
        shape: format!("password of 1 to {PASSWORD_BYTES_MAX} bytes"),
        bytes_max: PASSWORD_BYTES_MAX,
        is_usable: |text| !text.is_empty(),
        is_for_its_owner: true,
    };
    Ok(keys.read(table)?.map(|(_, secret)| secret))
}
