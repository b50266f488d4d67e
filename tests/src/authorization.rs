use form_urlencoded::{byte_serialize, parse};

use crate::Answer;

/// A code verifier, and the challenge that belongs to it (RFC 7636 Appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The S256 challenge of [`VERIFIER`].
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The parameters of a request to the authorization endpoint, in order.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    parameters: Vec<(String, String)>,
}

impl AuthorizationRequest {
    pub(crate) fn new(client_id: &str, redirect_uri: Option<&str>) -> Self {
        let request = Self { parameters: Vec::new() }.with("response_type", "code").with("client_id", client_id);
        let request = match redirect_uri {
            Some(redirect_uri) => request.with("redirect_uri", redirect_uri),
            None => request,
        };
        request.with("state", "xyz").with("code_challenge", CHALLENGE).with("code_challenge_method", "S256")
    }

    /// The request with this value of a parameter, instead of any that it had.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// The request with one parameter more, be it there already.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The request without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(own, _)| own != name);
        self
    }

    /// The request without PKCE.
    #[must_use]
    pub fn without_pkce(self) -> Self {
        self.without("code_challenge").without("code_challenge_method")
    }

    /// The query that asks for it.
    #[must_use]
    pub fn query(&self) -> String {
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pairs = self.parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// What it says, as a form would.
    #[must_use]
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }
}

/// What the client learns from a redirect: where the browser goes, and with which parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The address without its query.
    pub address: String,
    /// The parameters of the query, decoded once, in order.
    pub parameters: Vec<(String, String)>,
}

impl Redirect {
    /// Takes a `Location` apart.
    #[must_use]
    pub fn parse(location: &str) -> Self {
        let (address, query) = location.split_once('?').unwrap_or((location, ""));
        Self { address: address.to_owned(), parameters: parse(query.as_bytes()).into_owned().collect() }
    }

    /// The value of a parameter, which must not come twice.
    #[track_caller]
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.parameters.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} comes twice: {self:?}");
        value
    }

    /// The code that the client is given.
    #[track_caller]
    pub fn code(&self) -> String {
        self.get("code").unwrap_or_else(|| panic!("no code in {self:?}")).to_owned()
    }
}

impl Answer {
    /// Status 303: where the browser is sent.
    #[track_caller]
    pub fn redirect(&self) -> Redirect {
        assert_eq!(self.status, 303, "no redirect: {}", self.text_of_body());
        Redirect::parse(self.header("location").expect("a redirect has a Location"))
    }

    /// A page that sends nobody anywhere.
    #[track_caller]
    pub fn assert_page(self, status: u16) -> Self {
        let found = (self.status.as_u16(), self.header("location"), self.header("content-type"));
        assert_eq!(found, (status, None, Some("text/html; charset=utf-8")), "{}", self.text_of_body());
        self
    }

    /// An error that the client is told by redirect.
    #[track_caller]
    pub fn assert_redirect_error(&self, code: &str) -> Redirect {
        let redirect = self.redirect();
        let found = (redirect.get("error"), redirect.get("code"));
        assert_eq!(found, (Some(code), None), "{redirect:?}");
        redirect
    }

    /// The login page.
    #[track_caller]
    pub fn assert_login_page(self) -> Self {
        let page = self.assert_page(200);
        assert!(page.form("/login").is_some(), "no login page: {}", page.text_of_body());
        page
    }

    /// The consent page.
    #[track_caller]
    pub fn assert_consent_page(self) -> Self {
        let page = self.assert_page(200);
        assert!(page.form("/consent").is_some(), "no consent page: {}", page.text_of_body());
        page
    }
}
