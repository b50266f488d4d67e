use std::collections::BTreeMap;

use crate::{Answer, AuthorizationRequest, Form, PASSWORD, Redirect, Request, TestServer, USERNAME};

/// A person's browser. It keeps cookies as browsers do, and follows a redirect only when it is told to.
pub struct UserAgent<'a> {
    server: &'a TestServer,
    cookies: BTreeMap<String, Cookie>,
    name: String,
    address: Option<String>,
}

#[derive(Clone, Debug)]
struct Cookie {
    value: String,
    expires_at_seconds: Option<i64>,
}

impl<'a> UserAgent<'a> {
    pub(crate) fn new(server: &'a TestServer) -> Self {
        let name = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned();
        Self { server, cookies: BTreeMap::new(), name, address: None }
    }

    /// The browser at another address.
    #[must_use]
    pub fn at_address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// Another browser with the same cookies, as a thief of cookies has.
    #[must_use]
    pub fn copy(&self) -> Self {
        let Self { server, cookies, name, address } = self;
        Self { server, cookies: cookies.clone(), name: name.clone(), address: address.clone() }
    }

    /// The value of a cookie whose name ends so.
    #[must_use]
    pub fn cookie(&self, name_end: &str) -> Option<&str> {
        self.cookies.iter().find(|(name, _)| name.ends_with(name_end)).map(|(_, cookie)| cookie.value.as_str())
    }

    /// Loses the cookies whose names end so.
    pub fn forget_cookie(&mut self, name_end: &str) {
        self.cookies.retain(|name, _| !name.ends_with(name_end));
    }

    /// `GET` of a path below the host, as when a link of another site is followed.
    pub async fn open(&mut self, path: &str) -> Answer {
        let request = self.server.get(path).content_types(&[]).header("sec-fetch-site", "cross-site");
        self.send(request, true).await
    }

    /// `GET` of a path below the host, as after a redirect of ours.
    pub async fn go_to(&mut self, path: &str) -> Answer {
        let request = self.server.get(path).content_types(&[]).header("sec-fetch-site", "same-origin");
        self.send(request, true).await
    }

    /// Follows a redirect to a page of the server.
    #[track_caller]
    pub fn follow(&mut self, answer: &Answer) -> impl Future<Output = Answer> {
        assert_eq!(answer.status, 303, "no redirect: {}", answer.text_of_body());
        let location = answer.header("location").expect("a redirect has a Location").to_owned();
        assert!(location.starts_with('/'), "the redirect leaves the server: {location}");
        async move { self.go_to(&location).await }
    }

    /// Sends a form of a page of ours.
    pub async fn submit(&mut self, form: Form) -> Answer {
        let origin = self.own_origin();
        self.submit_with(form, &[("sec-fetch-site", "same-origin"), ("origin", origin)]).await
    }

    /// The request of [`UserAgent::submit`], to be sent at once with others; its answer changes no cookie.
    #[must_use]
    pub fn prepare(&self, form: &Form) -> Request {
        let request = with_fields(self.server.post(&form.action), &form.fields);
        let request = request.header("sec-fetch-site", "same-origin").header("origin", self.own_origin());
        self.as_this_browser(request, true)
    }

