//! The project's own commands: `cargo xtask test`, `ci`, `prove`, `bench` and `static`.

mod apt;
mod bench;
mod cargo;
mod ci;
mod clients;
mod command;
mod memory;
mod prove;
mod stage;
mod static_build;
mod test;
mod words;

use std::env;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  test   install what the tests need, build the program, run every test
  ci     all checks of a change: the tests first, then format, lints, docs, words, the static program and the proofs
  prove  run the proofs of a kind: prove KIND [--scale ci|night|gate] [--store sqlite|postgres] [--only NAME] [--rows N]
  bench  count the instructions of a refresh: bench instructions [--keep]
  static build the program as one file that needs nothing else, and try it
  help   print this
";

/// The exit code for a command line that was not understood, as clap uses it.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let command: &dyn Fn() -> Result<(), String> = match words.as_slice() {
        ["test"] => &test::run,
        ["ci"] => &ci::run,
        ["static"] => &static_build::run,
        ["bench", arguments @ ..] => &|| bench::run(arguments),
        ["prove", arguments @ ..] => &|| prove::run(arguments),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [] => return misunderstood("a command is missing"),
        other => return misunderstood(&format!("`{}` is not a command", other.join(" "))),
    };
    match enter_workspace_root().and_then(|()| command()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn misunderstood(why: &str) -> ExitCode {
    eprint!("error: {why}\n\n{USAGE}");
    ExitCode::from(EXIT_USAGE)
}

/// Commands mean the same from every folder of the workspace.
fn enter_workspace_root() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace");
    env::set_current_dir(root).map_err(|error| format!("cannot enter {}: {error}", root.display()))
}
