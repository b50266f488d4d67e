use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use regrant_data_directory::KEY_FILE;
use regrant_databases::{Database, Postgres};
use tempfile::TempDir;

use super::doors::Doors;
use super::life::Life;
use super::program::{Program, Server};
use super::request::{PASSWORD, USERNAME};
use crate::history::Stopwatch;
use crate::world::NODES;

/// Programs on one database, which are killed and started again.
pub(super) struct Fleet {
    program: Program,
    servers: Vec<Option<Server>>,
    doors: Arc<Doors>,
    folder: TempDir,
    database: Database<'static>,
    journal: Database<'static>,
}

impl Fleet {
    /// Makes the store with the first node, and starts the others with its keys.
    pub(super) fn start(program: Program) -> Result<Self> {
        let folder = tempfile::tempdir().context("the temporary directory cannot be written")?;
        let [database, journal] = [(); 2].map(|()| Postgres::shared().database());
        let stopwatch = Stopwatch::start();
        let (mut servers, mut lives) = (Vec::new(), Vec::new());
        for node in 0..NODES {
            let home = home(&folder, node);
            DirBuilder::new().recursive(true).mode(0o700).create(home.join("data"))?;
            fs::write(home.join("regrant.toml"), configuration(&database.url(), &journal.url()))?;
            if node > 0 {
                let [made, copied] = [0, node].map(|node| self::home(&folder, node).join("data").join(KEY_FILE));
                fs::copy(made, copied).context("the keys of the first node cannot be copied")?;
            }
            let server = serve(&program, &home)?;
            lives.push(Life::new(server.address, stopwatch, true));
            servers.push(Some(server));
        }
        add_user(&program, &home(&folder, 0))?;
        let doors = Arc::new(Doors::new(stopwatch, lives));
        Ok(Self { program, servers, doors, folder, database, journal })
    }

    /// The ways in.
    pub(super) fn doors(&self) -> Arc<Doors> {
        Arc::clone(&self.doors)
    }

    /// `kill -9`; returns when the process is dead.
    pub(super) fn kill(&mut self, node: usize) -> Result<()> {
        match self.servers[node].take() {
            Some(mut server) => server.kill(),
            None => Ok(()),
        }
    }

    /// Starts a node that was killed.
    pub(super) fn restart(&mut self, node: usize) -> Result<()> {
        let server = serve(&self.program, &home(&self.folder, node))?;
        self.doors.replace(node, server.address);
        self.servers[node] = Some(server);
        Ok(())
    }

    /// Starts a node that was killed, and kills it so soon that it may not have come to listen.
    pub(super) fn restart_and_kill(&self, node: usize, after: Duration) -> Result<()> {
        let home = home(&self.folder, node);
        Server::serve_and_kill(&self.program, &home.join("regrant.toml"), &home.join("log"), after)
    }

    /// Runs statements in the journal's database.
    pub(super) fn journal_sql(&self, statements: &str) -> String {
        self.journal.sql(statements)
    }

    /// Runs statements in the database.
    pub(super) fn sql(&self, statements: &str) -> String {
        self.database.sql(statements)
    }
}

fn home(folder: &TempDir, node: usize) -> PathBuf {
    folder.path().join(format!("node-{node}"))
}

fn configuration(database: &str, journal: &str) -> String {
    format!(
        "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\ndata = \"data\"\nplain_http = true\n\
         [store]\nurl = \"{database}\"\njournal = \"{journal}\"\n\
         [[client]]\nid = \"TestClient\"\nsecret = \"TestSecret\"\nscope = \"read\"\n\
         auth_methods = [\"client_secret_post\"]\ngrant_types = [\"password\", \"refresh_token\"]\n"
    )
}

fn serve(program: &Program, home: &Path) -> Result<Server> {
    let log = home.join("log");
    match Server::serve(program, &home.join("regrant.toml"), &log)? {
        Some(server) => Ok(server),
        None => bail!("a node died before it listened: {}", fs::read_to_string(&log)?),
    }
}

fn add_user(program: &Program, home: &Path) -> Result<()> {
    let mut command = Command::new(program.path());
    command
        .args(["user", "add", USERNAME, "--config"])
        .arg(home.join("regrant.toml"))
        .env("REGRANT_PASSWORD", PASSWORD);
    let output = command.output().context("the program cannot be started")?;
    ensure!(output.status.success(), "the user cannot be added: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
