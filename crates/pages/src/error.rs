use askama::Template;

use crate::frame::Frame;
use crate::{Page, Pages};

/// A page that says what went wrong: for the person, and apart from that for the developer of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorPage {
    /// For people: what happened, in a few words.
    pub title: String,
    /// For people: what they can do.
    pub message: String,
    /// For the developer of the client: what was wrong with which value, and what to do. Never a secret.
    pub detail: Option<String>,
    /// The name of the request, by which whoever runs the server finds it again.
    pub request_id: Option<String>,
}

impl Pages {
    /// The page that says what went wrong.
    #[must_use]
    pub fn error(&self, page: &ErrorPage) -> Page {
        Page::new(&ErrorTemplate { frame: &self.frame, page, detail: page.detail.as_deref().map(sentence) }, None)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    frame: &'a Frame,
    page: &'a ErrorPage,
    detail: Option<String>,
}

/// The text as a sentence. The name of a parameter, which it may begin with, keeps its letters.
fn sentence(text: &str) -> String {
    let word_end = text.find(|character: char| !character.is_ascii_lowercase()).unwrap_or(text.len());
    let begins_with_a_word = text[word_end..].starts_with(' ') && !PARAMETERS.contains(&&text[..word_end]);
    let (first, rest) = text.split_at(usize::from(begins_with_a_word));
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{rest}{end}", first.to_ascii_uppercase())
}

/// The parameters of our forms that look like words.
const PARAMETERS: [&str; 4] = ["form", "request", "scope", "state"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Brand;

    #[test]
    fn the_developers_part_is_there_when_something_is_for_the_developer() {
        let pages = Pages::new(Brand::default(), "");
        for (detail, expected) in [(None, false), (Some("x".to_owned()), true)] {
            let page = ErrorPage { detail, ..ErrorPage::default() };
            assert_eq!(pages.error(&page).html.contains("For the developer"), expected, "{page:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_a_sentence() {
        for (detail, expected) in [
            ("the form has no decision", "The form has no decision."),
            ("client_id is missing", "client_id is missing."),
            ("state is too long", "state is too long."),
            ("GET is not one of the methods", "GET is not one of the methods."),
            ("Éa", "Éa."),
            ("a", "a."),
            ("", "."),
            ("two. Sentences.", "two. Sentences."),
        ] {
            assert_eq!(sentence(detail), expected);
        }
    }

    #[test]
    fn who_asks_for_help_has_a_number_to_give() {
        let page = ErrorPage { request_id: Some("edge-1".to_owned()), ..ErrorPage::default() };
        let html = Pages::new(Brand::default(), "").error(&page).html;
        assert!(html.contains("<span class=\"code\">edge-1</span>"), "{html}");
    }
}
