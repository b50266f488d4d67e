//! Clients and servers of other makers, for the tests that log in with the ones, or at the others: installed below
//! `target/clients` and `target/servers`, and nowhere else.
//!
//! What a lock file names is installed once; remove the folder to have it anew.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::cargo::cargo;
use crate::command;

/// Installs what the programs in `tests/clients` need, each with its own language's means, and what asks the admin API.
pub(crate) fn install() -> Result<(), String> {
    once(Path::new("tests/clients/node/package-lock.json"), Path::new("target/clients/node"), node_packages)?;
    once(Path::new("tests/clients/python/requirements.txt"), Path::new("target/clients/python"), python_packages)?;
    once(Path::new("tests/admin/requirements.txt"), Path::new("target/clients/schemathesis"), python_packages)?;
    cargo("build --locked --manifest-path tests/clients/rust/Cargo.toml --target-dir target/clients/rust")?;
    go_program(Path::new("tests/clients/go"), Path::new("target/clients/go"))
}

/// Installs what the programs in `tests/servers` need.
pub(crate) fn install_servers() -> Result<(), String> {
    once(Path::new("tests/servers/node/package-lock.json"), Path::new("target/servers/node"), node_packages)?;
    once(Path::new("tests/servers/python/requirements.txt"), Path::new("target/servers/python"), python_packages)
}

/// Puts the packages into `folder`, and a link to the scripts beside them, from where Node finds them.
fn node_packages(lock_file: &Path, folder: &Path) -> Result<(), String> {
    let sources = lock_file.parent().expect("a lock file lies in a folder");
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        let copied = fs::copy(sources.join(file), folder.join(file));
        copied.map_err(|error| format!("cannot copy {file} to {}: {error}", folder.display()))?;
    }
    let scripts = folder.join("scripts");
    if !scripts.exists() {
        let target = Path::new("../../..").join(sources);
        symlink(target, &scripts).map_err(|error| format!("cannot link {}: {error}", scripts.display()))?;
    }
    let arguments = "ci --ignore-scripts --no-audit --no-fund";
    let mut npm = Command::new("npm");
    npm.args(arguments.split(' ')).current_dir(folder);
    command::run(&format!("cd {} && npm {arguments}", folder.display()), &mut npm)
}

/// Makes `folder` a virtual environment with the packages.
fn python_packages(requirements: &Path, folder: &Path) -> Result<(), String> {
    let (requirements, folder) = (requirements.display(), folder.display());
    run(&format!("python3 -m venv --clear {folder}"))?;
    run(&format!("{folder}/bin/python -m pip install --disable-pip-version-check --requirement {requirements}"))
}

/// Builds the program in `sources` into `folder`, and keeps the modules that it needs there too.
fn go_program(sources: &Path, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let folder = fs::canonicalize(folder).map_err(|error| format!("cannot find {}: {error}", folder.display()))?;
    let mut go = Command::new("go");
    go.args(["build", "-buildvcs=false", "-modcacherw", "-o"])
        .arg(folder.join("oauth2_client"))
        .arg(".")
        .current_dir(sources);
    go.env("GOMODCACHE", folder.join("modules"));
    command::run(&format!("cd {} && go build -o {}/oauth2_client .", sources.display(), folder.display()), &mut go)
}

fn run(line: &str) -> Result<(), String> {
    let (program, arguments) = line.split_once(' ').expect("it has arguments");
    command::run(line, Command::new(program).args(arguments.split(' ')))
}

/// Calls `install` for a lock file and a folder, unless it has succeeded there with the same content of the lock file.
fn once(
    lock_file: &Path,
    folder: &Path,
    install: impl FnOnce(&Path, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let record = folder.join("installed");
    let wanted = fs::read(lock_file).map_err(|error| format!("{} cannot be read: {error}", lock_file.display()))?;
    if fs::read(&record).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    install(lock_file, folder)?;
    fs::write(&record, wanted).map_err(|error| format!("cannot write {}: {error}", record.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_is_installed_once_and_again_when_it_changes_or_failed() {
        let parent = std::env::temp_dir().join(format!("regrant-clients-{}", std::process::id()));
        let (lock_file, folder) = (parent.join("lock"), parent.join("installed-here"));
        fs::create_dir_all(&parent).unwrap();
        let cases = [
            ("one", Err("no network".to_owned()), true, "the first time"),
            ("one", Ok(()), true, "after a failure"),
            ("one", Ok(()), false, "after a success"),
            ("two", Ok(()), true, "after a change"),
        ];
        for (content, result, expected, why) in cases {
            fs::write(&lock_file, content).unwrap();
            let mut was_called = false;
            let install = |_: &Path, _: &Path| {
                was_called = true;
                result.clone()
            };
            assert_eq!(once(&lock_file, &folder, install), result, "{why}");
            assert_eq!(was_called, expected, "{why}");
        }
        fs::remove_dir_all(&parent).unwrap();
    }
}
