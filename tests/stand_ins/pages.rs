//! The pages `docs/stand-ins/<system>.md`, which are made from the files with the cases.

use std::fmt::Write;
use std::fs;

use crate::system::{Mark, Row, SYSTEMS, System, folder};

#[test]
fn the_pages_are_what_the_files_say() {
    for name in SYSTEMS {
        let kept = fs::read_to_string(folder().join(format!("{name}.md"))).unwrap_or_default();
        assert!(
            kept == page(&System::read(name)),
            "docs/stand-ins/{name}.md is out of date; run: \
             cargo test -p regrant-tests --test stand_ins -- --ignored write_the_pages"
        );
    }
}

#[test]
#[ignore = "writes docs/stand-ins/*.md"]
fn write_the_pages() {
    for name in SYSTEMS {
        fs::write(folder().join(format!("{name}.md")), page(&System::read(name))).expect("the folder is there");
    }
}

fn page(system: &System) -> String {
    let System { name, title, rows, .. } = system;
    let count = |mark| rows.iter().filter(|row| row.mark == mark).count();
    let mut page = format!(
        "# {title}\n\nMade from [{name}.toml]({name}.toml), where the cases are; what the words mean is in [README.md](README.md).\n\
         `stand_in = \"{name}\"` is set, and the clients at the top of that file are there; what else a case sets stands beside it.\n\n\
         {} rows: {} identical, {} alike, {} safer on purpose, {} not offered.\n",
        rows.len(),
        count(Mark::Identical),
        count(Mark::Alike),
        count(Mark::Safer),
        count(Mark::NotOffered)
    );
    let mut section = "";
    for row in rows {
        if row.section != section {
            section = &row.section;
            let heading = "\n## {section}\n\n| what | the original | regrant | why | cases |\n|---|---|---|---|---|\n";
            page.push_str(&heading.replace("{section}", section));
        }
        page.push_str(&line(row));
    }
    page
}

fn line(row: &Row) -> String {
    let mark = match row.mark {
        Mark::Identical => "identical",
        Mark::Alike => "*alike*",
        Mark::Safer => "*safer*",
        Mark::NotOffered => "*not offered*",
    };
    let why = row.why.as_deref().unwrap_or_default();
    let mut line = String::new();
    for cell in [&row.what, &format!("`{}`", row.original.replace('`', "'")), mark, why, &cases(row)] {
        write!(line, "| {} ", cell.replace('|', "\\|")).expect("a text takes everything");
    }
    line + "|\n"
}

/// How many cases there are, and which lines of the configuration they are run with.
fn cases(row: &Row) -> String {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for case in &row.cases {
        let lines = case.configuration.as_str();
        match groups.iter_mut().find(|(known, _)| *known == lines) {
            Some((_, count)) => *count += 1,
            None => groups.push((lines, 1)),
        }
    }
    let shown = groups.into_iter().map(|(lines, count)| match lines {
        "" => count.to_string(),
        lines => format!("{count} with `{}`", lines.trim_end().replace("]\n", "] ").replace('\n', "`, `")),
    });
    let shown: Vec<_> = shown.collect();
    if shown.is_empty() { "0".to_owned() } else { shown.join("; ") }
}
