//! The pages that are made from the tables of the keys.

use std::fs;
use std::path::{Path, PathBuf};

use regrant_server::config::{reference, schema};

use crate::folder::Folder;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference")
}

#[test]
fn the_pages_are_what_the_program_prints() {
    for (name, printed, command) in [
        ("regrant.schema.json", schema(), "cargo run -- config schema"),
        ("configuration.md", reference(), "cargo run -- config schema --markdown"),
    ] {
        let kept = fs::read_to_string(docs().join(name)).unwrap_or_default();
        assert!(kept == printed, "docs/reference/{name} is out of date; run: {command} > docs/reference/{name}");
    }
}

#[test]
fn the_example_of_the_page_is_short_and_good() {
    let page = reference();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert!(example.lines().count() < 20);

    let folder = Folder::new();
    let here = folder.path().display().to_string();
    let config = folder.load(&example.replace("/etc/regrant", &here).replace("/var/lib/regrant", &here)).unwrap();
    assert!(config.warnings.is_empty());
    assert_eq!(config.clients().len(), 1);
}
