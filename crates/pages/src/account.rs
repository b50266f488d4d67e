use askama::Template;

use crate::frame::Frame;
use crate::moment::Moment;
use crate::scope_words::Words;
use crate::web_link::WebLink;
use crate::{Brand, Page, Pages, PasswordProblem};

/// The account page. Its forms carry `form`, and are posted to `/account/end` (with `grant`), `/account/end-all`,
/// `/account/password` (`current_password`, `new_password`, `new_password_again`, and `end_everything=on` if ticked) and
/// `/account/log-out`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// The hidden field `form`.
    pub form: String,
    /// The login name.
    pub username: String,
    /// The name of the person, where it is known.
    pub name: Option<String>,
    /// Whether they have a password here, which they can change.
    pub has_password: bool,
    /// When they logged in with this browser, in Unix seconds.
    pub authenticated_at: i64,
    /// What they have granted and is alive, in the order in which it is shown.
    pub grants: Vec<AccountGrant>,
    /// What was just done.
    pub notice: Option<AccountNotice>,
    /// Why the password was not changed.
    pub password_problem: Option<PasswordProblem>,
    /// The fewest characters of a new password.
    pub password_characters_min: usize,
}

/// One grant, as its user sees it. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountGrant {
    /// The field `grant` that ends it.
    pub id: String,
    /// The client's name, or its identifier when it has none.
    pub client: String,
    /// The client's home page.
    pub client_uri: Option<String>,
    /// The scope names.
    pub scopes: Vec<String>,
    /// When it was granted.
    pub created_at: i64,
    /// When it was last used.
    pub used_at: i64,
    /// When it ends unless it is used; `None` for never.
    pub expires_at: Option<i64>,
    /// The address from which it was approved, where that is known.
    pub address: Option<String>,
    /// The browser with which it was approved, in words such as `Firefox on Linux`, where that is known.
    pub agent: Option<String>,
    /// It ends when the user logs out of this browser.
    pub ends_with_session: bool,
}

/// What was just done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    /// The password was changed, and nothing else.
    PasswordChanged,
    /// The password was changed, and all grants and all other login sessions ended.
    PasswordChangedAndEverythingEnded,
    /// One grant was ended, of the client with this name.
    Disconnected(String),
    /// All grants were ended.
    EverythingDisconnected,
}

impl Pages {
    /// The account page.
    #[must_use]
    pub fn account(&self, page: &AccountPage) -> Page {
        let template = AccountTemplate {
            frame: &self.frame,
            page,
            authenticated_at: Moment::new(page.authenticated_at),
            connections: page.grants.iter().map(|grant| Connection::new(self, grant)).collect(),
            notice: page.notice.as_ref().map(AccountNotice::in_words),
            problem: page.password_problem.map(|problem| problem.in_words(page.password_characters_min)),
            in_current: page.password_problem.is_some_and(PasswordProblem::is_in_current),
            in_new: page.password_problem.is_some_and(PasswordProblem::is_in_new),
            in_again: page.password_problem == Some(PasswordProblem::Mismatch),
        };
        Page::new(&template, None)
    }
}

impl AccountNotice {
    fn in_words(&self) -> String {
        match self {
            Self::PasswordChanged => "Your password is changed. Apps and other browsers stay connected.".to_owned(),
            Self::PasswordChangedAndEverythingEnded => {
                "Your password is changed. All apps are disconnected, and all other browsers are logged out.".to_owned()
            }
            Self::Disconnected(client) => format!("{client} is disconnected."),
            Self::EverythingDisconnected => "All apps are disconnected.".to_owned(),
        }
    }
}

/// One grant in words.
struct Connection<'a> {
    grant: &'a AccountGrant,
    initial: String,
    home: Option<WebLink<'a>>,
    scopes: Vec<Words<'a>>,
    created_at: Moment,
    used_at: Moment,
    expires_at: Option<Moment>,
}

impl<'a> Connection<'a> {
    fn new(pages: &'a Pages, grant: &'a AccountGrant) -> Self {
        Self {
            grant,
            initial: Brand::initial(&grant.client),
            home: grant.client_uri.as_deref().and_then(WebLink::new),
            scopes: grant.scopes.iter().map(|name| pages.scope_words(name)).collect(),
            created_at: Moment::new(grant.created_at),
            used_at: Moment::new(grant.used_at),
            expires_at: grant.expires_at.map(Moment::new),
        }
    }
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountTemplate<'a> {
    frame: &'a Frame,
    page: &'a AccountPage,
    authenticated_at: Moment,
    connections: Vec<Connection<'a>>,
    notice: Option<String>,
    problem: Option<String>,
    /// What is wrong with the password is wrong with the current one.
    in_current: bool,
    /// … with the new one.
    in_new: bool,
    /// … with the new one where it was entered again.
    in_again: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_is_said() {
        let pages = Pages::new(Brand::default(), "");
        for (notice, said) in [
            (AccountNotice::PasswordChanged, "Apps and other browsers stay connected"),
            (AccountNotice::PasswordChangedAndEverythingEnded, "all other browsers are logged out"),
            (AccountNotice::Disconnected("Photos &c.".to_owned()), "Photos &#38;c. is disconnected."),
            (AccountNotice::EverythingDisconnected, "All apps are disconnected."),
        ] {
            let html = pages.account(&AccountPage { notice: Some(notice), ..AccountPage::default() }).html;
            assert!(html.contains(said), "{said}");
            assert!(html.contains(r#"role="status" tabindex="-1" autofocus>"#), "the focus is there: {said}");
        }
        assert!(!pages.account(&AccountPage::default()).html.contains("role=\"status\""));
    }

    #[test]
    fn all_grants_can_be_ended_at_once_when_there_are_some() {
        let pages = Pages::new(Brand::default(), "");
        for number in [0, 1, 2] {
            let page = AccountPage { grants: vec![AccountGrant::default(); number], ..AccountPage::default() };
            let html = pages.account(&page).html;
            assert_eq!(html.matches("action=\"/account/end\"").count(), number);
            assert_eq!(html.contains("action=\"/account/end-all\""), number > 0);
        }
    }

    #[test]
    fn only_who_has_a_password_is_asked_for_a_new_one() {
        let pages = Pages::new(Brand::default(), "");
        for has_password in [true, false] {
            let html = pages.account(&AccountPage { has_password, ..AccountPage::default() }).html;
            assert_eq!(html.contains("type=\"password\""), has_password);
        }
    }

    #[test]
    fn the_end_of_a_connection_is_said() {
        let pages = Pages::new(Brand::default(), "");
        let cases = [
            (None, false, "When you disconnect it"),
            (Some(0), false, "If it is not used until <time datetime=\"1970-01-01T00:00Z\">"),
            (None, true, "When you log out of this browser"),
        ];
        for (expires_at, ends_with_session, expected) in cases {
            let grant = AccountGrant { expires_at, ends_with_session, used_at: 86_400, ..AccountGrant::default() };
            let page = AccountPage { grants: vec![grant], authenticated_at: 172_800, ..AccountPage::default() };
            let html = pages.account(&page).html;
            let ends = html.split("<dt>Ends</dt>").nth(1).unwrap().split("</dd>").next().unwrap();
            assert!(ends.contains(expected), "{expected}: {ends}");
        }
    }
}
