use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::memory::folder_in_memory;
use crate::server::{Server, feed, is_root, run};

/// The password of the user `postgres`.
const PASSWORD: &str = "old-db-password";

/// Where the data of a server is in its folder.
const DATA: &str = "data";

/// What a server says when it listens, a standby too.
const READY: &str = "ready to accept";

/// A PostgreSQL server with an empty database `postgres`. On its Unix socket everybody is believed, over TCP the password is
/// asked for.
pub struct Postgres {
    /// `None` while it is stopped.
    server: Option<Server>,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_in(folder_of_postgres(), |_| Vec::new())
    }

    /// Starts one that has this certificate and key, in PEM.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::start_in(folder_of_postgres(), |data| {
            for (name, content) in [("server.crt", certificate), ("server.key", key)] {
                let path = data.join(name);
                fs::write(&path, content).expect("the folder is ours");
                fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the folder is ours");
                if is_root() {
                    run(Command::new("chown").arg("postgres:postgres").arg(&path));
                }
            }
            vec!["ssl=on".to_owned()]
        })
    }

    /// Starts one in a folder of [`folder_of_postgres`], with what `prepare` makes of its data directory, and the settings that it returns.
    pub(crate) fn start_in(folder: TempDir, prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the folder is ours");
        fs::set_permissions(&password, Permissions::from_mode(0o644)).expect("the folder is ours");
        let data = data(folder.path());
        run(as_postgres("initdb")
            .args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(&data));
        let settings = prepare(&data);
        Self::begin(folder, settings)
    }

    /// The one that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            let shared = Self::start();
            shared.running().end_with_this_process(shared.folder.path());
            shared
        })
    }

    /// Starts a standby that follows this one, and can be read.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = folder_of_postgres();
        run(as_postgres("pg_basebackup")
            .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "-U", "postgres"])
            .arg("-h")
            .arg(self.socket_folder())
            .args(["-p", &self.port.to_string()])
            .arg("-D")
            .arg(data(folder.path())));
        Self::begin(folder, Vec::new())
    }

    /// Stops it as a crash of the database would: at once, and without a word to who is connected.
    pub fn crash(&mut self) {
        self.server = None;
    }

    /// Ends it as a crash of the machine would, once: nothing of it runs on for a moment. It is not to be started again.
    pub fn kill(&mut self) {
        let Some(server) = self.server.take() else { return };
        let lock_file = fs::read_to_string(data(self.folder.path()).join("postmaster.pid")).unwrap_or_default();
        server.kill();
        // The system keeps a piece of memory for it, which it would have given back. The seventh line names it: key and id.
        if let Some(id) = lock_file.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) {
            run(Command::new("ipcrm").args(["--shmem-id", id]));
        }
    }

    /// Stops it where it is, as a machine does that is paused.
    pub fn pause(&self) {
        self.running().pause();
    }

    /// Lets it go on after a pause.
    pub fn resume(&self) {
        self.running().resume();
    }

    /// Starts it again after a crash.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same with more settings, this once.
    pub(crate) fn restart_with(&mut self, settings: &[String]) {
        let settings = [&self.settings, settings].concat();
        let command = |port| command(self.folder.path(), &settings, port);
        self.server = Some(Server::start_again(command, self.port, READY));
    }

    /// Starts it again; from then on every commit waits for a standby that there is not.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart_with_commits_that_wait(&mut self) {
        self.sql(WAIT_FOR_NOBODY);
        // It hears of that when it starts, and else some time after it was told to look.
        self.crash();
        self.restart();
    }

    /// Some time from now every commit waits for a standby that there is not.
    pub fn let_commits_wait(&self) {
        self.sql(WAIT_FOR_NOBODY);
        self.sql(LOOK_AT_SETTINGS);
    }

    /// Cancels the commits that wait for a standby, as an operator may: they have happened, and their sessions are warned. Whether there
    /// were any.
    pub fn cancel_commits_that_wait(&self) -> bool {
        let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        self.sql(cancel).trim() != "0"
    }

    /// From now on commits wait for no standby.
    pub fn let_commits_wait_no_more(&self) {
        self.sql("ALTER SYSTEM RESET synchronous_standby_names");
        self.sql(LOOK_AT_SETTINGS);
    }

    /// Runs statements in the database `postgres`.
    ///
    /// # Panics
    /// When one fails.
    #[track_caller]
    pub fn sql(&self, statements: &str) -> String {
        self.sql_in("postgres", statements)
    }

    /// Runs statements in a database.
    ///
    /// # Panics
    /// When one fails.
    #[track_caller]
    pub fn sql_in(&self, database: &str, statements: &str) -> String {
        let mut client = self.client("psql", "postgres");
        client
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"])
            .args(["-d", database]);
        feed(&mut client, statements)
    }

    /// A program of the package, as `psql` or `pg_dump`, that speaks to this server as a user, by the Unix socket.
    #[must_use]
    pub fn client(&self, name: &str, user: &str) -> Command {
        let mut client = Command::new(program(name));
        client.args(["-U", user, "-p", &self.port.to_string()]).arg("-h").arg(self.socket_folder());
        client
    }

    /// Makes an empty database, which goes when it is dropped.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn database(&self) -> Database<'_> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        Database { postgres: self, name }
    }

    /// Makes a database that has what another one has. Who uses that is cut off.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn copy_of(&self, database: &Database<'_>) -> Database<'_> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.copy(&database.name, &name);
        Database { postgres: self, name }
    }

    fn copy(&self, from: &str, to: &str) {
        let users = format!("FROM pg_stat_activity WHERE datname = '{from}'");
        self.sql(&format!("SELECT pg_terminate_backend(pid) {users}"));
        while self.sql(&format!("SELECT count(*) {users}")).trim() != "0" {}
        self.sql(&format!("CREATE DATABASE {to} TEMPLATE {from}"));
    }

    /// The URL of the database `postgres`, over TCP.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The URL of a database for a user, by the Unix socket.
    #[must_use]
    pub fn socket_url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@/{database}?host={}&port={}", self.socket_folder().display(), self.port)
    }

    /// The file with the password of the user `postgres`, which is asked for over TCP.
    #[must_use]
    pub fn password_file(&self) -> String {
        self.folder.path().join("password").display().to_string()
    }

    /// That password.
    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Where its Unix socket is.
    #[must_use]
    pub fn socket_folder(&self) -> PathBuf {
        data(self.folder.path())
    }

    /// Its port, which is in the name of the socket too.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where everything of it is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn running(&self) -> &Server {
        self.server.as_ref().expect("it was not stopped")
    }

    fn begin(folder: TempDir, settings: Vec<String>) -> Self {
        let server = Server::start(|port| command(folder.path(), &settings, port), READY);
        let port = server.port;
        Self { server: Some(server), port, settings, folder, databases: AtomicU32::new(0) }
    }
}

