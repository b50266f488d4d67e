//! The tags of a page, read as a browser reads them. Our pages escape `<` and `"` in every text and quote every
//! attribute, so that no more than this is needed; a page that does not is refused.

/// A start or end tag.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) is_end: bool,
    pub(crate) attributes: Vec<(String, String)>,
    /// The text between this tag and the next.
    pub(crate) text: String,
}

impl Tag {
    /// The value of an attribute; empty when it has none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        !self.is_end && self.name == name
    }
}

/// The tags of `html` in their order. Panics where it is not what our templates are to write.
pub(crate) fn read(html: &str) -> Vec<Tag> {
    let html = html.strip_prefix("<!doctype html>\n").expect("a page begins with its doctype");
    html.split('<').skip(1).map(read_tag).collect()
}

fn read_tag(source: &str) -> Tag {
    let (mut inside, text) = split_at_end(source);
    let is_end = inside.starts_with('/');
    inside = inside.trim_start_matches('/');
    let (name, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside.trim_end_matches('/'), ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start().trim_start_matches('/');
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = &rest[..end];
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "attribute {name:?} in <{source}");
        rest = &rest[end..];
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix('=') {
            let quoted = quoted.strip_prefix('"').unwrap_or_else(|| panic!("an attribute is not quoted: <{source}"));
            (value, rest) = quoted.split_once('"').unwrap_or_else(|| panic!("a quote is not closed: <{source}"));
        }
        attributes.push((name.to_owned(), value.to_owned()));
    }
    Tag { name: name.to_owned(), is_end, attributes, text: text.to_owned() }
}

/// What is inside of the tag that `source` begins in, and what follows it.
fn split_at_end(source: &str) -> (&str, &str) {
    let mut is_quoted = false;
    for (at, character) in source.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return (&source[..at], &source[at + 1..]),
            _ => {}
        }
    }
    panic!("a tag is not closed: <{source}")
}
