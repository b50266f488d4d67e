//! The lines of a trace, read as calls.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// A system call that returned.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) outcome: Outcome,
    /// The lines on which it begins and ends.
    pub(super) began: usize,
    pub(super) ended: usize,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Returned(u64),
    Interrupted,
    Failed,
}

/// The calls of a trace. A call that another thread interrupts is written in two pieces.
pub(super) fn calls(trace: &str) -> Result<Vec<Call>> {
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (line_number, line) in trace.lines().enumerate() {
        let (process, rest) = line.split_once(char::is_whitespace).context("a line of strace begins with a process")?;
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(process, (line_number, begun));
        } else if rest.starts_with("<...") {
            let (began, begun) = unfinished.remove(process).context("a call ends that did not begin")?;
            let (_, end) = rest.split_once("resumed>").context("a call that ends says that it is resumed")?;
            calls.extend(call(&format!("{begun}{end}"), began, line_number)?);
        } else {
            calls.extend(call(rest, line_number, line_number)?);
        }
    }
    // What was under way when the program ended may have happened; the disk may drop what is not synced anyway.
    Ok(calls)
}

/// One call; `None` when it did not return, as the process was ended in it.
fn call(text: &str, began: usize, ended: usize) -> Result<Option<Call>> {
    let (head, result) = text.rsplit_once(" = ").context("a call has a result")?;
    let (name, arguments) = head.trim_end().split_once('(').context("a call has arguments")?;
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let result = result.trim();
    if result.starts_with('?') {
        return Ok(None);
    }
    let outcome = match result.strip_prefix("-1 ") {
        Some(error) if error.starts_with("EINTR") => Outcome::Interrupted,
        Some(_) => Outcome::Failed,
        // What `mmap` returns is an address.
        None if name == "mmap" => Outcome::Returned(0),
        None => Outcome::Returned(result.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse()?),
    };
    let arguments = arguments.split(", ").map(|argument| argument.trim().to_owned()).collect();
    Ok(Some(Call { name: name.to_owned(), arguments, outcome, began, ended }))
}

/// The path of `12<path>`, or of a quoted text.
pub(super) fn path_in(argument: &str) -> Result<PathBuf> {
    let inner = match argument.split_once('<') {
        Some((_, rest)) => rest.rsplit_once('>').context("a descriptor has a path")?.0.to_owned(),
        None => argument.trim_matches('"').to_owned(),
    };
    let path = if inner.starts_with("\\x") { String::from_utf8(unescaped(&inner)?)? } else { inner };
    ensure!(path.starts_with('/'), "{path} is not a whole path");
    Ok(path.into())
}

/// The first `length` bytes of a text.
pub(super) fn bytes_in(argument: Option<&String>, length: u64) -> Result<Vec<u8>> {
    let mut bytes = unescaped(argument.context("a write has bytes")?.trim_matches('"'))?;
    let length = usize::try_from(length)?;
    ensure!(bytes.len() >= length, "only {} of {length} bytes are in the trace", bytes.len());
    bytes.truncate(length);
    Ok(bytes)
}

/// The bytes of `\x61\x62`.
fn unescaped(text: &str) -> Result<Vec<u8>> {
    let hexadecimal = text.split("\\x").skip(1);
    hexadecimal.map(|byte| Ok(u8::from_str_radix(byte, 16)?)).collect()
}

/// An argument that is a number.
pub(super) fn number(argument: Option<&String>) -> Result<u64> {
    Ok(argument.context("a number is missing")?.parse()?)
}
