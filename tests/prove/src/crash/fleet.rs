use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use regrant_data_directory::KEY_FILE;
use regrant_databases::{Database, Postgres};
use tempfile::TempDir;

use super::life::Life;
use super::program::{Program, Server};
use super::request::{PASSWORD, Said, USERNAME, log_in, refresh};
use crate::crowd::Nodes;
use crate::history::{Call, Operation, Outcome, Stopwatch, Tokens};
use crate::load::Connection;
use crate::world::NODES;

/// Programs on one database, which are killed and started again.
pub(super) struct Fleet {
    program: Program,
    servers: Vec<Option<Server>>,
    doors: Arc<Doors>,
    folder: TempDir,
    database: Database<'static>,
}

/// Where the programs listen: the life of each, and the connections to it that nobody uses now.
pub(super) struct Doors {
    stopwatch: Stopwatch,
    turn: AtomicUsize,
    doors: Vec<RwLock<Arc<Door>>>,
}

struct Door {
    life: Life,
    idle: Mutex<Vec<Connection>>,
}

impl Fleet {
    /// Makes the store with the first node, and starts the others with its keys.
    pub(super) fn start(program: Program) -> Result<Self> {
        let folder = tempfile::tempdir().context("the temporary directory cannot be written")?;
        let database = Postgres::shared().database();
        let stopwatch = Stopwatch::start();
        let (mut servers, mut doors) = (Vec::new(), Vec::new());
        for node in 0..NODES {
            let home = home(&folder, node);
            DirBuilder::new().recursive(true).mode(0o700).create(home.join("data"))?;
            fs::write(home.join("regrant.toml"), configuration(&database.url()))?;
            if node > 0 {
                let [made, copied] = [0, node].map(|node| self::home(&folder, node).join("data").join(KEY_FILE));
                fs::copy(made, copied).context("the keys of the first node cannot be copied")?;
            }
            let server = serve(&program, &home)?;
            doors.push(RwLock::new(Arc::new(Door::new(&server, stopwatch))));
            servers.push(Some(server));
        }
        add_user(&program, &home(&folder, 0))?;
        let doors = Arc::new(Doors { stopwatch, turn: AtomicUsize::new(0), doors });
        Ok(Self { program, servers, doors, folder, database })
    }

    /// The ways in.
    pub(super) fn doors(&self) -> Arc<Doors> {
        Arc::clone(&self.doors)
    }

    /// A grant of the demo user.
    pub(super) async fn log_in(&self) -> Result<Tokens> {
        let door = self.doors.next();
        log_in(&door.life).await?.context("a login was not answered")
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
        let door = Arc::new(Door::new(&server, self.doors.stopwatch));
        *self.doors.doors[node].write().unwrap_or_else(PoisonError::into_inner) = door;
        self.servers[node] = Some(server);
        Ok(())
    }

    /// Runs statements in the database.
    pub(super) fn sql(&self, statements: &str) -> String {
        self.database.sql(statements)
    }
}

impl Doors {
    /// Nanoseconds since the fleet was started.
    pub(super) fn now(&self) -> u64 {
        self.stopwatch.nanoseconds()
    }

    fn next(&self) -> Arc<Door> {
        let node = self.turn.fetch_add(1, Ordering::Relaxed) % self.doors.len();
        Arc::clone(&self.doors[node].read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Nodes for Doors {
    async fn refresh(&self, _: usize, presented: &Tokens) -> (Operation, Option<Tokens>) {
        let (call, invoked) = (Call::Refresh(presented.generation()), self.now());
        let unknown = |completed| (Operation { invoked, completed, call, outcome: Outcome::Unknown }, None);
        let door = self.next();
        let idle = door.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connected = match idle {
            Some(connection) => Ok(connection),
            None => door.life.connect().await,
        };
        let Ok(mut connection) = connected else { return unknown(self.now()) };
        let sent = refresh(&door.life, &mut connection, presented).await;
        let completed = sent.completed;
        let Ok(said) = sent.answer else { return unknown(completed) };
        door.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        match said {
            Said::Refreshed(tokens) => {
                let outcome = Outcome::Refreshed(tokens.successor);
                (Operation { invoked, completed, call, outcome }, Some(tokens))
            }
            Said::Refused | Said::Unreadable => {
                (Operation { invoked, completed, call, outcome: Outcome::Refused }, None)
            }
            Said::Unavailable => unknown(completed),
        }
    }
}

impl Door {
    fn new(server: &Server, stopwatch: Stopwatch) -> Self {
        Self { life: Life::new(server.address, stopwatch, true), idle: Mutex::default() }
    }
}

fn home(folder: &TempDir, node: usize) -> PathBuf {
    folder.path().join(format!("node-{node}"))
}

fn configuration(database: &str) -> String {
    format!(
        "[server]\nissuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\ndata = \"data\"\nplain_http = true\n\
         [store]\nurl = \"{database}\"\n\
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
