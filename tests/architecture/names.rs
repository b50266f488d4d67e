//! Names that say nothing about what a file is for.

use crate::assert_none;
use crate::workspace;

/// Names for a drawer in which anything fits.
const DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

#[test]
fn every_file_is_named_for_its_subject() {
    let violations: Vec<String> = workspace::rust_sources(workspace::root())
        .into_iter()
        .map(|source| source.path)
        .filter(|path| is_drawer(path))
        .map(|path| format!("{path} is a drawer in which anything fits. A file has one subject and is named for it."))
        .collect();
    assert_none(&violations);
}

/// Whether a folder of `path`, or its file without `.rs`, has the name of a drawer.
fn is_drawer(path: &str) -> bool {
    path.trim_end_matches(".rs").split(['/', '\\']).any(|part| DRAWERS.contains(&part))
}
