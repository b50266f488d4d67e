use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::OpenError;
use crate::connect::Connector;
use crate::connection::{Connection, STATEMENT_MILLISECONDS_MAX};
use crate::statements::shared::{ARE_YOU_THERE, LISTEN};

/// How long after a failure the database is called again at first.
const PAUSE_MILLISECONDS_MIN: u64 = 250;

/// How long after many failures the database is called again.
const PAUSE_MILLISECONDS_MAX: u64 = 8_000;

/// How often a connection on which nothing is heard is asked whether it is still there.
const ASK_MILLISECONDS: u64 = 1_000;

/// Hears from the database that a node has changed something, on a connection of its own, which is made when somebody waits for
/// that. Behind a pooler that gives a connection to others between two statements, nothing is heard.
pub(crate) struct Listener {
    connector: Arc<Connector>,
    task: OnceLock<AbortHandle>,
}

impl Listener {
    /// One that does not listen yet.
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        Self { connector, task: OnceLock::new() }
    }

    /// Waits until it has heard something, and returns how often it has; at once, where that is not `heard`.
    pub(crate) async fn hear(&self, heard: u64) -> u64 {
        self.task.get_or_init(|| tokio::spawn(listen(Arc::clone(&self.connector))).abort_handle());
        let mut count = self.connector.heard().subscribe();
        let changed = count.wait_for(|count| *count != heard).await.map(|count| *count);
        changed.expect("the connector counts, and we hold it")
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// Listens, and again when the connection was lost.
async fn listen(connector: Arc<Connector>) {
    let mut pause = Duration::from_millis(PAUSE_MILLISECONDS_MIN);
    loop {
        match begin(&connector).await {
            Ok(connection) => {
                pause = Duration::from_millis(PAUSE_MILLISECONDS_MIN);
                // What was changed before nobody heard.
                count(connector.heard());
                while connection.command(ARE_YOU_THERE, STATEMENT_MILLISECONDS_MAX).await.is_ok() {
                    sleep(Duration::from_millis(ASK_MILLISECONDS)).await;
                }
            }
            Err(error) => tracing::info!(%error, "changes of other nodes are not heard, and asked for instead"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(PAUSE_MILLISECONDS_MAX));
    }
}

async fn begin(connector: &Connector) -> Result<Connection, OpenError> {
    let connection = connector.connect().await?;
    let listening = connection.command(LISTEN, STATEMENT_MILLISECONDS_MAX).await;
    listening.map_err(|error| connector.unavailable(&error))?;
    Ok(connection)
}

/// Counts something that was heard.
pub(crate) fn count(heard: &watch::Sender<u64>) {
    heard.send_modify(|count| *count += 1);
}
