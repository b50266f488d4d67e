use askama::Template;

use crate::frame::Frame;
use crate::scope_words::Words;
use crate::{Client, Page, Pages};

/// The consent page, posted to `/consent` as `request`, `allow_0`, `allow_1` … with a scope name each, and
/// `decision=allow`, `deny` or `switch`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentPage {
    /// The hidden field `request`.
    pub request: String,
    /// Who asks.
    pub client: Client,
    /// The login name of who is asked.
    pub username: String,
    /// What is asked for, in order.
    pub scopes: Vec<ConsentScope>,
    /// When the access ends that the client is to get.
    pub access_end: AccessEnd,
    /// The resource servers that the token is for (RFC 8707).
    pub resources: Vec<String>,
    /// The page was open for too long, or comes from another browser: nothing was granted, and it is asked again.
    pub is_outdated: bool,
}

/// When the access of a client ends, as far as its user decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessEnd {
    /// By itself, as the client has nothing to go on with: the page does not speak of it.
    #[default]
    WithAccessToken,
    /// When the user disconnects it.
    WhenDisconnected,
    /// When the user logs out, or disconnects it before.
    WhenLoggedOut,
    /// When the user disconnects it, if the box of `offline_access` is ticked; otherwise when they log out.
    AsTicked,
}

/// One line of the consent page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentScope {
    /// The scope name.
    pub name: String,
    /// It cannot be left out: it has no box, and is sent in any case.
    pub is_required: bool,
}

impl Pages {
    /// The consent page.
    #[must_use]
    pub fn consent(&self, page: &ConsentPage) -> Page {
        let template = ConsentTemplate {
            frame: &self.frame,
            page,
            access_end: self.access_end(page.access_end),
            lines: page.scopes.iter().map(|scope| (scope, self.scope_words(&scope.name))).collect(),
        };
        Page::new(&template, page.client.destination_scheme.as_deref())
    }

    fn access_end(&self, end: AccessEnd) -> Option<String> {
        match end {
            AccessEnd::WithAccessToken => None,
            AccessEnd::WhenDisconnected => {
                Some("It stays connected until you disconnect it, also after you have logged out.".to_owned())
            }
            AccessEnd::WhenLoggedOut => Some("Its access ends when you log out.".to_owned()),
            AccessEnd::AsTicked => {
                let box_title = self.scope_words("offline_access").title;
                Some(format!("Without “{box_title}” its access ends when you log out."))
            }
        }
    }
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentTemplate<'a> {
    frame: &'a Frame,
    page: &'a ConsentPage,
    access_end: Option<String>,
    lines: Vec<(&'a ConsentScope, Words<'a>)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Brand;

    fn html_of(scopes: &[(&str, bool)]) -> String {
        let scopes =
            scopes.iter().map(|&(name, is_required)| ConsentScope { name: name.to_owned(), is_required }).collect();
        let client = Client { name: "Photos".to_owned(), ..Client::default() };
        Pages::new(Brand::default(), "").consent(&ConsentPage { client, scopes, ..ConsentPage::default() }).html
    }

    #[test]
    fn every_scope_is_sent_under_its_number() {
        let html = html_of(&[("openid", true), ("email", false)]);
        assert!(html.contains(r#"<input type="hidden" name="allow_0" value="openid">"#));
        assert!(html.contains(r#"name="allow_1" value="email" checked"#));
    }

    #[test]
    fn the_page_says_when_the_access_ends() {
        let pages = Pages::new(Brand::default(), "");
        let sentences = [
            (
                AccessEnd::WhenDisconnected,
                "It stays connected until you disconnect it, also after you have logged out.",
            ),
            (AccessEnd::WhenLoggedOut, "Its access ends when you log out."),
            (AccessEnd::AsTicked, "Without “Stay connected” its access ends when you log out."),
        ];
        for end in [AccessEnd::WithAccessToken].into_iter().chain(sentences.map(|(end, _)| end)) {
            let html = pages.consent(&ConsentPage { access_end: end, ..ConsentPage::default() }).html;
            for (said, sentence) in sentences {
                assert_eq!(html.contains(sentence), said == end, "{end:?}: {sentence}");
            }
        }
    }
}
