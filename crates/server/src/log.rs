//! What happened, one line each, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, registry, reload};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// The variable that chooses what is logged where no configuration does, such as `debug` or `regrant_engine=debug`;
/// `info` without it.
pub const LOG_VARIABLE: &str = "REGRANT_LOG";

/// Chooses what is logged while the program runs.
#[derive(Clone, Debug)]
pub struct LogControl(reload::Handle<EnvFilter, Registry>);

/// Writes the log to standard error as `config` says. Call it once.
#[must_use]
pub fn as_configured(config: &LogConfig) -> LogControl {
    let is_json = match config.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Pretty => false,
    };
    begin(EnvFilter::new(config.level.as_str()), is_json)
}

/// Writes the log to standard error for people. Call it once.
pub fn to_standard_error() {
    let _ = begin(EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info")), false);
}

impl LogControl {
    /// Logs what `level` says from now on.
    pub fn set(&self, level: &LogLevel) {
        self.0.reload(EnvFilter::new(level.as_str())).expect("the log lives as long as the program");
    }
}

/// In colour on a terminal unless `NO_COLOR` is set.
fn begin(filter: EnvFilter, is_json: bool) -> LogControl {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal() && !is_plain);
    let lines = if is_json { lines.json().boxed() } else { lines.boxed() };
    let (filter, handle) = reload::Layer::new(filter);
    registry().with(filter).with(lines).init();
    LogControl(handle)
}
