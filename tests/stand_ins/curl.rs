//! Command lines as the documents print them, run by the real `curl`.

use std::collections::BTreeMap;
use std::process::Command;

use crate::memory::Memory;
use crate::message::Answer;
use crate::wire::read;

/// Runs a command line after `replace` was put in place, longer parts first, and `{url}` stands for the program.
pub(crate) fn run(line: &str, replace: &BTreeMap<String, String>, url: &str, memory: &Memory) -> Answer {
    let mut parts: Vec<_> = replace.iter().collect();
    parts.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
    let replaced = parts.into_iter().fold(line.to_owned(), |line, (part, by)| {
        assert!(line.contains(part.as_str()), "{part:?} is not in {line:?}");
        line.replace(part.as_str(), by)
    });
    let line = memory.fill(&replaced.replace("{url}", url));
    let arguments = line.strip_prefix("curl ").expect("it is a curl command line");
    let script = format!("curl -sS --max-time 60 -i {arguments}");
    let output = Command::new("bash").args(["-c", &script]).output().expect("there is a shell");
    let told = String::from_utf8(output.stdout).expect("answers are UTF-8");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    read(&told)
}
