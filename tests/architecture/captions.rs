//! Every dependency has its reason beside it, and every crate its caption.

use crate::assert_none;
use crate::workspace;

#[test]
fn every_dependency_has_a_reason_beside_it() {
    let manifest = workspace::read("Cargo.toml");
    assert_none(&violations(
        lines_between(&manifest, "[workspace.dependencies]", "[")
            .filter(|line| line.contains(" = ") && !line.contains("path = \"crates/")),
        "has no reason beside it. Every dependency in the root Cargo.toml is one line that ends in `# why we need it`",
    ));
}

#[test]
fn every_workspace_member_has_a_caption() {
    let manifest = workspace::read("Cargo.toml");
    assert_none(&violations(
        lines_between(&manifest, "members = [", "]"),
        "has no caption. Every member in the root Cargo.toml is one line that ends in `# what it is`",
    ));
}

/// The lines after the one that is `start` up to one that begins with `end`, without blank ones and comments.
fn lines_between<'a>(text: &'a str, start: &str, end: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != start)
        .skip(1)
        .take_while(|line| !line.starts_with(end))
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(!lines.is_empty(), "Cargo.toml has no line, or nothing after the line, `{start}`");
    lines.into_iter()
}

fn violations<'a>(lines: impl Iterator<Item = &'a str>, rule: &str) -> Vec<String> {
    lines.filter(|line| !has_comment(line)).map(|line| format!("`{line}` {rule}.")).collect()
}

/// Whether `line` ends in a comment with words in it.
fn has_comment(line: &str) -> bool {
    line.rsplit_once('#').is_some_and(|(_, comment)| !comment.trim().is_empty() && !comment.contains('"'))
}

#[test]
fn a_comment_is_told_from_a_number_sign_in_a_string() {
    let cases = [
        (r#"subtle = "2.6.1" # constant-time comparison"#, true, "a reason"),
        (r#"subtle = "2.6.1""#, false, "none"),
        (r#"subtle = "2.6.1" #"#, false, "an empty one"),
        (r#"page = { git = "https://example.com/#main" }"#, false, "a number sign inside a string"),
    ];
    for (line, expected, why) in cases {
        assert_eq!(has_comment(line), expected, "{why}");
    }
}
