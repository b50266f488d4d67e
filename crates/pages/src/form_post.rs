use std::fmt;

use askama::Template;

use crate::frame::Frame;
use crate::{Page, Pages};

/// The page that posts an authorization response to the client (OAuth 2.0 Form Post Response Mode §2): by a script of
/// its own where scripts run, by a button where not.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FormPostPage {
    /// The redirect URI.
    pub action: String,
    /// The parameters of the response, secrets among them.
    pub fields: Vec<(String, String)>,
}

impl Pages {
    /// The page that posts an authorization response to the client.
    #[must_use]
    pub fn form_post(&self, page: &FormPostPage) -> Page {
        let scheme = page.action.split_once(':').map(|(scheme, _)| scheme);
        Page::new(&FormPostTemplate { frame: &self.frame, page, script: SCRIPT }, scheme).with_script(SCRIPT_SHA256)
    }
}

/// The method of the prototype, because a field of the response may be called `submit`.
const SCRIPT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0])";

/// The SHA-256 of [`SCRIPT`] in base64.
const SCRIPT_SHA256: &str = "ox4bri+xTrW3kuLTyRoak73QX8KZGuyP3JlQYusbSlA=";

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPostTemplate<'a> {
    frame: &'a Frame,
    page: &'a FormPostPage,
    script: &'static str,
}

impl fmt::Debug for FormPostPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormPostPage").field("action", &self.action).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Brand;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use regrant_crypto::sha256;

    fn page() -> FormPostPage {
        let fields = vec![("code".to_owned(), "c0de".to_owned()), ("state".to_owned(), "st\"at<e".to_owned())];
        FormPostPage { action: "com.example.app:/cb".to_owned(), fields }
    }

    #[test]
    fn the_policy_admits_the_script_of_the_page_and_no_other() {
        let Page { html, content_security_policy } = Pages::new(Brand::default(), "").form_post(&page());
        let script = html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
        let hash = STANDARD.encode(sha256(script.as_bytes()));
        assert!(content_security_policy.ends_with(&format!("; script-src 'sha256-{hash}'")), "{hash}");
        assert_eq!(html.matches("<script").count(), 1);
    }

    #[test]
    fn the_form_goes_to_the_client_with_every_field() {
        let Page { html, content_security_policy } = Pages::new(Brand::default(), "").form_post(&page());
        assert!(html.contains(r#"<form method="post" action="com.example.app:/cb">"#));
        assert!(html.contains(r#"<input type="hidden" name="code" value="c0de">"#));
        assert!(html.contains(r#"<input type="hidden" name="state" value="st&#34;at&#60;e">"#));
        assert!(content_security_policy.contains("form-action 'self' https: com.example.app:;"));
    }

    #[test]
    fn the_response_is_not_printed() {
        assert_eq!(format!("{:?}", page()), r#"FormPostPage { action: "com.example.app:/cb", .. }"#);
    }
}
