use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use regrant_engine::{AuthorizationServer, KeyFile};
use tokio::task::JoinHandle;

use crate::metrics::Metrics;

/// Where Linux says what the machine is called.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Follows what other servers on the same store change, until it is aborted.
pub(super) fn follow(
    server: &Arc<AuthorizationServer>,
    key_file: Arc<dyn KeyFile>,
    listen: SocketAddr,
    metrics: Arc<Metrics>,
) -> JoinHandle<Infallible> {
    let host = fs::read_to_string(HOST_NAME).unwrap_or_default();
    let name = match host.trim() {
        "" => listen.to_string(),
        host => format!("{host} {listen}"),
    };
    // What goes wrong is in the log, once for as long as it is the same.
    tokio::spawn(server.follower(name, key_file).run(move |outcome| metrics.followed(outcome)))
}
