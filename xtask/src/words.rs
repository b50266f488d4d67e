//! Words that no tracked file may contain: marks of work left over, and lints silenced without a reason.

use std::fs;
use std::process::Command;

/// Searches every tracked file for [`FORBIDDEN`]; the error lists each find as `file:line`.
pub(crate) fn run() -> Result<(), String> {
    let files = tracked_files()?;
    let mut finds = Vec::new();
    for file in &files {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            // Deleted and not yet committed, or a link to a folder.
            Err(_) if !fs::metadata(file).is_ok_and(|found| found.is_file()) => continue,
            Err(error) => return Err(format!("{file} cannot be read: {error}")),
        };
        for (line, forbidden) in forbidden_in(&String::from_utf8_lossy(&bytes)) {
            finds.push(format!("{file}:{line}: `{}`: {}", forbidden.text, forbidden.instead));
        }
    }
    println!("searched {} files", files.len());
    if finds.is_empty() { Ok(()) } else { Err(format!("these words may not be committed:\n{}", finds.join("\n"))) }
}

struct Forbidden {
    text: &'static str,
    instead: &'static str,
}

const FINISH: &str = "finish it, or write down elsewhere what is left";
const SAY_WHY: &str = "mend the cause, or say why it stays: #[expect(…, reason = \"…\")]";

/// Each text is written in two pieces, so that this file passes its own search.
const FORBIDDEN: &[Forbidden] = &[
    Forbidden { text: concat!("TO", "DO"), instead: FINISH },
    Forbidden { text: concat!("FIX", "ME"), instead: FINISH },
    Forbidden { text: concat!("XX", "X"), instead: FINISH },
    Forbidden { text: concat!("todo", "!("), instead: FINISH },
    Forbidden { text: concat!("unimplemented", "!("), instead: FINISH },
    Forbidden { text: concat!("#[", "allow("), instead: SAY_WHY },
    Forbidden { text: concat!("#![", "allow("), instead: SAY_WHY },
];

/// Every forbidden text in `source`, with the number of its line.
fn forbidden_in(source: &str) -> Vec<(usize, &'static Forbidden)> {
    let mut finds = Vec::new();
    for (index, line) in source.lines().enumerate() {
        for forbidden in FORBIDDEN {
            if contains_whole(line, forbidden.text) {
                finds.push((index + 1, forbidden));
            }
        }
    }
    finds
}

/// Whether `text` stands in `line` and is not a piece of a longer word: base64 may spell anything.
fn contains_whole(line: &str, text: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(text).any(|(start, _)| {
        let continues_before = text.starts_with(is_word) && line[..start].ends_with(is_word);
        let continues_after = text.ends_with(is_word) && line[start + text.len()..].starts_with(is_word);
        !continues_before && !continues_after
    })
}

fn tracked_files() -> Result<Vec<String>, String> {
    // A checkout may belong to another user than the one who checks it.
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .output()
        .map_err(|error| format!("`git ls-files` cannot be started: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`git ls-files` failed with {}: {}", output.status, why.trim()));
    }
    let listing = String::from_utf8_lossy(&output.stdout);
    let files: Vec<String> = listing.split_terminator('\0').map(str::to_owned).collect();
    if files.is_empty() {
        return Err("git tracks no file here, so nothing was searched; add the files first".to_owned());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_texts_are_found_on_their_line_and_only_as_whole_words() {
        let cases = [
            (format!("a\n// {}: later", FORBIDDEN[0].text), vec![2], "a comment"),
            (format!("{}(#1)", FORBIDDEN[0].text), vec![1], "a mark with a number is a mark"),
            (format!("x{}y", FORBIDDEN[2].text), vec![], "a piece of base64"),
            (format!("{}_NAME", FORBIDDEN[1].text), vec![], "a piece of an identifier"),
            (format!("    {})", FORBIDDEN[3].text), vec![1], "a macro call"),
            (
                format!("{}dead_code)]\n{}dead_code)]", FORBIDDEN[5].text, FORBIDDEN[6].text),
                vec![1, 2],
                "both attributes",
            ),
            ("todo = \"deny\"".to_owned(), vec![], "the name of a lint"),
        ];
        for (source, expected, why) in cases {
            let lines: Vec<usize> = forbidden_in(&source).iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, expected, "{why}");
        }
    }

    #[test]
    fn this_file_passes_its_own_search() {
        assert!(forbidden_in(include_str!("words.rs")).is_empty());
    }
}
