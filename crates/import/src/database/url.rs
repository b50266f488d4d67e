use std::fmt;

use regrant_protocol::Secret;

use crate::OpenError;

/// The address of a database server. Its password is given apart, and never printed.
#[derive(Clone)]
pub(crate) struct DatabaseUrl {
    pub(crate) scheme: Scheme,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
}

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Mysql,
    Postgres,
}

impl DatabaseUrl {
    /// Reads `mysql://user@host:port/database`, with `mariadb:`, `postgres:` or `postgresql:` as well; `None` when `text`
    /// is no URL of a database.
    ///
    /// # Errors
    /// When it is one, but something is missing, or a password is in it.
    pub(crate) fn parse(text: &str, password: Option<Secret>) -> Result<Option<Self>, OpenError> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(None) };
        let (scheme, default_port) = match scheme {
            "mysql" | "mariadb" => (Scheme::Mysql, 3306),
            "postgres" | "postgresql" => (Scheme::Postgres, 5432),
            _ => return Err(OpenError::Scheme(scheme.to_owned())),
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        if database.contains('?') {
            return Err(OpenError::Url("it has parameters after a ?, and takes none"));
        }
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') {
            return Err(OpenError::PasswordInUrl);
        }
        let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            None => default_port,
            Some(port) => port.parse().map_err(|_| OpenError::Url("its port is no number from 1 to 65535"))?,
        };
        for (part, missing) in [
            (user, "it names no user; write mysql://user@host/database"),
            (host, "it names no host; write mysql://user@host/database"),
            (database, "it names no database; write mysql://user@host/database"),
        ] {
            if part.is_empty() {
                return Err(OpenError::Url(missing));
            }
        }
        Ok(Some(Self {
            scheme,
            user: decoded(user)?,
            password,
            host: host.to_owned(),
            port,
            database: decoded(database)?,
        }))
    }
}

fn decoded(part: &str) -> Result<String, OpenError> {
    let decoded = percent_encoding::percent_decode_str(part).decode_utf8();
    decoded.map(Into::into).map_err(|_| OpenError::Url("a percent-encoded part of it is no UTF-8"))
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, user, host, port, database, .. } = self;
        let scheme = match scheme {
            Scheme::Mysql => "mysql",
            Scheme::Postgres => "postgres",
        };
        write!(f, "{scheme}://{user}@{host}:{port}/{database}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_addressed_by_url() {
        let cases = [
            ("mysql://php@db/oauth", "mysql://php@db:3306/oauth"),
            ("mariadb://php@db:3307/oauth", "mysql://php@db:3307/oauth"),
            ("postgresql://o%40x@[::1]/auth", "postgres://o@x@::1:5432/auth"),
        ];
        for (text, expected) in cases {
            assert_eq!(DatabaseUrl::parse(text, None).unwrap().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_in_a_url_is_said() {
        let cases = [
            ("mysql://db/oauth", "names no user"),
            ("mysql://php@/oauth", "names no host"),
            ("mysql://php@db", "names no database"),
            ("mysql://php@db:x/oauth", "port"),
            ("mysql://php@db/oauth?ssl=1", "parameters"),
            ("mysql://php:hunter2@db/oauth", "password"),
            ("mongodb://php@db/oauth", "mongodb"),
        ];
        for (text, expected) in cases {
            let error = DatabaseUrl::parse(text, None).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{text}: {error}");
        }
        assert!(DatabaseUrl::parse("/var/lib/oauth.sqlite", None).unwrap().is_none(), "a path is no URL");
    }

    #[test]
    fn the_password_is_not_printed() {
        let url = DatabaseUrl::parse("mysql://php@db/oauth", Some(Secret::new("hunter2".to_owned())));
        assert!(!format!("{:?}", url.unwrap().unwrap()).contains("hunter2"));
    }
}
