//! A server on SQLite that is to move to PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regrant_databases::Database;
use tempfile::TempDir;

use crate::curl::{Answer, run};
use crate::program::{Ended, Program, binary, serving};

/// The redirect URI of the client `app`.
pub(super) const CALLBACK: &str = "https://app.example/callback";

/// A folder with a configuration for each store, and one data directory.
pub(super) struct Site {
    folder: TempDir,
    to: String,
}

impl Site {
    /// One that is to move to this database.
    pub(super) fn new(database: &Database<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let site = Self { folder, to: database.url() };
        fs::write(site.path("app.secret"), "sesame\n").expect("the folder is ours");
        site.configure("sqlite.toml", "");
        site.configure("postgres.toml", &format!("[store]\nurl = {:?}\n", site.to));
        site
    }

    fn configure(&self, name: &str, store: &str) {
        let client = |id: &str, format: &str| {
            format!(
                "[[client]]\nid = \"{id}\"\nname = \"App\"\nsecret_file = \"app.secret\"\nscope = \"openid read\"\n\
                 redirect_uris = [\"{CALLBACK}\"]\naccess_token_format = \"{format}\"\n\
                 grant_types = [\"authorization_code\", \"refresh_token\", \"password\"]\n"
            )
        };
        let text = format!(
            "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\nplain_http = true\ndata = \"data\"\n{store}{}{}",
            client("app", "jwt_es256"),
            client("opaque", "opaque")
        );
        fs::write(self.path(name), text).expect("the folder is ours");
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is in the data directory, but for what every start makes.
    pub(super) fn has(&self, name: &str) -> bool {
        self.path("data").join(name).exists()
    }

    /// Starts the server on SQLite, with the user alice if she is not there yet.
    pub(super) fn serve_sqlite(&self) -> Program {
        Program::run(&mut serving(&self.path("sqlite.toml")))
    }

    /// Starts the server on PostgreSQL.
    pub(super) fn serve_postgres(&self) -> Program {
        Program::run(&mut serving(&self.path("postgres.toml")))
    }

    /// What a start with this configuration says that is refused, in one line.
    #[track_caller]
    pub(super) fn refusal(&self, config: &str) -> String {
        let Ended { status, stderr, .. } = Program::spawn(&mut serving(&self.path(config))).wait();
        let told: Vec<&str> = stderr.lines().filter(|line| line.starts_with("regrant: ")).collect();
        assert_eq!((status.code(), told.len()), (Some(1), 1), "{stderr}");
        told[0].to_owned()
    }

    /// Adds the user alice, whose password is `wonderland`.
    pub(super) fn add_alice(&self) {
        fs::write(self.path("password"), "wonderland\n").expect("the folder is ours");
        let mut command = self.command(&["user", "add", "alice", "--password-stdin"]);
        command.stdin(fs::File::open(self.path("password")).expect("it was written"));
        let told = Told::of(&mut command);
        assert!(told.is_done, "{}", told.stderr);
    }

    /// `regrant` with these arguments and the configuration of the server on SQLite.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--config").arg(self.path("sqlite.toml")).stdin(Stdio::null());
        command
    }

    /// `regrant migrate-store` to the database of this place.
    pub(super) fn moving(&self) -> Command {
        self.moving_to(&self.to)
    }

    /// The same to another.
    pub(super) fn moving_to(&self, url: &str) -> Command {
        self.command(&["migrate-store", "--yes", "--to", url])
    }

    /// Moves the store, and tells what was said.
    #[track_caller]
    pub(super) fn moves(&self) -> Told {
        let told = Told::of(&mut self.moving());
        assert!(told.is_done, "{}", told.stderr);
        told
    }
}

/// What a command said.
pub(super) struct Told {
    pub(super) is_done: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Told {
    pub(super) fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
        Self { is_done: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails unless it was refused with one line that has all of `parts`.
    #[track_caller]
    pub(super) fn refused(&self, parts: &[&str]) {
        assert!(!self.is_done && self.stdout.is_empty() && self.stderr.lines().count() == 1, "{}", self.stderr);
        assert!(!self.stderr.contains("hunter2"), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {:?}", self.stderr);
        }
    }
}

/// A form of a client to an endpoint.
pub(super) fn post(server: &Program, client: &str, endpoint: &str, form: &str) -> Answer {
    run(&format!("curl -u {client}:sesame {}/{endpoint} -d '{form}'", server.url))
}

/// Alice logs in by her password.
pub(super) fn log_in(server: &Program, client: &str) -> Answer {
    post(server, client, "token", "grant_type=password&username=alice&password=wonderland&scope=read")
}

/// A refresh.
pub(super) fn refresh(server: &Program, client: &str, token: &str) -> Answer {
    post(server, client, "token", &format!("grant_type=refresh_token&refresh_token={token}"))
}

/// Whether a token counts.
pub(super) fn is_active(server: &Program, client: &str, token: &str) -> bool {
    post(server, client, "introspect", &format!("token={token}")).json["active"] == true
}

/// Writes a file of this text.
pub(super) fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder is ours");
}
