use crate::Postgres;

/// How often a server is asked whether something is so. A question takes some milliseconds.
const QUESTIONS_MAX: u32 = 3_000;

/// What is between a primary and its standby.
impl Postgres {
    /// From now on no commit is acknowledged before the standby of this primary has it; returns when that holds for every commit
    /// that was ever acknowledged. That is seen by commits which wait, so somebody has to be writing.
    ///
    /// # Panics
    /// When there is no standby, or nobody writes.
    pub fn wait_for_standby(&self) {
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        self.wait_until("SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'");
        self.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        self.wait_until_followed();
    }

    /// The URL of the database `postgres` at this server or at another, as each of them is named to a node, by their Unix sockets.
    #[must_use]
    pub fn url_beside(&self, other: &Self) -> String {
        let folder = |server: &Self| server.socket_folder().display().to_string().replace('/', "%2F");
        let hosts = [self, other].map(|server| format!("{}:{}", folder(server), server.port())).join(",");
        format!("postgres://postgres@{hosts}/postgres")
    }

    /// Returns when the standby of this primary has everything that was committed before.
    ///
    /// # Panics
    /// When it does not come so far.
    pub fn wait_until_followed(&self) {
        let written = self.sql("SELECT pg_current_wal_lsn()");
        let written = written.trim();
        self.wait_until(&format!("SELECT count(*) > 0 FROM pg_stat_replication WHERE flush_lsn >= '{written}'"));
    }

    /// Lets this standby take nothing more from its primary.
    ///
    /// # Panics
    /// When it goes on.
    pub fn stop_following(&self) {
        self.sql("ALTER SYSTEM SET primary_conninfo = ''");
        self.sql("SELECT pg_reload_conf()");
        self.wait_until("SELECT count(*) = 0 FROM pg_stat_wal_receiver");
    }

    /// Makes this standby the primary, and returns when it is.
    ///
    /// # Panics
    /// When it does not become one.
    pub fn promote(&self) {
        self.wait_until("SELECT pg_promote()");
    }

    pub(crate) fn wait_until(&self, question: &str) {
        let is_so = (0..QUESTIONS_MAX).any(|_| self.sql(question).trim() == "t");
        assert!(is_so, "it is not so: {question}");
    }
}
