//! The workspace as cargo and the file system show it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A member of the workspace.
pub(crate) struct Package {
    /// Its name without `regrant-`: `engine`, `store-sqlite`, `xtask`.
    pub(crate) name: String,
    /// The folder of its `Cargo.toml`.
    pub(crate) folder: PathBuf,
    /// What it depends on directly, ours and others', optional or not.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A direct dependency of a [`Package`].
pub(crate) struct Dependency {
    /// The package's own name, also where it is used under another one.
    pub(crate) package: String,
    /// Whether it is a member of the workspace; others' libraries may have the names of our folders.
    pub(crate) is_ours: bool,
    /// Whether only tests and examples use it.
    pub(crate) is_dev: bool,
}

/// Every member of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    let output = Command::new(env::var_os("CARGO").expect("cargo runs this test, and says where it is"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .expect("cargo runs this test, so it can be started again");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata failed: {errors}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    items(&metadata["packages"]).map(package).collect()
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// A package's name as these tests write it: our prefix says nothing here.
pub(crate) fn short(package: &str) -> &str {
    package.strip_prefix("regrant-").unwrap_or(package)
}

/// A file of Rust.
pub(crate) struct Source {
    /// From the root of the workspace on.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// Every Rust file below `folder`; none if there is no such folder.
pub(crate) fn rust_sources(folder: &Path) -> Vec<Source> {
    files(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| Source {
            text: fs::read_to_string(&path).expect("a Rust file is UTF-8 text"),
            path: relative(&path),
        })
        .collect()
}

/// Every file below `folder`, without what is hidden or built.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("a folder of the workspace can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `path` from the root of the workspace on.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The text of the workspace's file `name`.
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn package(package: &Value) -> Package {
    let manifest = Path::new(text(&package["manifest_path"]));
    Package {
        name: short(text(&package["name"])).to_owned(),
        folder: manifest.parent().expect("a manifest lies in a folder").to_owned(),
        dependencies: items(&package["dependencies"])
            .map(|dependency| Dependency {
                package: text(&dependency["name"]).to_owned(),
                is_ours: !dependency["path"].is_null(),
                is_dev: dependency["kind"] == "dev",
            })
            .collect(),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("cargo metadata has a list here").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo metadata has a string here")
}
