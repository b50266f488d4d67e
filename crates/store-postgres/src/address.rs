use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use regrant_protocol::Secret;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::tls::TlsMode;

/// Where PostgreSQL listens unless it is told otherwise.
const PORT: u16 = 5432;

/// How long making a connection to one host may take, unless the URL says otherwise.
const CONNECT_SECONDS: u64 = 3;

/// The longest that it may say. Whoever waits for a token waits that long for each host that is silent.
const CONNECT_SECONDS_MAX: u64 = 10;

/// The parameters of a URL that hold as they stand there, as the driver reads them. What is none of them, and is not read
/// here, is refused: it would hold nowhere.
const PARAMETERS: [&str; 10] = [
    "application_name",
    "channel_binding",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "options",
    "port",
    "sslnegotiation",
    "user",
];

/// How long a connection may be silent before it is asked whether the other side is still there.
const KEEPALIVE_SECONDS: u64 = 5;

/// How long what was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED_MILLISECONDS_MAX: u64 = 10_000;

/// Where the database is, who we are there, and how the way is secured. It never prints the password.
#[derive(Clone)]
pub struct Address {
    /// How each host is reached. They are tried one by one: one that is silent must not keep us from the next.
    hosts: Vec<Config>,
    tls: TlsMode,
}

impl Address {
    /// Reads `postgres://user@host:port,host:port/database?sslmode=…&sslrootcert=…`: one or several hosts, of which the one that
    /// can be written is used. A host that begins with `/` (percent-encoded, or as parameter `host`) is a directory with a
    /// Unix socket.
    ///
    /// `sslmode` is `verify-full` (the default: the certificate is checked against `sslrootcert`, a PEM file, or the
    /// system's authorities, and has to name the host), `require` (encrypted, to whoever answers) or `disable`. It says nothing
    /// about Unix sockets. `connect_timeout` is how many seconds each host may take. Of other parameters only those are taken that
    /// hold.
    ///
    /// # Errors
    /// When something is missing or wrong, or a password is in the URL.
    pub fn parse(url: &str, password: Option<&Secret>) -> Result<Self, AddressError> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        // In all of it: a password that is not encoded may have a `/` or a `?`.
        if rest.ok_or(AddressError::Scheme)?.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(AddressError::PasswordInUrl);
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut authorities, mut others) = (None, None, Vec::new());
        let mut connect_seconds = CONNECT_SECONDS;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("password", _) => return Err(AddressError::PasswordInUrl),
                ("sslmode", value) => mode = Some(value),
                ("sslrootcert", value) => authorities = Some(PathBuf::from(decoded(value)?)),
                ("connect_timeout", value) => connect_seconds = read_connect_timeout(value)?,
                // It is so anyway.
                ("target_session_attrs", "read-write") => {}
                (name, _) if PARAMETERS.contains(&name) => others.push(parameter),
                (name, _) => return Err(AddressError::Parameter(name.to_owned())),
            }
        }
        let mut config: Config = match others.is_empty() {
            true => base.parse(),
            false => format!("{base}?{}", others.join("&")).parse(),
        }
        .map_err(|error: tokio_postgres::Error| AddressError::Url(cause(&error)))?;
        let is_local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        if config.get_hosts().is_empty() {
            return Err(AddressError::NoHost);
        }
        let tls = match mode.unwrap_or("verify-full") {
            _ if is_local => TlsMode::Disable,
            "disable" => TlsMode::Disable,
            "require" => TlsMode::Require,
            "verify-full" => TlsMode::VerifyFull { authorities },
            _ => return Err(AddressError::SslMode),
        };
        if let Some(password) = password {
            config.password(password.expose());
        }
        config.connect_timeout(Duration::from_secs(connect_seconds));
        let hosts = (0..config.get_hosts().len()).map(|index| of_host(&config, index, &tls)).collect();
        Ok(Self { hosts, tls })
    }

    /// The same, where the authorities of this PEM file alone vouch for the server.
    ///
    /// # Errors
    /// When the URL names others, or asks nobody to vouch.
    pub fn trusting(mut self, root_certificate: PathBuf) -> Result<Self, AddressError> {
        match &mut self.tls {
            TlsMode::VerifyFull { authorities: Some(_) } => Err(AddressError::TwoAuthorities),
            TlsMode::VerifyFull { authorities } => {
                *authorities = Some(root_certificate);
                Ok(self)
            }
            TlsMode::Disable | TlsMode::Require => Err(AddressError::NothingVerified),
        }
    }

    /// What the driver needs to know to reach each host, in the order of the URL, the password among it.
    pub(crate) fn hosts(&self) -> &[Config] {
        &self.hosts
    }

    /// How the way is secured.
    pub(crate) fn tls(&self) -> &TlsMode {
        &self.tls
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = self.hosts.first();
        write!(f, "postgres://{}@", one.and_then(Config::get_user).unwrap_or_default())?;
        for (index, config) in self.hosts.iter().enumerate() {
            let port = config.get_ports().first().copied().unwrap_or(PORT);
            let comma = if index > 0 { "," } else { "" };
            match config.get_hosts().first() {
                Some(Host::Tcp(name)) => write!(f, "{comma}{name}:{port}")?,
                Some(Host::Unix(directory)) => write!(f, "{comma}{}:{port}", directory.display())?,
                None => {}
            }
        }
        write!(f, "/{}", one.and_then(Config::get_dbname).unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self}, {:?})", self.tls)
    }
}

