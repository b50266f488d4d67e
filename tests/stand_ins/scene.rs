//! The program, with the configuration of a case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use regrant_tests::{PASSWORD, USERNAME};
use tempfile::TempDir;

use crate::case::Server;
use crate::message::{Answer, Request};
use crate::program::{FREE_PORT, Program, binary, serving};
use crate::system::{Case, System};
use crate::wire;

/// Runs every case of a system for which no time has to pass, and tells of all that are wrong.
pub(crate) fn run_cases(name: &str) {
    let system = System::read(name);
    let faults: Vec<_> = by_configuration(&system, |case| !case.waits())
        .into_iter()
        .flat_map(|(configuration, cases)| run_with(&system, configuration, &cases))
        .collect();
    assert!(faults.is_empty(), "{} cases of {name} are wrong:\n\n{}", faults.len(), faults.join("\n\n"));
}

/// The cases, and how each is called, by what they add to the configuration.
pub(crate) fn by_configuration(
    system: &System,
    is_wanted: impl Fn(&Case) -> bool,
) -> BTreeMap<&str, Vec<(String, &Case)>> {
    let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for row in &system.rows {
        for (number, case) in row.cases.iter().enumerate().filter(|(_, case)| is_wanted(case)) {
            let called = format!("{} {} {}", system.name, row.id, number + 1);
            groups.entry(&case.configuration).or_default().push((called, case));
        }
    }
    groups
}

fn run_with(system: &System, configuration: &str, cases: &[(String, &Case)]) -> Vec<String> {
    let scene = match Scene::start(system, configuration) {
        Ok(scene) => scene,
        Err(told) => {
            let called: Vec<_> = cases.iter().map(|(called, _)| called.as_str()).collect();
            return vec![format!("{}: the program does not start:\n{told}", called.join(", "))];
        }
    };
    let faults =
        cases.iter().filter_map(|(called, case)| Some(format!("{called}: {}", case.run(system, &scene).err()?)));
    faults.collect()
}

/// The configuration of a case.
pub(crate) fn configuration(system: &System, of_case: &str) -> String {
    let System { name, configuration, .. } = system;
    format!(
        "[server]\nstand_in = \"{name}\"\nissuer = \"https://{}\"\nlisten = [\"{FREE_PORT}\"]\ndata = \"data\"\n\
         plain_http = true\n\n{of_case}\n{configuration}",
        wire::HOST
    )
}

/// A running program, and its directory.
pub(crate) struct Scene {
    program: Program,
    _folder: TempDir,
}

impl Scene {
    /// Starts the program and gives it its user; what it says where it does not start.
    pub(crate) fn start(system: &System, of_case: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let config = folder.path().join("regrant.toml");
        fs::write(&config, configuration(system, of_case)).expect("the folder is ours");
        check(&config)?;
        let program = Program::run(&mut serving(&config));
        add_user(&folder.path().join("data"));
        Ok(Self { program, _folder: folder })
    }
}

fn check(config: &Path) -> Result<(), String> {
    let checked = Command::new(binary()).args(["config", "check"]).arg(config).output().expect("the program starts");
    if checked.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&checked.stderr).into_owned()) }
}

fn add_user(data: &Path) {
    let added = Command::new(binary())
        .args(["user", "add", USERNAME, "--data"])
        .arg(data)
        .env("REGRANT_PASSWORD", PASSWORD)
        .output()
        .expect("the program starts");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}

impl Server for Scene {
    fn send(&self, request: &Request) -> Answer {
        wire::send(self.program.url.trim_start_matches("http://"), request)
    }

    fn wait(&self, _: u32) {
        unreachable!("the cases with a wait are run with a clock of the test");
    }

    fn url(&self) -> &str {
        &self.program.url
    }
}
