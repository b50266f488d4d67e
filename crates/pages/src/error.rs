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
}

impl Pages {
    /// The page that says what went wrong.
    #[must_use]
    pub fn error(&self, page: &ErrorPage) -> Page {
        Page::new(&ErrorTemplate { frame: &self.frame, page }, None)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    frame: &'a Frame,
    page: &'a ErrorPage,
}

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
}
