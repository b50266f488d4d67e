//! A MariaDB server of the test's own.

use std::process::Command;

use regrant_databases::{Server, feed, is_root, run};
use tempfile::TempDir;

/// The password of the user `oauth`.
pub(crate) const PASSWORD: &str = "old-db-password";

/// A running server with an empty database `old`.
pub(crate) struct Mariadb {
    server: Server,
    folder: TempDir,
}

impl Mariadb {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let data = folder.path().join("data");
        // It refuses to run as root until it is told to.
        let user = if is_root() { &["--user=root"][..] } else { &[] };
        let data_option = format!("--datadir={}", data.display());
        run(Command::new("mariadb-install-db")
            // A server that starts removes the temporary tables of others in the directory that they share.
            .env("TMPDIR", folder.path())
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data_option])
            .args(user));
        let path = std::env::var("PATH").unwrap_or_default();
        let command = |port| {
            let mut command = Command::new("mariadbd");
            command
                .env("PATH", format!("{path}:/usr/sbin"))
                .env("TMPDIR", folder.path())
                .args(["--no-defaults", &data_option, "--bind-address=127.0.0.1", &format!("--port={port}")])
                .arg(format!("--socket={}", folder.path().join("socket").display()))
                .arg(format!("--pid-file={}", folder.path().join("pid").display()))
                .args(user);
            command
        };
        let server = Server::start(command, "ready for connections");
        let started = Self { server, folder };
        started.sql(&format!(
            "CREATE DATABASE old CHARACTER SET utf8mb4; CREATE USER oauth@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
             GRANT SELECT ON old.* TO oauth@'127.0.0.1';"
        ));
        started
    }

    /// Runs statements.
    #[track_caller]
    pub(crate) fn sql(&self, statements: &str) -> String {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"])
            .arg(format!("--socket={}", self.folder.path().join("socket").display()));
        feed(&mut client, statements)
    }

    /// The URL of the database, by a user who may only read.
    pub(crate) fn url(&self) -> String {
        format!("mysql://oauth@127.0.0.1:{}/old", self.server.port)
    }

    /// A file with the password for that.
    pub(crate) fn password_file(&self) -> String {
        let path = self.folder.path().join("password");
        std::fs::write(&path, format!("{PASSWORD}\n")).expect("the folder is ours");
        path.display().to_string()
    }
}
