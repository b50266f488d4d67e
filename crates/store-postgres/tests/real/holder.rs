//! Somebody who is in the way.

use std::panic::catch_unwind;
use std::thread::{self, JoinHandle};

use regrant_databases::{Database, Postgres};

/// Somebody who has done something in a transaction, and does not end it.
pub(crate) struct Holder {
    /// The sessions of which it is one, as the server lists them.
    session: String,
    thread: JoinHandle<()>,
}

impl Holder {
    /// Runs statements in a database of the shared server, and returns when they are done. There is one holder of a database at a time.
    pub(crate) fn of(database: &Database<'_>, statements: &str) -> Self {
        let name = database.name().to_owned();
        let session = format!("FROM pg_stat_activity WHERE query LIKE '/* {name} */%'");
        let script = format!("BEGIN; {statements}; /* {name} */ SELECT pg_sleep(600)");
        let thread = thread::spawn(move || {
            // It is ended in the middle of that.
            let _ = catch_unwind(|| Postgres::shared().sql_in(&name, &script));
        });
        while Postgres::shared().sql(&format!("SELECT count(*) {session}")).trim() == "0" {
            assert!(!thread.is_finished(), "it holds nothing");
        }
        Self { session, thread }
    }

    /// Ends the session, and returns when it is gone.
    pub(crate) fn let_go(self) {
        Postgres::shared().sql(&format!("SELECT pg_terminate_backend(pid, 60000) {}", self.session));
        self.thread.join().expect("what goes wrong in it is caught");
    }
}
