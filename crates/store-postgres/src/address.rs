use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use regrant_protocol::Secret;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::tls::TlsMode;

/// How long making a connection to one host may take.
pub(crate) const CONNECT_MILLISECONDS_MAX: u64 = 3_000;

/// How long a connection may be silent before it is asked whether the other side is still there.
const KEEPALIVE_SECONDS: u64 = 5;

/// How long what was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED_MILLISECONDS_MAX: u64 = 10_000;

/// Where the database is, who we are there, and how the way is secured. It never prints the password.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: TlsMode,
}

impl Address {
    /// Reads `postgres://user@host:port,host:port/database?sslmode=…&sslrootcert=…`: one or several hosts, of which the one that
    /// can be written is used. A host that begins with `/` (percent-encoded, or as parameter `host`) is a directory with a
    /// Unix socket.
    ///
    /// `sslmode` is `verify-full` (the default: the certificate is checked against `sslrootcert`, a PEM file, or the
    /// system's authorities, and has to name the host), `require` (encrypted, to whoever answers) or `disable`. It says nothing
    /// about Unix sockets.
    ///
    /// # Errors
    /// When something is missing or wrong, or a password is in the URL.
    pub fn parse(url: &str, password: Option<&Secret>) -> Result<Self, AddressError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let rest = base.strip_prefix("postgres://").or_else(|| base.strip_prefix("postgresql://"));
        let authority = rest.ok_or(AddressError::Scheme)?.split('/').next().unwrap_or_default();
        if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(AddressError::PasswordInUrl);
        }
        let (mut mode, mut authorities, mut others) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("password", _) => return Err(AddressError::PasswordInUrl),
                ("sslmode", value) => mode = Some(value),
                ("sslrootcert", value) => authorities = Some(PathBuf::from(decoded(value)?)),
                _ => others.push(parameter),
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
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .ssl_mode(if tls == TlsMode::Disable { SslMode::Disable } else { SslMode::Require })
            .connect_timeout(Duration::from_millis(CONNECT_MILLISECONDS_MAX))
            .keepalives_idle(Duration::from_secs(KEEPALIVE_SECONDS))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_millis(UNACKNOWLEDGED_MILLISECONDS_MAX));
        if config.get_application_name().is_none() {
            config.application_name("regrant");
        }
        Ok(Self { config, tls })
    }

    /// What the driver needs to know, the password among it.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// How the way is secured.
    pub(crate) fn tls(&self) -> &TlsMode {
        &self.tls
    }

    /// How many hosts are tried one after another.
    pub(crate) fn hosts(&self) -> u32 {
        u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@", self.config.get_user().unwrap_or_default())?;
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let ports = self.config.get_ports();
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let comma = if index > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(directory) => write!(f, "{comma}{}:{port}", directory.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
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
    /// It cannot be read.
    #[error("the URL of the database cannot be read: {0}")]
    Url(String),
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
            assert_eq!(address.config().get_target_session_attrs(), TargetSessionAttrs::ReadWrite, "{url}");
            assert_eq!(address.config().get_password(), Some(&b"hunter2"[..]), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_url_is_said_without_the_password() {
        for (url, problem) in [
            ("mysql://r@db/oauth", "postgres://"),
            ("postgres://r:hunter2@db/oauth", "a file or the environment"),
            ("postgres://r@db/oauth?password=hunter2", "a file or the environment"),
            ("postgres://r@/oauth", "names no host"),
            ("postgres://r@db/oauth?sslmode=prefer", "verify-full"),
            ("postgres://r@db:x/oauth", "port"),
            ("postgres://r@db/oauth?colour=red", "colour"),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        let address = parse("postgres://r@db/oauth").unwrap();
        assert!(!format!("{address:?} {address}").contains("hunter2"));
    }
}
