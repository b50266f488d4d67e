use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::key::{Form, Key, Kind, words};
use crate::config::nearest::nearest;
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const SECTION: Section = Section {
    name: "log",
    shape: Shape::Table,
    doc: "What is written to standard error, and the audit trail.",
    keys: &[FORMAT, LEVEL, AUDIT],
};

const FORMAT: Key = Key::new(
    "format",
    Kind::Choice(&FORMAT_WORDS),
    Preset::Text("auto"),
    "`auto` is `pretty` on a terminal and `json`, one object a line, everywhere else.",
)
.flag("log-format")
.at_start();

const LEVEL: Key = Key::new(
    "level",
    Kind::Text(Form::LogLevel),
    Preset::Text("info"),
    "`error`, `warn`, `info`, `debug` or `trace`; for single modules too, as in `info,regrant_engine=debug`.",
)
.flag("log-level")
.also(&["filter"]);

pub(super) const AUDIT: Key = Key::new(
    "audit",
    Kind::Text(Form::Path),
    Preset::Absent,
    "A file of its own for the audit trail, one JSON object a line, with mode 0600. It is opened anew on SIGHUP, so that it can be moved away. Without it the audit trail is part of the log.",
)
.also(&["audit_file"])
.at_start();

const FORMATS: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("json", LogFormat::Json), ("pretty", LogFormat::Pretty)];
const FORMAT_WORDS: [&str; 3] = words(&FORMATS);

/// What is written to standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How.
    pub format: LogFormat,
    /// What.
    pub level: LogLevel,
    /// The file of the audit trail; `None` for the log.
    pub audit: Option<PathBuf>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, else JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// What is logged: `LEVEL` or `MODULE=LEVEL`, with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogConfig {
    pub(super) fn read(table: &mut TableReader<'_>) -> Result<Self, Reported> {
        let format = table.choice(&FORMAT, &FORMATS);
        let level = table.required(&LEVEL, LogLevel::parse);
        let audit = table.path(&AUDIT, |path| Ok(mode_for_all(path)));
        if let Ok(Some((path, Some(mode)))) = &audit {
            let path = path.display();
            let told =
                format!("{path} is open to all users (mode {mode:03o}), and says who did what; run: chmod 600 {path}");
            table.warn(&AUDIT, Fault::Value(told));
        }
        Ok(Self { format: format?, level: level?, audit: audit?.map(|(path, _)| path) })
    }
}

impl LogLevel {
    /// The directives, for the filter of the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        for directive in text.split(',') {
            let (module, level) = match directive.split_once('=') {
                Some((module, level)) => (Some(module), level),
                None => (None, directive),
            };
            // To the log's own filter a word that is no level is a module, of which everything is logged.
            if !LEVELS.contains(&level) {
                let near = nearest(level, LEVELS);
                let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                let choices = LEVELS.map(|level| format!("{level:?}")).join(", ");
                return Err(Fault::Choice { found: level.to_owned(), choices, hint });
            }
            let is_path = |module: &str| {
                !module.is_empty()
                    && module.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
            };
            if !module.is_none_or(is_path) {
                return Err(Fault::Value(format!("{directive:?} is not MODULE=LEVEL, such as regrant_engine=debug")));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

/// The mode of a file that users read who are neither its owner nor of its group.
fn mode_for_all(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o007 != 0).then_some(mode)
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_level_or_that_of_a_module() {
        for text in ["info", "off", "warn,regrant_engine=debug", "regrant_http::token=trace"] {
            assert_eq!(LogLevel::parse(text).unwrap().as_str(), text);
        }
        for (text, told) in [
            (
                "inof",
                "\"inof\" is none of these: \"error\", \"warn\", \"info\", \"debug\", \"trace\", \"off\"; did you mean \"info\"?",
            ),
            ("", "\"\" is none of these: \"error\", \"warn\", \"info\", \"debug\", \"trace\", \"off\""),
            (
                "regrant_engine",
                "\"regrant_engine\" is none of these: \"error\", \"warn\", \"info\", \"debug\", \"trace\", \"off\"",
            ),
            ("info,[span]=debug", "\"[span]=debug\" is not MODULE=LEVEL, such as regrant_engine=debug"),
        ] {
            assert_eq!(LogLevel::parse(text).unwrap_err().to_string(), told, "{text}");
        }
    }
}
