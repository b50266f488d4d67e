//! Where SQL may stand.

use crate::assert_none;
use crate::workspace::{self, Source};

const RULE: &str = "The SQL of our tables is only in the two stores, other systems' SQL only in import; \
     everybody else asks the store for a step.";

/// The crates that may hold SQL.
const MAY_HOLD_SQL: &[&str] = &["store-sqlite", "store-postgres", "import"];

#[test]
fn only_the_stores_and_import_hold_sql() {
    let mut violations = Vec::new();
    for package in workspace::packages() {
        if MAY_HOLD_SQL.contains(&package.name.as_str())
            || !package.folder.starts_with(workspace::root().join("crates"))
        {
            continue;
        }
        for Source { path, text } in workspace::rust_sources(&package.folder.join("src")) {
            for line in lines_with_sql(&text) {
                violations.push(format!("{path}:{line} holds SQL. {RULE}"));
            }
        }
        for file in workspace::files(&package.folder) {
            if file.extension().is_some_and(|extension| extension == "sql") {
                violations.push(format!("{} holds SQL. {RULE}", workspace::relative(&file)));
            }
        }
    }
    assert_none(&violations);
}

/// The lines on which a string literal begins that reads like a statement of SQL.
fn lines_with_sql(text: &str) -> Vec<usize> {
    text.match_indices('"')
        .filter(|(quote, _)| {
            let literal = text[quote + 1..].trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
            let literal = literal.split('"').next().unwrap_or_default();
            is_sql(literal)
        })
        .map(|(quote, _)| text[..quote].matches('\n').count() + 1)
        .collect()
}

fn is_sql(literal: &str) -> bool {
    const BEGINNINGS: &[&str] = &["SELECT ", "SELECT\n", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA "];
    let is_update = literal.starts_with("UPDATE ") && literal.split_whitespace().any(|word| word == "SET");
    is_update || BEGINNINGS.iter().any(|beginning| literal.starts_with(beginning))
}

#[test]
fn sql_is_recognized_at_the_start_of_a_string() {
    let cases: &[(&str, &[usize], &str)] = &[
        (r#"query("SELECT id FROM grant_row")"#, &[1], "on one line"),
        ("query(\n    \"\n    SELECT id\"\n)", &[2], "on the lines after the quote"),
        ("execute(\"\\\n    UPDATE grant_row\n    SET version = 2\")", &[1], "an update with what it sets"),
        (r#"execute(r"INSERT INTO client VALUES (1)")"#, &[1], "in a raw string"),
        (r#"event("UPDATE your settings")"#, &[], "a word of English"),
        ("// SELECT this", &[], "a comment"),
        (r#"error("use SELECT instead")"#, &[], "in the middle of a sentence"),
    ];
    for (text, expected, why) in cases {
        assert_eq!(lines_with_sql(text), *expected, "{why}");
    }
}
