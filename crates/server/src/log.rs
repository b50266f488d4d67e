//! What happened, one line each, on standard error, and the audit trail where it has a file of its own.

use std::io::{IsTerminal, stderr};
use std::path::Path;

use anyhow::{Context, Result};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, registry, reload};

use crate::audit_file::AuditFile;
use crate::config::{LogConfig, LogFormat, LogLevel};
#[cfg(feature = "opentelemetry")]
use crate::telemetry::Telemetry;

/// The variable that chooses what is logged where no configuration does, such as `debug` or `regrant_engine=debug`;
/// `info` without it.
pub const LOG_VARIABLE: &str = "REGRANT_LOG";

/// The target of the audit trail.
const AUDIT: &str = "audit";

/// Chooses what is logged while the program runs. Hold it for as long.
#[derive(Debug)]
pub struct LogControl {
    filter: reload::Handle<EnvFilter, Registry>,
    audit: Option<AuditFile>,
    #[cfg(feature = "opentelemetry")]
    _telemetry: Option<Telemetry>,
}

/// Writes the log to standard error as `config` says. Call it once.
///
/// # Errors
/// When the file of the audit trail cannot be opened, or spans cannot be sent as the environment says.
pub fn as_configured(config: &LogConfig) -> Result<LogControl> {
    let is_json = match config.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Pretty => false,
    };
    let audit = config.audit.as_deref().map(open).transpose()?;
    begin(EnvFilter::new(config.level.as_str()), is_json, audit)
}

/// Writes the log to standard error for people. Call it once.
///
/// # Errors
/// When spans cannot be sent as the environment says.
pub fn to_standard_error() -> Result<LogControl> {
    begin(EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info")), false, None)
}

/// Writes the audit trail to its file and no log at all, as a command does that no server answers. Only the first call counts.
///
/// # Errors
/// When the file cannot be opened.
pub fn trail_to_file(audit: &Path) -> Result<()> {
    // Whoever has set up a log before goes on with it.
    let _ = registry().with(trail(open(audit)?)).try_init();
    Ok(())
}

/// Writes the audit trail to standard error, in the same lines, and no log at all: for a command that no server answers and that
/// knows of no file. Only the first call counts.
pub fn trail_to_standard_error() {
    // As above.
    let _ = registry().with(trail(stderr)).try_init();
}

impl LogControl {
    /// Logs what `level` says from now on.
    pub fn set(&self, level: &LogLevel) {
        self.filter.reload(EnvFilter::new(level.as_str())).expect("the log lives as long as the program");
    }

    /// Opens the file of the audit trail anew, where there is one: somebody may have moved it away.
    ///
    /// # Errors
    /// When it cannot be opened; the audit trail goes on in the file that was open.
    pub fn reopen(&self) -> std::io::Result<()> {
        self.audit.as_ref().map_or(Ok(()), AuditFile::reopen)
    }
}

/// In colour on a terminal unless `NO_COLOR` is set.
fn begin(filter: EnvFilter, is_json: bool, audit: Option<AuditFile>) -> Result<LogControl> {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal() && !is_plain);
    let lines = if is_json { lines.json().flatten_event(true).with_span_list(false).boxed() } else { lines.boxed() };
    let (filter, handle) = reload::Layer::new(filter);
    let has_file = audit.is_some();
    let elsewhere = filter_fn(move |metadata| !has_file || !is_audited(metadata));
    let registry = registry().with(lines.with_filter(filter.and(elsewhere))).with(audit.clone().map(trail));
    #[cfg(feature = "opentelemetry")]
    let telemetry = Telemetry::from_environment()?;
    #[cfg(feature = "opentelemetry")]
    let registry = registry.with(telemetry.as_ref().map(Telemetry::layer));
    registry.init();
    Ok(LogControl {
        filter: handle,
        audit,
        #[cfg(feature = "opentelemetry")]
        _telemetry: telemetry,
    })
}

/// The audit trail by itself, where `lines` writes.
fn trail<S, W>(lines: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Spans name the request.
    let audited = filter_fn(|metadata| metadata.is_span() || is_audited(metadata));
    let format = fmt::layer().json().flatten_event(true).with_span_list(false).with_target(false);
    format.with_writer(lines).with_filter(audited.with_max_level_hint(LevelFilter::DEBUG))
}

fn open(audit: &Path) -> Result<AuditFile> {
    AuditFile::open(audit).with_context(|| format!("log.audit: {}", audit.display()))
}

/// Whether it is a line of the audit trail.
fn is_audited(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.target() == AUDIT
}
