use std::ops::RangeInclusive;

use toml::de::Error;

use crate::config::document::Document;
use crate::config::file::line_at;
use crate::config::problem::{Fault, Problem};

/// Where a file is not TOML: what else is said about these lines follows from that, and what is missing may be there.
#[derive(Default)]
pub(super) struct SyntaxErrors {
    problems: Vec<Problem>,
    lines: Vec<RangeInclusive<usize>>,
}

impl SyntaxErrors {
    /// What to say about each of the library's errors that does not only follow from another.
    pub(super) fn explain(document: &Document<'_>, errors: Vec<Error>) -> Self {
        let mut found = Self::default();
        // What is not closed swallows all that follows, and makes nonsense of it.
        let (unclosed, other): (Vec<_>, Vec<_>) = errors.into_iter().partition(is_unclosed);
        for error in unclosed.iter().chain(&other) {
            found.add(document, error);
        }
        found
    }

    fn add(&mut self, document: &Document<'_>, error: &Error) {
        let text = document.file.text.as_bytes();
        let offset = error.span().map_or(0, |span| span.start);
        let around = document.around(offset);
        let begins = around.as_ref().map(|(_, start)| *start).filter(|_| is_unclosed(error));
        let place = begins.unwrap_or(offset);
        let line = line_at(text, place);
        if self.lines.iter().any(|lines| lines.contains(&line)) {
            return;
        }
        let last = if error.message().starts_with(UNCLOSED_HEADER) { next_header(text, offset) } else { offset };
        self.lines.push(line..=line_at(text, last));
        let key = around.map(|(key, _)| key).or_else(|| repeated_key(document, error)).unwrap_or_default();
        self.problems.push(Problem { origin: document.file.at(place), key, fault: fault(error) });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds these to `problems`, and takes away what follows from them.
    pub(super) fn merge_into(self, problems: &mut Vec<Problem>) {
        if !self.is_empty() {
            problems.retain(|problem| {
                let may_be_there = matches!(problem.fault, Fault::Missing(_) | Fault::Registration(_));
                !may_be_there && !self.lines.iter().any(|lines| problem.is_within(lines))
            });
        }
        problems.extend(self.problems);
    }
}

/// The fault in our words where the library's are hard to read, and never with a value.
fn fault(error: &Error) -> Fault {
    let message = error.message();
    let ours = KNOWN.iter().find(|(theirs, _)| message.starts_with(theirs));
    ours.map_or_else(|| Fault::Toml(message.to_owned()), |(_, ours)| Fault::Syntax(ours))
}

/// How the library begins what it says, and what to say instead.
const KNOWN: [(&str, &str); 9] = [
    (UNCLOSED_LIST, "the list that begins here is not closed; end it with ]"),
    (UNCLOSED_TABLE, "the table that begins here is not closed; end it with }"),
    (UNCLOSED_HEADER, "the name of the section is not closed; end it with ]"),
    (REPEATED, "it is said twice; keep one"),
    ("string values must be quoted", "a text has to be in quotes: \"…\""),
    ("key with no value", "a key needs a value: KEY = VALUE"),
    ("invalid basic string", "the text is not closed; end it with \""),
    ("invalid literal string", "the text is not closed; end it with '"),
    (
        "missing escaped value",
        "a backslash begins an escape inside \"…\"; write \\\\ for a backslash, or '…' around the text",
    ),
];
const UNCLOSED_LIST: &str = "unclosed array";
const UNCLOSED_TABLE: &str = "unclosed inline table";
const UNCLOSED_HEADER: &str = "unclosed table";
const REPEATED: &str = "duplicate key";

/// Whether a list or an inline table never ends.
fn is_unclosed(error: &Error) -> bool {
    [UNCLOSED_LIST, UNCLOSED_TABLE].iter().any(|beginning| error.message().starts_with(beginning))
}

/// What messages call the key or the section that is said twice, if that is the error.
fn repeated_key(document: &Document<'_>, error: &Error) -> Option<String> {
    let span = error.span().filter(|_| error.message().starts_with(REPEATED))?;
    let text: &str = &document.file.text;
    let (before, name) = (text.get(..span.start)?, text.get(span.clone())?);
    let is_header = before.ends_with('[');
    let label = document.enclosing(span.start).filter(|_| !is_header).map(|(label, _)| label).unwrap_or_default();
    Some(format!("{label}{name}"))
}

/// Where the next section begins behind `offset`: a header that is not closed goes on until there.
fn next_header(text: &[u8], offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    rest.windows(2).position(|bytes| bytes == b"\n[").map_or(text.len(), |found| offset + found + 1)
}
