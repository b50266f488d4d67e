use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use regrant_data_directory::{DATABASE, KEY_FILE, LOCK_FILE};

use crate::admin_socket::ADMIN_SOCKET;
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::server::{self, ServerConfig};
use crate::config::tls::{self, TlsConfig};
use crate::config::{AdminConfig, LogConfig, Table, admin, log};
use crate::demo_directory;

/// Settings of different sections that cannot all hold, and those that are only strange.
pub(super) struct Contradictions<'a> {
    tables: &'a [Table],
    file: &'a Origin,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl<'a> Contradictions<'a> {
    /// Compares what the sections say; `tables` knows where they say it, and what is said nowhere counts as said by `file`.
    pub(super) fn find(
        tables: &'a [Table],
        file: &'a Origin,
        server: &ServerConfig,
        tls: Option<&TlsConfig>,
        admin: Option<&AdminConfig>,
        log: Option<&LogConfig>,
    ) -> Self {
        let mut found = Self { tables, file, problems: Vec::new(), warnings: Vec::new() };
        found.transport(server, tls);
        found.issuer(server);
        found.addresses(&server.listen, admin.and_then(|admin| admin.listen));
        found.token(admin);
        found.audit(&server.data, log.and_then(|log| log.audit.as_deref()));
        found
    }

    /// TLS or plain HTTP, and one of them said clearly.
    fn transport(&mut self, server: &ServerConfig, tls: Option<&TlsConfig>) {
        let listen = ("server", server::LISTEN.name);
        match (server.plain_http, tls) {
            (false, None) => self.refuse(
                listen,
                "to listen with TLS the server needs certificate and key in [tls]; behind a proxy that speaks TLS, say plain_http = true",
            ),
            (true, Some(_)) => self.refuse(
                ("tls", tls::CERTIFICATE.name),
                "with server.plain_http = true the server speaks no TLS; leave out one of the two",
            ),
            (true, None) if self.origin(listen) == self.file => self.refuse(
                ("server", server::PLAIN_HTTP.name),
                "say in server.listen where the proxy finds the server, for example listen = [\"127.0.0.1:8080\"]",
            ),
            (true, None) | (false, Some(_)) => {}
        }
    }

    fn issuer(&mut self, server: &ServerConfig) {
        let issuer = ("server", server::ISSUER.name);
        let Some(authority) = server.issuer.as_str().strip_prefix("http://") else { return };
        let is_this_machine = ["127.0.0.1", "[::1]", "localhost"].iter().any(|host| {
            let rest = authority.strip_prefix(host);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if !server.plain_http {
            self.refuse(issuer, "the issuer begins with http://, and the server listens with TLS; write https://");
        } else if !is_this_machine {
            let told =
                "clients and browsers reach this issuer without TLS: passwords and tokens can be read on the way";
            let problem = self.problem(issuer, told);
            self.warnings.push(problem);
        }
    }

    fn addresses(&mut self, listen: &[SocketAddr], admin: Option<SocketAddr>) {
        // Each 0 is another free port.
        let is_taken = |address: &SocketAddr, others: &[SocketAddr]| address.port() != 0 && others.contains(address);
        for (index, address) in listen.iter().enumerate() {
            if is_taken(address, &listen[..index]) {
                self.refuse(("server", server::LISTEN.name), &format!("{address} is said twice; keep one"));
            }
        }
        if let Some(address) = admin.filter(|address| is_taken(address, listen)) {
            self.refuse(
                ("admin", admin::LISTEN.name),
                &format!("{address} is in server.listen too; choose another port"),
            );
        }
    }

    fn token(&mut self, admin: Option<&AdminConfig>) {
        let Some(AdminConfig { listen: None, token: Some(_) }) = admin else { return };
        let is_in_file = self.origin(("admin", admin::TOKEN_FILE.name)) != self.file;
        let key = if is_in_file { admin::TOKEN_FILE } else { admin::TOKEN };
        let told = "the token opens nothing, as there is no admin.listen; the socket in the data directory needs none";
        let problem = self.problem(("admin", key.name), told);
        self.warnings.push(problem);
    }

    /// The audit trail is appended to whatever has its name.
    fn audit(&mut self, data: &Path, audit: Option<&Path>) {
        let Some(audit) = audit.map(real) else { return };
        let name = audit.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_own = name.starts_with(DATABASE)
            || name.starts_with(KEY_FILE)
            || [ADMIN_SOCKET, LOCK_FILE, demo_directory::MARK].contains(&name.as_str());
        if is_own && audit.parent() == Some(&real(data)) {
            let told = format!("{name} in the data directory is a file of the server itself; name another file");
            self.refuse(("log", log::AUDIT.name), &told);
        }
    }

    fn refuse(&mut self, key: (&str, &str), told: &str) {
        let problem = self.problem(key, told);
        self.problems.push(problem);
    }

    fn problem(&self, (section, key): (&str, &str), told: &str) -> Problem {
        Problem {
            origin: self.origin((section, key)).clone(),
            key: format!("{section}.{key}"),
            fault: Fault::Contradiction(told.to_owned()),
        }
    }

    fn origin(&self, (section, key): (&str, &str)) -> &'a Origin {
        let table = self.tables.iter().find(|table| table.section.name == section);
        let setting = table.and_then(|table| table.settings.iter().find(|setting| setting.name == key));
        setting.and_then(|setting| setting.origin.said()).unwrap_or(self.file)
    }
}

/// Where a path leads, as far as there is something.
fn real(path: &Path) -> PathBuf {
    let found = || match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => parent.canonicalize().ok().map(|parent| parent.join(name)),
        _ => None,
    };
    path.canonicalize().ok().or_else(found).unwrap_or_else(|| path.to_owned())
}
