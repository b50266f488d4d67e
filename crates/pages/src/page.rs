use std::fmt;

use askama::Template;

/// A page, and the content security policy that it must be sent with.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTML. It can hold secrets: it must not be cached or logged.
    pub html: String,
    /// The value of `Content-Security-Policy`.
    pub content_security_policy: String,
}

impl Page {
    /// The page of `template`, whose forms may lead back to an address of the scheme `destination`, where there is one.
    pub(crate) fn new(template: &impl Template, destination: Option<&str>) -> Self {
        Self {
            html: template.render().expect("a String takes everything that is written to it"),
            content_security_policy: content_security_policy(destination),
        }
    }

    /// The page with one script allowed, named by the SHA-256 of its text in base64.
    pub(crate) fn with_script(mut self, sha256: &str) -> Self {
        self.content_security_policy.push_str(&format!("; script-src 'sha256-{sha256}'"));
        self
    }
}

/// Nothing but our own stylesheet and pictures, no frames around the page, and no forms to elsewhere. Browsers hold a
/// form to `form-action` through every redirect that follows it, so a page that leads back to a client must admit the
/// client's scheme, and `https`, by which the client may send the browser on.
fn content_security_policy(destination: Option<&str>) -> String {
    let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'self'"
        .to_owned();
    if let Some(scheme) = destination.filter(|scheme| is_scheme(scheme)) {
        policy.push_str(" https:");
        if scheme != "https" {
            policy.push_str(&format!(" {scheme}:"));
        }
    }
    policy
}

/// Whether `text` is a scheme (RFC 3986 §3.1), and so cannot add a directive to the policy.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} bytes)", self.html.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_to_ourselves_and_back_to_the_client() {
        let cases = [
            (None, "'self'"),
            (Some("https"), "'self' https:"),
            (Some("http"), "'self' https: http:"),
            (Some("com.example.app"), "'self' https: com.example.app:"),
            (Some("*"), "'self'"),
            (Some(""), "'self'"),
            (Some("https:; script-src *"), "'self'"),
        ];
        for (destination, expected) in cases {
            assert_eq!(
                content_security_policy(destination),
                format!(
                    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                     form-action {expected}"
                ),
                "{destination:?}"
            );
        }
    }

    #[test]
    fn a_page_is_not_printed() {
        let page = Page { html: "code=abc".to_owned(), content_security_policy: String::new() };
        assert_eq!(format!("{page:?}"), "Page(8 bytes)");
    }
}
