use tracing_subscriber::EnvFilter;

/// The variable that chooses what is logged, such as `debug` or `regrant_client=trace`; nothing without it.
const LOG_VARIABLE: &str = "REGRANT_LOG";

/// Writes the log to standard error where somebody has asked for one. No secret is ever in it.
pub(crate) fn begin() {
    if let Ok(filter) = EnvFilter::try_from_env(LOG_VARIABLE) {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
