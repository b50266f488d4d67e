use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::dev_server::{DevServer, arguments, program};
use crate::report::{Entry, Report};

/// Somebody without rights: `nobody` on every system that we know.
const NOBODY: u32 = 65_534;

/// What is done to a data directory of [`NOBODY`], and what the program must say when [`NOBODY`] starts it.
struct Case {
    name: &'static str,
    file: &'static str,
    /// The new mode, and whether root becomes the owner.
    mode: u32,
    becomes_roots: bool,
    says: &'static str,
}

const CASES: &[Case] = &[
    Case { name: "directory_open_to_others", file: "", mode: 0o755, becomes_roots: false, says: "chmod 700" },
    Case { name: "database_open_to_others", file: "regrant.db", mode: 0o644, becomes_roots: false, says: "chmod 600" },
    Case { name: "key_file_open_to_others", file: "master.key", mode: 0o640, becomes_roots: false, says: "chmod 600" },
    Case { name: "database_read_only", file: "regrant.db", mode: 0o400, becomes_roots: false, says: "regrant.db" },
    Case { name: "directory_read_only", file: "", mode: 0o500, becomes_roots: false, says: "regrant.db" },
    Case {
        name: "database_of_another_owner",
        file: "regrant.db",
        mode: 0o600,
        becomes_roots: true,
        says: "regrant.db",
    },
    Case {
        name: "key_file_of_another_owner",
        file: "master.key",
        mode: 0o600,
        becomes_roots: true,
        says: "master.key",
    },
    Case { name: "lock_of_another_owner", file: "lock", mode: 0o600, becomes_roots: true, says: "lock" },
    Case { name: "directory_of_another_owner", file: "", mode: 0o700, becomes_roots: true, says: "data" },
];

/// Starts the program as somebody without rights. Only root can become that.
pub(super) fn run(only: &str, report: &mut Report) -> Result<()> {
    for case in CASES.iter().filter(|case| case.name.contains(only)) {
        let mut entry = Entry::begin("damage", case.name);
        let folder = tempfile::tempdir().context("a proof may write temporary files")?;
        if chown(folder.path(), Some(NOBODY), Some(NOBODY)).is_err() {
            entry.add("not_played", "only root can start a program as somebody else");
            report.close(entry, 0, 0);
            continue;
        }
        let played = play(case, folder.path());
        match &played {
            Ok(told) => entry.add("refused_with", told.as_str()),
            Err(problem) => entry.add("found", format!("{problem:#}")),
        }
        report.close(entry, 1, usize::from(played.is_err()));
    }
    Ok(())
}

/// The program says what is wrong, and once that is mended the token from before is good.
fn play(case: &Case, folder: &Path) -> Result<String> {
    // Whoever has no rights may not be able to look into the folder in which the program was built.
    let copy = folder.join("regrant");
    fs::copy(program()?, &copy)?;
    let data = folder.join("data");
    let token = start(&copy, &data)?.log_in()?;

    let damaged = data.join(case.file);
    let mode = fs::metadata(&damaged)?.permissions();
    fs::set_permissions(&damaged, PermissionsExt::from_mode(case.mode))?;
    if case.becomes_roots {
        chown(&damaged, Some(0), Some(0))?;
    }
    let told = match start(&copy, &data) {
        Ok(_) => bail!("it started"),
        Err(told) => format!("{told:#}"),
    };
    ensure!(told.contains(case.says), "it does not say {:?}: {told}", case.says);

    fs::set_permissions(&damaged, mode)?;
    chown(&damaged, Some(NOBODY), Some(NOBODY))?;
    let answer = start(&copy, &data)?.refresh(&token)?;
    answer.refresh_token().with_context(|| format!("after it was mended: {answer:?}"))?;
    Ok(told.replace(&*folder.to_string_lossy(), ""))
}

fn start(program: &Path, data: &Path) -> Result<DevServer> {
    let mut command = Command::new(program);
    command.args(arguments(data)).uid(NOBODY).gid(NOBODY);
    DevServer::start_command(command)
}
