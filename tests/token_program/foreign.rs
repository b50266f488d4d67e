use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::program::neighbour;

/// A server of another maker; it ends with this.
pub(crate) struct Foreign {
    child: Child,
    pub(crate) url: String,
    /// Its standard output stays open.
    _lines: Box<dyn Iterator<Item = String>>,
}

impl Foreign {
    /// oidc-provider, with these options; `cargo xtask test` installs it.
    pub(crate) fn oidc_provider(options: &[&str]) -> Self {
        let script = neighbour("../servers/node/scripts/oidc_provider.mjs");
        let mut node = Command::new("node");
        node.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(script).args(options);
        Self::run(&mut node, "listening on ")
    }

    /// Starts a program that says where it listens on a line that begins so.
    pub(crate) fn run(command: &mut Command, beginning: &str) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let told = lines.find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        Self { child, url: told.expect("it says where it listens"), _lines: Box::new(lines) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
