//! A browser, as far as redirects, cookies and forms go.

use std::collections::BTreeMap;

use ureq::Agent;
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};
use ureq::http::{Response, StatusCode};

/// A browser that follows no redirect by itself.
pub(crate) struct Browser {
    agent: Agent,
    /// The server that it speaks to.
    pub(crate) url: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What a server answered.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    location: Option<String>,
    pub(crate) body: String,
}

impl Page {
    /// Where it sends the browser.
    #[track_caller]
    pub(crate) fn redirect(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.location.as_deref().expect("a redirect has a Location")
    }

    /// The value of the field `request` of its form.
    #[track_caller]
    pub(crate) fn request(&self) -> &str {
        let behind = self.body.split("name=\"request\" value=\"").nth(1).unwrap_or_else(|| panic!("{}", self.body));
        behind.split('"').next().expect("an attribute ends")
    }
}

impl Browser {
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder().max_redirects(0).http_status_as_error(false).build();
        Self { agent: config.into(), url: url.to_owned(), cookies: BTreeMap::new() }
    }

    fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn open(&mut self, path: &str) -> Page {
        let request = self.agent.get(format!("{}{path}", self.url)).header(COOKIE, self.cookie_header());
        let answer = request.call().expect("it answers");
        self.keep(answer)
    }

    pub(crate) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let form = fields.iter().map(|(name, value)| (*name, *value));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.agent.post(format!("{}{path}", self.url)).header(COOKIE, self.cookie_header());
        let answer = request.content_type("application/x-www-form-urlencoded").send(form).expect("it answers");
        self.keep(answer)
    }

    fn keep(&mut self, mut answer: Response<ureq::Body>) -> Page {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("cookies are text");
            let (pair, attributes) = cookie.split_once("; ").expect("ours have attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = answer.headers().get(LOCATION).map(|to| to.to_str().expect("it is text").to_owned());
        let body = answer.body_mut().read_to_string().expect("pages are text");
        Page { status: answer.status(), location, body }
    }
}

/// The value of a parameter of a URL.
#[track_caller]
pub(crate) fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let mut parameters = url.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('='));
    parameters.find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no {name} in {url}")).1
}
