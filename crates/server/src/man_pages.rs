//! A man page for each command.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

/// Writes the man page of `command` and of every command below it into `directory`.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write_man_pages(command: Command, directory: &Path) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write(&command, directory)
}

fn write(command: &Command, directory: &Path) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        write(inner, directory)?;
    }
    let (name, page) = page(command)?;
    fs::write(directory.join(name), page)
}

/// The name of the file, and what is in it.
fn page(command: &Command) -> io::Result<(String, Vec<u8>)> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let source = concat!("regrant ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone().after_help(None::<&str>)).source(source).manual("regrant");
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(examples(&help).as_bytes());
    Ok((man.get_filename(), page))
}

/// The examples as they are typed, line by line, and what is said below them.
fn examples(help: &str) -> String {
    let Some(rest) = help.strip_prefix("Examples:\n") else { return String::new() };
    let (typed, said) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let lines: String = typed.lines().map(|line| format!("{}\n", literal(line.trim()))).collect();
    let said: String = said.lines().map(|line| format!("{}\n", literal(line))).collect();
    let said = if said.is_empty() { said } else { format!(".PP\n{said}") };
    format!(".SH EXAMPLES\n.nf\n{lines}.fi\n{said}")
}

/// `line` so that roff shows it as it is, and it can be copied.
fn literal(line: &str) -> String {
    let mut text = String::new();
    if line.starts_with(['.', '\'']) {
        text.push_str("\\&");
    }
    for character in line.chars() {
        match character {
            '\\' => text.push_str("\\e"),
            '-' => text.push_str("\\-"),
            '\'' => text.push_str("\\(aq"),
            '`' => text.push_str("\\(ga"),
            '^' => text.push_str("\\(ha"),
            '~' => text.push_str("\\(ti"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_shown_line_by_line_and_can_be_copied() {
        let help = "Examples:\n  regrant client list --json | jq '.items[]'\n  .hidden ~/x\n\nIt changes nothing.";
        let expected = ".SH EXAMPLES\n.nf\nregrant client list \\-\\-json | jq \\(aq.items[]\\(aq\n\\&.hidden \\(ti/x\n.fi\n.PP\nIt changes nothing.\n";
        assert_eq!(examples(help), expected);
        assert_eq!(examples(""), "");
    }

    #[test]
    fn a_page_is_called_as_its_command() {
        let inner = Command::new("inner").about("Does it.").after_help("Examples:\n  outer inner");
        let mut outer = Command::new("outer").subcommand(inner);
        outer.build();
        let (name, page) = page(outer.find_subcommand("inner").unwrap()).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(name, "outer-inner.1");
        assert!(
            page.contains(".TH outer-inner 1 ") && page.ends_with(".SH EXAMPLES\n.nf\nouter inner\n.fi\n"),
            "{page}"
        );
        assert!(!page.contains("EXTRA"), "{page}");
    }
}
