//! A PostgreSQL server of the test's own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::child::{Server, feed, is_root, run};

/// The password of the user `postgres`.
const PASSWORD: &str = "old-db-password";

/// A running server with an empty database `postgres`.
pub(crate) struct Postgres {
    server: Server,
    folder: TempDir,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("the folder is ours");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the folder is ours");
        if is_root() {
            // It refuses to run as root; the user of the package owns it instead.
            for (path, mode) in [(folder.path(), 0o755), (password.as_path(), 0o644)] {
                fs::set_permissions(path, Permissions::from_mode(mode)).expect("the folder is ours");
            }
            run(Command::new("chown").arg("postgres:postgres").arg(&data));
        }
        run(as_postgres("initdb")
            .args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(&data));
        let command = |port: u16| {
            let mut command = as_postgres("postgres");
            command
                .arg("-D")
                .arg(&data)
                .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
                .arg("-c")
                .arg(format!("unix_socket_directories={}", data.display()));
            command
        };
        let server = Server::start(command, "ready to accept connections");
        Self { server, folder }
    }

    /// Runs statements.
    #[track_caller]
    pub(crate) fn sql(&self, statements: &str) -> String {
        let mut client = Command::new(program("psql"));
        client
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-U", "postgres"])
            .arg("-h")
            .arg(self.folder.path().join("data"))
            .args(["-p", &self.server.port.to_string()]);
        feed(&mut client, statements)
    }

    /// The URL of the database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.server.port)
    }

    /// The file with the password for that.
    pub(crate) fn password_file(&self) -> String {
        self.folder.path().join("password").display().to_string()
    }
}

/// A program of the server, run as its own user where the tests are root; it keeps its process id.
fn as_postgres(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program(name));
    // A directory that the user may not enter is no place to start in.
    command.current_dir("/");
    command
}

/// Where Debian keeps the programs of the newest version.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}
