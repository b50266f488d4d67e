//! The guide, line by line, as a reader would type it.

use std::process::Command;

use crate::desk::{Desk, ended};
use crate::program::neighbour;

const GUIDE: &str = include_str!("../../docs/guides/regrant-token.md");
const REFERENCE: &str = include_str!("../../docs/reference/regrant-token.md");

#[test]
fn every_line_of_the_guide_does_what_it_says() {
    let desk = Desk::new();
    let mut blocks = GUIDE.split("```sh\n").skip(1).map(|block| block.split("```").next().expect("a block ends"));
    // The first is the login, at which a person acts.
    let login = blocks.next().expect("there is one");
    let rest: String = blocks.collect();
    let shell = |script: &str| {
        let programs = neighbour("regrant-token").parent().expect("it lies in a directory").display().to_string();
        let script = script.replace("http://127.0.0.1:8080", &desk.server.url);
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("set -euo pipefail; PATH={programs}:$PATH; {script}\necho done")]);
        desk.at_home(shell.current_dir(desk.home()));
        shell
    };
    desk.log_in_by(&mut shell(&login.replace("regrant-token login", "regrant-token login --print-url")));
    let told = ended(&mut shell(&rest), "");
    assert!(told.code == 0 && told.stdout.ends_with("done\n"), "{told:?}");
    assert!(rest.lines().count() > 12, "{rest}");
}

#[test]
fn the_reference_names_every_command_and_option() {
    let desk = Desk::new();
    let help = desk.told(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() > 12, "{names:?}");
    for name in names {
        assert!(REFERENCE.contains(&format!("`{name}")), "{name} is not in the reference");
        let help = desk.told(&[name, "--help"]);
        let help = help.split("Examples").next().expect("a text has a beginning");
        let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        for option in lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--"))) {
            let is_shown = REFERENCE.contains(&format!("`{option}")) || ["--help", "--version"].contains(&option);
            assert!(is_shown, "{option} of {name} is not in the reference");
        }
    }
}