/// Why a text is no address of a database. It never tells the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is the URL of something else.
    #[error("the URL of the database does not begin with postgres://; write postgres://user@host/database")]
    Scheme,
    /// A password is in the URL, where it would be shown with it.
    #[error(
        "a password is in the URL of the database; put it into a file or the environment, and take it out of the URL"
    )]
    PasswordInUrl,
    /// Nobody says where it is.
    #[error("the URL of the database names no host; write postgres://user@host/database")]
    NoHost,
    /// It asks for a security that there is not.
    #[error("sslmode of the database is none of verify-full, require and disable")]
    SslMode,
    /// Two say who vouches for the server.
    #[error("sslrootcert of the URL of the database says who vouches for it too; keep one of the two")]
    TwoAuthorities,
    /// Somebody vouches for a server whose certificate is not checked.
    #[error(
        "the certificate of the database is not checked: sslmode is another than verify-full, or it is asked by a Unix socket; \
         take out the authorities, or that"
    )]
    NothingVerified,
    /// It says something that would hold nowhere.
    #[error(
        "parameter {0:?} of the URL of the database is none that is taken; take it out. Taken are sslmode, sslrootcert, connect_timeout, {taken}",
        taken = PARAMETERS.join(", ")
    )]
    Parameter(String),
    /// It lets a host take too long, or no time at all.
    #[error("connect_timeout of the database is not a number of seconds from 1 to {CONNECT_SECONDS_MAX}")]
    ConnectTimeout,
    /// It cannot be read.
    #[error("the URL of the database cannot be read: {0}")]
    Url(String),
}

/// How one of the hosts of `all` is reached, and what we ask of it.
fn of_host(all: &Config, index: usize, tls: &TlsMode) -> Config {
    let mut one = Config::new();
    match &all.get_hosts()[index] {
        Host::Tcp(name) => one.host(name),
        Host::Unix(directory) => one.host_path(directory),
    };
    let ports = all.get_ports();
    one.port(ports.get(index).or(ports.first()).copied().unwrap_or(PORT));
    if let Some(address) = all.get_hostaddrs().get(index) {
        one.hostaddr(*address);
    }
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(password) = all.get_password() {
        one.password(password);
    }
    if let Some(database) = all.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    one.application_name(all.get_application_name().unwrap_or("regrant"))
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .ssl_mode(if *tls == TlsMode::Disable { SslMode::Disable } else { SslMode::Require })
        .ssl_negotiation(all.get_ssl_negotiation())
        .channel_binding(all.get_channel_binding())
        .connect_timeout(connect_timeout(all))
        .keepalives(all.get_keepalives())
        .keepalives_idle(Duration::from_secs(KEEPALIVE_SECONDS))
        .keepalives_interval(Duration::from_secs(1))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_millis(UNACKNOWLEDGED_MILLISECONDS_MAX));
    one
}

/// How long making a connection to a host may take.
pub(crate) fn connect_timeout(host: &Config) -> Duration {
    host.get_connect_timeout().copied().unwrap_or(Duration::from_secs(CONNECT_SECONDS))
}

fn read_connect_timeout(value: &str) -> Result<u64, AddressError> {
    let seconds = value.parse().ok().filter(|seconds| (1..=CONNECT_SECONDS_MAX).contains(seconds));
    seconds.ok_or(AddressError::ConnectTimeout)
}

fn decoded(value: &str) -> Result<String, AddressError> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map(Into::into).map_err(|_| AddressError::Url("a percent-encoded part is no UTF-8".to_owned()))
}