const WAIT_FOR_NOBODY: &str = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
const LOOK_AT_SETTINGS: &str = "SELECT pg_reload_conf()";

/// A database of a test's own.
pub struct Database<'a> {
    postgres: &'a Postgres,
    name: String,
}

impl Database<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, by the Unix socket of the server.
    #[must_use]
    pub fn url(&self) -> String {
        self.postgres.socket_url("postgres", &self.name)
    }

    /// Puts a copy in its place. Who uses it is cut off.
    ///
    /// # Panics
    /// When that fails.
    pub fn put_back(&self, copy: &Database<'_>) {
        self.postgres.sql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        self.postgres.copy(&copy.name, &self.name);
    }

    /// Runs statements in it.
    ///
    /// # Panics
    /// When one fails.
    #[track_caller]
    pub fn sql(&self, statements: &str) -> String {
        self.postgres.sql_in(&self.name, statements)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if self.postgres.server.is_some() {
            self.postgres.sql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// The data directory in the folder of a server.
pub(crate) fn data(folder: &Path) -> PathBuf {
    folder.join(DATA)
}

/// A folder with a data directory that the server may use.
pub(crate) fn folder_of_postgres() -> TempDir {
    let folder = folder_in_memory();
    if is_root() {
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("the folder is ours");
    }
    folder_for_server(folder.path(), DATA);
    folder
}

/// Makes a folder of this name, which the server may use.
pub(crate) fn folder_for_server(parent: &Path, name: &str) -> PathBuf {
    let folder = parent.join(name);
    fs::create_dir(&folder).expect("the folder is ours");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("the folder is ours");
    if is_root() {
        // It refuses to run as root; the user of the package owns it instead.
        run(Command::new("chown").arg("postgres:postgres").arg(&folder));
    }
    folder
}

fn command(folder: &Path, settings: &[String], port: u16) -> Command {
    let data = data(folder);
    let mut command = as_postgres("postgres");
    command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    // A test's computer does not crash, its server may. Its log is in memory.
    let own = ["listen_addresses=127.0.0.1", "fsync=off", "dynamic_shared_memory_type=mmap", "max_wal_size=128MB"];
    for setting in own.into_iter().chain(settings.iter().map(String::as_str)) {
        command.args(["-c", setting]);
    }
    command.arg("-c").arg(format!("unix_socket_directories={}", data.display()));
    command
}

/// A program of the server, run as its own user where the tests are root; it keeps its process id.
pub(crate) fn as_postgres(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program(name));
    // A directory that the user may not enter is no place to start in.
    command.current_dir("/");
    command
}

/// One of the programs in the directory that `REGRANT_TEST_POSTGRES` names, or of the newest version where Debian keeps them.
fn program(name: &str) -> PathBuf {
    if let Some(directory) = env::var_os("REGRANT_TEST_POSTGRES") {
        return Path::new(&directory).join(name);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}
