//! Nodes of one cluster, each with a configuration and a data directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regrant_databases::{Database, Postgres};
use tempfile::TempDir;

use crate::curl::{Answer, run};
use crate::program::{Ended, Program, binary, serving};

/// The redirect URI of the client.
pub(super) const CALLBACK: &str = "https://app.example/callback";

/// How often a node is asked whether it has heard of something. A question takes some milliseconds, and it hears within two seconds.
pub(super) const QUESTIONS_MAX: u32 = 3_000;

/// A folder with the configurations and directories of nodes, which are called by numbers.
pub(super) struct Cluster {
    folder: TempDir,
    store: String,
}

impl Cluster {
    /// On a database of a test.
    pub(super) fn on(database: &Database<'_>) -> Self {
        Self::at(&format!("url = {:?}\n", database.url()))
    }

    /// On the database `postgres` of a server of a test's own.
    pub(super) fn on_server(postgres: &Postgres) -> Self {
        Self::at(&format!("url = {:?}\n", postgres.socket_url("postgres", "postgres")))
    }

    /// On a database over TCP, where a password is asked for.
    pub(super) fn over_tcp(url: &str, password: &str) -> Self {
        Self::at(&format!("url = \"{url}?sslmode=disable\"\npassword = \"{password}\"\n"))
    }

    /// On whatever these lines of `[store]` name.
    pub(super) fn at(store: &str) -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        fs::write(folder.path().join("app.secret"), "sesame\n").expect("the folder is ours");
        Self { folder, store: store.to_owned() }
    }

    /// Writes the configuration of a node, and tells where it is.
    pub(super) fn config(&self, node: u8) -> PathBuf {
        let path = self.folder.path().join(format!("node{node}.toml"));
        let text = format!(
            "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\nplain_http = true\ndata = \"data{node}\"\n\
             [store]\n{}[[client]]\nid = \"app\"\nname = \"App\"\nsecret_file = \"app.secret\"\nscope = \"openid read\"\n\
             redirect_uris = [\"{CALLBACK}\"]\ngrant_types = [\"authorization_code\", \"refresh_token\", \"password\"]\n",
            self.store
        );
        fs::write(&path, text).expect("the folder is ours");
        path
    }

    /// The data directory of a node.
    pub(super) fn data(&self, node: u8) -> PathBuf {
        self.folder.path().join(format!("data{node}"))
    }

    /// Gives a node the key file of another.
    pub(super) fn copy_keys(&self, from: u8, to: u8) {
        copy_keys(&self.data(from), &self.data(to));
    }

    /// Starts a node, and waits until it listens.
    pub(super) fn start(&self, node: u8) -> Program {
        Self::start_with(&self.config(node))
    }

    /// The same with a configuration that was changed since it was written.
    pub(super) fn start_with(config: &Path) -> Program {
        Program::run(&mut serving(config))
    }

    /// Starts the first node and makes a user `alice` with password `wonderland`.
    pub(super) fn start_first(&self) -> Program {
        let first = self.start(1);
        self.pipes(1, "wonderland\n", &["user", "add", "alice", "--password-stdin"]);
        first
    }

    /// The same with two more nodes.
    pub(super) fn start_three(&self) -> [Program; 3] {
        let first = self.start_first();
        for node in [2, 3] {
            self.copy_keys(1, node);
        }
        [first, self.start(2), self.start(3)]
    }

    /// What a node said that did not start.
    pub(super) fn refusal(&self, node: u8) -> Ended {
        Program::spawn(&mut serving(&self.config(node))).wait()
    }

    /// What `regrant` said to these arguments beside the configuration of a node: whether it went well, and all it wrote.
    pub(super) fn types(&self, node: u8, arguments: &[&str]) -> (bool, String) {
        let config = self.config(node);
        let mut command = Command::new(binary());
        let output = command.args(arguments).arg("--config").arg(config).stdin(Stdio::null()).output();
        let output = output.expect("the program runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("it writes UTF-8"))
    }

    /// The same with something on standard input, which has to go well.
    #[track_caller]
    pub(super) fn pipes(&self, node: u8, input: &str, arguments: &[&str]) {
        let path = self.folder.path().join("input");
        fs::write(&path, input).expect("the folder is ours");
        let mut command = Command::new(binary());
        let input = fs::File::open(path).expect("it was written");
        let output = command.args(arguments).arg("--config").arg(self.config(node)).stdin(input).output();
        let output = output.expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Gives one data directory the key file of another, as an operator would.
pub(super) fn copy_keys(from: &Path, to: &Path) {
    let script = "mkdir -m 700 -p \"$1\" && cp -p \"$0/master.key\" \"$1\"";
    let copied = Command::new("sh").args(["-c", script]).arg(from).arg(to).status();
    assert!(copied.expect("there is a shell").success());
}

/// Alice logs in at a node by her password.
pub(super) fn log_in(node: &Program) -> Answer {
    post(node, "token", "grant_type=password&username=alice&password=wonderland")
}

/// A refresh at a node.
pub(super) fn refresh(node: &Program, token: &str) -> Answer {
    post(node, "token", &format!("grant_type=refresh_token&refresh_token={token}"))
}

/// A form of the client to an endpoint of a node.
pub(super) fn post(node: &Program, endpoint: &str, form: &str) -> Answer {
    run(&format!("curl -u app:sesame {}/{endpoint} -d '{form}'", node.url))
}
