use std::sync::LazyLock;

use regrant_engine::{Browser, BrowserCookies, Cookie, CookieChange, Next, Secrecy, Step};
use regrant_protocol::{ClientId, GrantType, Params, Profile, RedirectUri, Scope, Secret, TokenEndpointAuthMethod};
use regrant_store::ClientSettings;

use crate::server::{POLICY, Server, form};

/// A server at which a user has logged in with a browser, as far as the consent page of the client `app`. Nobody has
/// consented to anything.
pub(crate) struct Visit {
    pub(crate) server: Server,
    pub(crate) held: Held,
}

/// What the browser holds for us.
pub(crate) struct Held {
    /// Its cookies before the user logged in.
    pub(crate) of_stranger: BrowserCookies,
    /// Its cookies since then.
    pub(crate) of_user: BrowserCookies,
    /// The field `request` of the login page.
    pub(crate) login_request: String,
    /// The field `request` of the consent page.
    pub(crate) consent_request: String,
    /// The field `form` of the account page.
    pub(crate) account_form: String,
    /// The field `form` of the page that asks whether to log out.
    pub(crate) log_out_form: String,
}

/// Where `app` may have a browser sent, with a code and after a log-out.
pub(crate) const REDIRECT_URIS: [&str; 3] =
    ["https://app.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb?x=1"];

pub(crate) static VISIT: LazyLock<Visit> = LazyLock::new(|| {
    let server = Server::open();
    let held = server.runtime.block_on(async {
        register(&server).await;
        visit(&server).await
    });
    Visit { server, held }
});

impl Visit {
    /// The redirect URIs of `app`.
    pub(crate) fn redirect_uris() -> impl Iterator<Item = RedirectUri> {
        REDIRECT_URIS.into_iter().map(|uri| RedirectUri::parse(uri).expect("a redirect URI"))
    }

    /// A request of the browser, with these cookies.
    pub(crate) fn browser(&self, cookies: &BrowserCookies) -> Browser {
        browser(&self.server, cookies)
    }
}

fn browser(server: &Server, cookies: &BrowserCookies) -> Browser {
    Browser { context: server.context(), cookies: cookies.clone(), user_agent: None }
}

async fn register(server: &Server) {
    let methods = vec![TokenEndpointAuthMethod::None];
    let scope = Scope::parse("openid read").expect("a scope");
    let settings = ClientSettings {
        redirect_uris: Visit::redirect_uris().collect(),
        post_logout_redirect_uris: Visit::redirect_uris().collect(),
        ..ClientSettings::new(methods, vec![GrantType::AuthorizationCode], scope, POLICY)
    };
    let app = ClientId::parse("app").expect("a client id");
    server.engine.register_client(app, Secrecy::Public, settings).await.expect("a new client");
    let password = Secret::new("wonderland".to_owned());
    server.engine.register_user("alice", password, Profile::default()).await.expect("a new user");
}

/// From the client's link to the consent page, then to the account page and to the logout page.
async fn visit(server: &Server) -> Held {
    let engine = &server.engine;
    let mut cookies = BrowserCookies::default();
    let step = engine.authorize(&browser(server, &cookies), &request()).await.expect("a page");
    let Next::LogIn(login) = kept(step, &mut cookies) else { panic!("a stranger has to log in") };
    let of_stranger = cookies.clone();

    let fields = [("request", login.request.as_str()), ("username", "alice"), ("password", "wonderland")];
    let step = engine.log_in(&browser(server, &cookies), &form(&fields)).await.expect("a page");
    let Next::Resume(request) = kept(step, &mut cookies) else { panic!("the password is right") };
    let who = browser(server, &cookies);
    let step = engine.resume(&who, &form(&[("request", &request)])).await.expect("a page");
    let Next::Consent(consent) = step.next else { panic!("nobody has consented yet") };
    let step = engine.account(&who, None).await.expect("a page");
    let Next::Account(account) = step.next else { panic!("somebody is logged in") };
    let step = engine.end_session(&who, &form(&[])).await.expect("a page");
    let Next::ConfirmLogOut(log_out) = step.next else { panic!("nobody is logged out without being asked") };
    Held {
        of_stranger,
        of_user: cookies,
        login_request: login.request,
        consent_request: consent.request,
        account_form: account.form,
        log_out_form: log_out.form,
    }
}

fn request() -> Params {
    form(&[
        ("client_id", "app"),
        ("redirect_uri", REDIRECT_URIS[0]),
        ("response_type", "code"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ])
}

/// Where the browser is now, with the cookies that it was given.
fn kept(step: Step, cookies: &mut BrowserCookies) -> Next {
    for change in step.cookies {
        let (cookie, value) = match change {
            CookieChange::Set { cookie, value, .. } => (cookie, Some(value)),
            CookieChange::Clear(cookie) => (cookie, None),
        };
        match cookie {
            Cookie::Browser => cookies.browser = value,
            Cookie::Session => cookies.session = value,
            Cookie::Known => cookies.known = value,
        }
    }
    step.next
}
