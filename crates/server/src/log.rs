//! What happened, one line each, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// The variable that chooses what is logged, such as `debug` or `regrant_engine=debug`; `info` without it.
pub const LOG_VARIABLE: &str = "REGRANT_LOG";

/// Writes the log to standard error, in colour on a terminal unless `NO_COLOR` is set.
pub fn to_standard_error() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal() && !is_plain)
        .init();
}
