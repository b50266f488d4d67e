//! A person with a browser, for the tests of this folder.

use std::net::IpAddr;

use regrant_protocol::Params;

use super::{
    AccountView, Browser, BrowserCookies, BrowserError, ConsentPrompt, Cookie, CookieChange, KnownUser, LoginPrompt,
    Next, Step,
};
use crate::world::World;

/// The challenge that belongs to [`crate::world::VERIFIER`] (RFC 7636 Appendix B).
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// More bytes than are kept, and the name of the browser at their end.
const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";

/// A browser with its cookies.
pub(super) struct Visitor<'w> {
    world: &'w World,
    pub(super) cookies: BrowserCookies,
    pub(super) source: IpAddr,
}

type Answered = Result<Next, BrowserError>;

impl<'w> Visitor<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self { world, cookies: BrowserCookies::default(), source: [192, 0, 2, 1].into() }
    }

    pub(super) fn browser(&self) -> Browser {
        let mut context = self.world.context();
        context.source = self.source;
        Browser { context, cookies: self.cookies.clone(), user_agent: Some(USER_AGENT.to_owned()) }
    }

    /// Keeps the cookies that an answer gives.
    fn keep(&mut self, answer: Result<Step, BrowserError>) -> Answered {
        let Step { next, cookies } = answer?;
        for change in cookies {
            let (cookie, value) = match change {
                CookieChange::Set { cookie, value, .. } => (cookie, Some(value)),
                CookieChange::Clear(cookie) => (cookie, None),
            };
            match cookie {
                Cookie::Browser => self.cookies.browser = value,
                Cookie::Session => self.cookies.session = value,
                Cookie::Known => self.cookies.known = value,
            }
        }
        Ok(next)
    }

    /// An authorization request of `app`, with `rest` after what every request has.
    pub(super) async fn authorize(&mut self, rest: &str) -> Answered {
        let query =
            format!("client_id=app&response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256&{rest}");
        self.request(&query).await
    }

    /// A request with this query at the authorization endpoint.
    pub(super) async fn request(&mut self, query: &str) -> Answered {
        let params = Params::parse_noting_repeats(query.as_bytes()).unwrap();
        let answer = self.world.server.authorize(&self.browser(), &params).await;
        self.keep(answer)
    }

    /// The login form, as `username`.
    pub(super) async fn log_in(&mut self, request: &str, username: &str, password: &str) -> Answered {
        self.post_login(&format!("request={request}&username={username}&password={password}&action=login")).await
    }

    pub(super) async fn post_login(&mut self, body: &str) -> Answered {
        let answer = self.world.server.log_in(&self.browser(), &form(body)).await;
        self.keep(answer)
    }

    pub(super) async fn log_in_as(&mut self, request: &str, user: &KnownUser) -> Answered {
        let answer = self.world.server.log_in_as(&self.browser(), request, user.clone()).await;
        self.keep(answer)
    }

    pub(super) async fn cancel_log_in(&mut self, request: &str) -> Answered {
        let answer = self.world.server.cancel_log_in(&self.browser(), request).await;
        self.keep(answer)
    }

    pub(super) async fn resume(&mut self, request: &str) -> Answered {
        let answer = self.world.server.resume(&self.browser(), &form(&format!("request={request}"))).await;
        self.keep(answer)
    }

    /// The consent form: `rest` is all but `request`.
    pub(super) async fn consent(&mut self, request: &str, rest: &str) -> Answered {
        let answer = self.world.server.consent(&self.browser(), &form(&format!("request={request}&{rest}"))).await;
        self.keep(answer)
    }

    pub(super) async fn account(&mut self) -> Answered {
        let answer = self.world.server.account(&self.browser(), None).await;
        self.keep(answer)
    }

    pub(super) async fn end_grant(&mut self, body: &str) -> Answered {
        let answer = self.world.server.end_grant(&self.browser(), &form(body)).await;
        self.keep(answer)
    }

    pub(super) async fn end_all_grants(&mut self, body: &str) -> Answered {
        let answer = self.world.server.end_all_grants(&self.browser(), &form(body)).await;
        self.keep(answer)
    }

    pub(super) async fn change_password(&mut self, body: &str) -> Answered {
        let answer = self.world.server.change_password(&self.browser(), &form(body)).await;
        self.keep(answer)
    }

    pub(super) async fn log_out(&mut self, body: &str) -> Answered {
        let answer = self.world.server.log_out(&self.browser(), &form(body)).await;
        self.keep(answer)
    }

    pub(super) async fn end_session(&mut self, query: &str) -> Answered {
        let answer = self.world.server.end_session(&self.browser(), &form(query)).await;
        self.keep(answer)
    }

    /// Logs alice in for a request with `rest`, as far as its consent page.
    pub(super) async fn reach_consent(&mut self, rest: &str) -> ConsentPrompt {
        let prompt = login_prompt(self.authorize(rest).await);
        let Ok(Next::Resume(request)) = self.log_in(&prompt.request, "alice", "wonderland").await else {
            panic!("the password is right")
        };
        consent_prompt(self.resume(&request).await)
    }

    /// Logs alice in and lets her allow everything; the code that comes of it.
    pub(super) async fn reach_code(&mut self, rest: &str) -> String {
        let prompt = self.reach_consent(&format!("prompt=consent&{rest}")).await;
        code(self.consent(&prompt.request, "decision=allow&allow_0=openid&allow_1=profile&allow_2=read").await)
    }

    /// Lets alice, who is logged in, allow everything anew.
    pub(super) async fn reach_code_again(&mut self, rest: &str) -> String {
        let prompt = consent_prompt(self.authorize(&format!("prompt=consent&{rest}")).await);
        code(self.consent(&prompt.request, "decision=allow&allow_0=openid&allow_1=profile&allow_2=read").await)
    }

    /// The account page.
    pub(super) async fn view(&mut self) -> AccountView {
        match self.account().await {
            Ok(Next::Account(view)) => view,
            other => panic!("no account page: {other:?}"),
        }
    }

    /// The account page at an address with a notice.
    pub(super) async fn view_with(&mut self, notice: &str) -> AccountView {
        let answer = self.world.server.account(&self.browser(), Some(notice)).await;
        match self.keep(answer) {
            Ok(Next::Account(view)) => view,
            other => panic!("no account page: {other:?}"),
        }
    }
}

fn form(body: &str) -> Params {
    Params::parse(body.as_bytes()).unwrap()
}

pub(super) fn login_prompt(answer: Answered) -> LoginPrompt {
    match answer {
        Ok(Next::LogIn(prompt)) => prompt,
        other => panic!("no login page: {other:?}"),
    }
}

pub(super) fn consent_prompt(answer: Answered) -> ConsentPrompt {
    match answer {
        Ok(Next::Consent(prompt)) => prompt,
        other => panic!("no consent page: {other:?}"),
    }
}

/// What the client is told: the value of its parameter `name`.
pub(super) fn told(answer: Answered, name: &str) -> Option<String> {
    match answer {
        Ok(Next::Respond(response)) => {
            response.fields().find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
        }
        other => panic!("no answer to the client: {other:?}"),
    }
}

pub(super) fn code(answer: Answered) -> String {
    told(answer, "code").expect("a code")
}