    fn own_origin(&self) -> &'a str {
        let issuer = self.server.engine.issuer();
        issuer.as_str().strip_suffix(issuer.path()).expect("an issuer ends with its path")
    }

    /// Sends a form with our cookies, whatever the headers say of where it comes from.
    pub async fn submit_with(&mut self, form: Form, headers: &[(&str, &str)]) -> Answer {
        assert_eq!(form.method, "post", "{form:?}");
        let request = with_fields(self.server.post(&form.action), &form.fields);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        self.send(request, true).await
    }

    /// Sends a form that a page of another site holds: our cookies do not come along.
    pub async fn submit_from_elsewhere(&mut self, form: Form) -> Answer {
        let request = with_fields(self.server.post(&form.action), &form.fields);
        let request = request.header("sec-fetch-site", "cross-site").header("origin", "https://evil.example");
        self.send(request, false).await
    }

    /// An authorization request, as the client sends the browser to us.
    pub async fn authorize(&mut self, request: &AuthorizationRequest) -> Answer {
        let path = format!("{}?{}", self.server.path("/authorize"), request.query());
        self.open(&path).await
    }

    /// Enters the user that every server knows into a login page.
    pub async fn log_in(&mut self, page: &Answer) -> Answer {
        self.log_in_as(page, USERNAME, PASSWORD).await
    }

    /// Enters name and password into a login page.
    pub async fn log_in_as(&mut self, page: &Answer, username: &str, password: &str) -> Answer {
        let form = page.required_form("/login").fill("username", username).fill("password", password);
        self.submit(form.press("action", "login")).await
    }

    /// Allows everything that a consent page asks.
    pub async fn allow(&mut self, page: &Answer) -> Answer {
        self.submit(consent_form(page).press("decision", "allow")).await
    }

    /// Refuses what a consent page asks.
    pub async fn deny(&mut self, page: &Answer) -> Answer {
        self.submit(consent_form(page).press("decision", "deny")).await
    }

    /// Goes as far as the user need only be asked, logging in where that is due: the consent page, or what the client is told
    /// when no question is left.
    pub async fn reach_consent(&mut self, request: &AuthorizationRequest) -> Answer {
        let page = self.authorize(request).await;
        if page.form("/login").is_none() {
            return page;
        }
        let resume = self.log_in(&page).await;
        self.follow(&resume).await
    }

    /// Goes all the way: logs in and allows everything where that is due, and says where the client's answer goes.
    pub async fn approve(&mut self, request: &AuthorizationRequest) -> Redirect {
        let page = self.reach_consent(request).await;
        if page.form("/consent").is_none() {
            return page.redirect();
        }
        self.allow(&page).await.redirect()
    }

    /// Goes all the way, to the code.
    pub async fn obtain_code(&mut self, request: &AuthorizationRequest) -> String {
        self.approve(request).await.code()
    }

    /// The account page of who is logged in.
    pub async fn account(&mut self) -> Answer {
        let path = self.server.path("/account");
        self.go_to(&path).await
    }

    async fn send(&mut self, request: Request, with_cookies: bool) -> Answer {
        let now = self.server.clock_seconds();
        let answer = self.as_this_browser(request, with_cookies).send().await;
        for set_cookie in answer.headers.get_all("set-cookie") {
            self.keep(set_cookie.to_str().expect("a cookie is visible ASCII"), now);
        }
        answer
    }

    fn as_this_browser(&self, request: Request, with_cookies: bool) -> Request {
        let mut request = request.header("user-agent", &self.name);
        if let Some(address) = &self.address {
            request = request.from_address(address);
        }
        let now = self.server.clock_seconds();
        let is_alive = |cookie: &Cookie| cookie.expires_at_seconds.is_none_or(|end| now < end);
        let alive = self.cookies.iter().filter(|(_, cookie)| with_cookies && is_alive(cookie));
        let pairs: Vec<_> = alive.map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
        if pairs.is_empty() { request } else { request.header("cookie", &pairs.join("; ")) }
    }

    /// Does with a `Set-Cookie` what a browser does; one that a browser would refuse fails the test.
    fn keep(&mut self, set_cookie: &str, now: i64) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie has a name");
        let attributes: Vec<(String, &str)> = parts
            .map(|attribute| attribute.split_once('=').unwrap_or((attribute, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let attribute = |name: &str| attributes.iter().find(|(own, _)| own == name).map(|(_, value)| *value);
        let is_https = self.server.engine.issuer().as_str().starts_with("https://");
        assert!(attribute("secure").is_none() || is_https, "a browser refuses it on http: {set_cookie}");
        if name.starts_with("__Host-") {
            let prefix = (attribute("secure"), attribute("path"), attribute("domain"));
            assert_eq!(prefix, (Some(""), Some("/"), None), "a browser refuses it for its name: {set_cookie}");
        }
        assert_eq!(attribute("httponly"), Some(""), "a script could read it: {set_cookie}");
        assert_eq!(attribute("samesite"), Some("Lax"), "another site's form would carry it: {set_cookie}");
        let max_age = attribute("max-age").map(|seconds| seconds.parse::<i64>().expect("Max-Age is a number"));
        if max_age.is_some_and(|seconds| seconds <= 0) {
            self.cookies.remove(name);
            return;
        }
        let cookie = Cookie { value: value.to_owned(), expires_at_seconds: max_age.map(|seconds| now + seconds) };
        self.cookies.insert(name.to_owned(), cookie);
    }
}

fn with_fields(request: Request, fields: &[(String, String)]) -> Request {
    fields.iter().fold(request, |request, (name, value)| request.with(name, value))
}

/// The form of a consent page that holds the decision, and not the one that switches the account.
#[track_caller]
fn consent_form(page: &Answer) -> Form {
    let forms = page.forms().into_iter();
    let mut deciding = forms.filter(|form| form.buttons.iter().any(|(_, value)| value == "allow"));
    deciding.next().unwrap_or_else(|| panic!("no consent page: {}", page.text_of_body()))
}

impl Answer {
    /// The forms of a page.
    #[track_caller]
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        if self.header("content-type").is_none_or(|kind| !kind.starts_with("text/html")) {
            return Vec::new();
        }
        crate::html::forms(&self.text_of_body())
    }

    /// The first form that is sent to a path that ends so.
    #[track_caller]
    #[must_use]
    pub fn form(&self, action_end: &str) -> Option<Form> {
        self.forms().into_iter().find(|form| form.action.ends_with(action_end))
    }

    /// The first form that is sent to a path that ends so, which the page must have.
    #[track_caller]
    pub fn required_form(&self, action_end: &str) -> Form {
        self.form(action_end).unwrap_or_else(|| panic!("no form to {action_end}: {}", self.text_of_body()))
    }

    /// The form with which a consent page is answered.
    #[track_caller]
    #[must_use]
    pub fn consent_form(&self) -> Form {
        consent_form(self)
    }
}
