use std::env;
use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// The variable that chooses what is logged, such as `debug` or `regrant_client=trace`; nothing without it.
const LOG_VARIABLE: &str = "REGRANT_LOG";

/// Writes the log to standard error where somebody has asked for one. No secret is ever in it.
pub(crate) fn begin() {
    let Some(asked) = env::var_os(LOG_VARIABLE).filter(|asked| !asked.is_empty()) else { return };
    match EnvFilter::try_new(asked.to_string_lossy()) {
        Ok(filter) => {
            let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
            log.with_ansi(io::stderr().is_terminal()).init();
        }
        Err(error) => eprintln!("nothing is logged: {LOG_VARIABLE} cannot be read ({error}); write debug, say"),
    }
}
