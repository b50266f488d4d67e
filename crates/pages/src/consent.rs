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
    /// What is asked for, in order. With `offline_access` among them the page says what that means.
    pub scopes: Vec<ConsentScope>,
    /// The resource servers that the token is for (RFC 8707).
    pub resources: Vec<String>,
    /// The page was open for too long, or comes from another browser: nothing was granted, and it is asked again.
    pub is_outdated: bool,
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
            stays_connected: page.scopes.iter().any(|scope| scope.name == "offline_access"),
            lines: page.scopes.iter().map(|scope| (scope, self.scope_words(&scope.name))).collect(),
        };
        Page::new(&template, page.client.destination_scheme.as_deref())
    }
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentTemplate<'a> {
    frame: &'a Frame,
    page: &'a ConsentPage,
    stays_connected: bool,
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
    fn the_heading_says_that_an_app_stays_connected() {
        let connected = "Photos</bdi> wants to stay connected";
        assert!(html_of(&[("email", false), ("offline_access", false)]).contains(connected));
        assert!(!html_of(&[("email", false)]).contains(connected));
    }
}