/// What the driver found wrong, which its own message hides behind the kind of the error.
fn cause(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse(url, Some(&Secret::new("hunter2".to_owned())))
    }

    #[test]
    fn an_address_names_hosts_a_database_and_how_the_way_is_secured() {
        let verified = |file: Option<&str>| TlsMode::VerifyFull { authorities: file.map(PathBuf::from) };
        for (url, shown, tls) in [
            ("postgres://regrant@db/oauth", "postgres://regrant@db:5432/oauth", verified(None)),
            ("postgresql://o%40x@db:5433/oauth?sslmode=disable", "postgres://o@x@db:5433/oauth", TlsMode::Disable),
            ("postgres://r@a:1,b:2/oauth?sslmode=require", "postgres://r@a:1,b:2/oauth", TlsMode::Require),
            (
                "postgres://r@a,b/oauth?sslrootcert=%2Fetc%2Fca.pem&sslmode=verify-full&connect_timeout=1",
                "postgres://r@a:5432,b:5432/oauth",
                verified(Some("/etc/ca.pem")),
            ),
            ("postgres://r@%2Frun%2Fpg/oauth?sslmode=require", "postgres://r@/run/pg:5432/oauth", TlsMode::Disable),
            ("postgres://r@/oauth?host=/run/pg&port=7", "postgres://r@/run/pg:7/oauth", TlsMode::Disable),
        ] {
            let address = parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!((address.to_string().as_str(), address.tls()), (shown, &tls), "{url}");
            for host in address.hosts() {
                assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::ReadWrite, "{url}");
                assert_eq!(host.get_password(), Some(&b"hunter2"[..]), "{url}");
            }
        }
    }

    #[test]
    fn what_is_wrong_in_a_url_is_said_without_the_password() {
        for (url, problem) in [
            ("mysql://r@db/oauth", "postgres://"),
            ("postgres://r:hunter2@db/oauth", "a file or the environment"),
            ("postgres://r:hun/hunter2@db/oauth", "a file or the environment"),
            ("postgres://r:hun?hunter2@db/oauth", "a file or the environment"),
            ("postgres://r@db/oauth?password=hunter2", "a file or the environment"),
            ("postgres://r@/oauth", "names no host"),
            ("postgres://r@db/oauth?sslmode=prefer", "verify-full"),
            ("postgres://r@db:x/oauth", "port"),
            ("postgres://r@db/oauth?colour=red", "colour"),
            ("postgres://r@db/oauth?sslmode=disable&tcp_user_timeout=1", "\"tcp_user_timeout\" of the URL"),
            ("postgres://r@db/oauth?keepalives_idle=30", "Taken are sslmode"),
            ("postgres://r@db/oauth?target_session_attrs=any", "target_session_attrs"),
            ("postgres://r@db/oauth?connect_timeout=0", "from 1 to 10"),
            ("postgres://r@db/oauth?connect_timeout=11", "from 1 to 10"),
            ("postgres://r@db/oauth?connect_timeout=soon", "from 1 to 10"),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn what_a_url_says_of_the_way_holds() {
        let seconds = |url| parse(url).unwrap().hosts().iter().map(connect_timeout).collect::<Vec<_>>();
        assert_eq!(seconds("postgres://r@a,b/oauth"), [Duration::from_secs(3); 2]);
        assert_eq!(seconds("postgres://r@a,b/oauth?connect_timeout=7"), [Duration::from_secs(7); 2]);
        let said = parse(
            "postgres://r@a/oauth?application_name=node-1&options=-c%20x%3D1&keepalives=0&target_session_attrs=read-write",
        );
        let host = said.unwrap().hosts()[0].clone();
        assert_eq!((host.get_application_name(), host.get_options()), (Some("node-1"), Some("-c x=1")));
        assert!(!host.get_keepalives());
    }

    #[test]
    fn one_file_says_who_vouches_for_a_server_that_is_checked() {
        let trusting = |url| parse(url).unwrap().trusting("/etc/ca.pem".into());
        let trusted = trusting("postgres://r@db/oauth").unwrap();
        assert_eq!(trusted.tls(), &TlsMode::VerifyFull { authorities: Some("/etc/ca.pem".into()) });
        for (url, refused) in [
            ("postgres://r@db/oauth?sslrootcert=/etc/other.pem", AddressError::TwoAuthorities),
            ("postgres://r@db/oauth?sslmode=require", AddressError::NothingVerified),
            ("postgres://r@db/oauth?sslmode=disable", AddressError::NothingVerified),
            ("postgres://r@/oauth?host=/run/pg", AddressError::NothingVerified),
        ] {
            assert_eq!(trusting(url).err(), Some(refused), "{url}");
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        let address = parse("postgres://r@db/oauth").unwrap();
        assert!(!format!("{address:?} {address}").contains("hunter2"));
    }
}
