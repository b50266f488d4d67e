//! The files `docs/stand-ins/<system>.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The systems that regrant stands in for.
pub(crate) const SYSTEMS: [&str; 5] = ["bshaffer", "redcore", "wso2", "dotauth", "jiko"];

/// What one file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct System {
    /// Its name in `stand_in`.
    #[serde(rename = "system")]
    pub(crate) name: String,
    /// Its name for people.
    pub(crate) title: String,
    /// The clients that every case finds.
    pub(crate) configuration: String,
    /// `id:secret` of clients, by the name behind `as`.
    pub(crate) credentials: BTreeMap<String, String>,
    /// Sets of headers of answers, by name.
    pub(crate) headers: BTreeMap<String, Vec<String>>,
    /// Requests that many cases begin with, by name.
    pub(crate) requests: BTreeMap<String, String>,
    /// What the system does, and what regrant does.
    #[serde(rename = "row")]
    pub(crate) rows: Vec<Row>,
}

/// One thing that the system does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Names it in this file.
    pub(crate) id: String,
    /// The heading on the page.
    pub(crate) section: String,
    /// What it is about, for people.
    pub(crate) what: String,
    /// What the system does, in the words of its source, its tests or its documentation where they are short.
    pub(crate) original: String,
    /// What regrant does about it.
    pub(crate) mark: Mark,
    /// Why it is not done as the system does it.
    pub(crate) why: Option<String>,
    /// What shows it.
    #[serde(default, rename = "case")]
    pub(crate) cases: Vec<Case>,
}

/// How regrant compares.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// Byte for byte.
    Identical,
    /// At the same place and to the same effect, with an answer of our own.
    Alike,
    /// Otherwise, for a reason of security.
    Safer,
    /// Not at all.
    NotOffered,
}

/// A request and its answer.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Lines of the configuration beyond those that every case has.
    #[serde(default)]
    pub(crate) configuration: String,
    /// What comes first: names of requests, requests, or `WAIT seconds`.
    #[serde(default)]
    pub(crate) before: Vec<String>,
    /// The request.
    pub(crate) ask: Option<String>,
    /// Instead of it, a command line as the system's document prints it.
    pub(crate) curl: Option<String>,
    /// What is put in place of parts of that command line.
    #[serde(default)]
    pub(crate) replace: BTreeMap<String, String>,
    /// What has to come back.
    pub(crate) answer: String,
}

impl System {
    /// Reads the file of a system.
    pub(crate) fn read(name: &str) -> Self {
        let path = folder().join(format!("{name}.toml"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let system: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(system.name, name);
        system
    }
}

/// Where the files are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/stand-ins")
}
