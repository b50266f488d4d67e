//! Every page with sample data, ordinary and extreme.

use regrant_pages::{
    AccessEnd, AccountGrant, AccountNotice, AccountPage, Brand, Client, ConsentPage, ConsentScope, ErrorPage,
    FormPostPage, LogOutPage, LoginPage, LoginProblem, Page, Pages, PasswordProblem, ScopeWords,
};

const NOVEMBER_21_2026: i64 = 1_795_234_210;
const DAY: i64 = 86_400;

pub(crate) fn brand() -> Brand {
    let words = |name: &str, title: &str, detail: &str| ScopeWords {
        name: name.to_owned(),
        title: title.to_owned(),
        detail: detail.to_owned(),
    };
    Brand {
        name: "Northwind".to_owned(),
        scopes: vec![
            words("photos:read", "See your photos", "All albums, with places and dates."),
            words("photos:write", "Add photos", ""),
        ],
        ..Brand::default()
    }
}

/// Each page under a name of its own.
pub(crate) fn pages(pages: &Pages) -> Vec<(&'static str, Page)> {
    vec![
        ("login", pages.login(&login())),
        (
            "login-wrong",
            pages.login(&LoginPage {
                username: Some("alice".to_owned()),
                problem: Some(LoginProblem::Credentials),
                ..login()
            }),
        ),
        (
            "login-too-many",
            pages.login(&LoginPage {
                client: None,
                problem: Some(LoginProblem::TooManyFailures { retry_after_seconds: 240 }),
                ..login()
            }),
        ),
        ("login-no-cookie", pages.login(&LoginPage { problem: Some(LoginProblem::NoCookie), ..login() })),
        ("consent", pages.consent(&consent())),
        ("consent-plain", pages.consent(&plain_consent())),
        ("consent-long", pages.consent(&long_consent())),
        ("account", pages.account(&account())),
        ("account-empty", pages.account(&AccountPage { grants: Vec::new(), name: None, ..account() })),
        (
            "account-notice",
            pages.account(&AccountPage {
                notice: Some(AccountNotice::PasswordChangedAndEverythingEnded),
                grants: Vec::new(),
                ..account()
            }),
        ),
        (
            "account-disconnected",
            pages.account(&AccountPage {
                notice: Some(AccountNotice::Disconnected("Photos app".to_owned())),
                ..account()
            }),
        ),
        (
            "account-wrong",
            pages.account(&AccountPage {
                password_problem: Some(PasswordProblem::Current(LoginProblem::Credentials)),
                ..account()
            }),
        ),
        (
            "log-out",
            pages.log_out(&LogOutPage {
                form: "form".to_owned(),
                username: "alice".to_owned(),
                client: Some(photos()),
                is_outdated: false,
            }),
        ),
        (
            "log-out-outdated",
            pages.log_out(&LogOutPage { username: "alice".to_owned(), is_outdated: true, ..LogOutPage::default() }),
        ),
        ("logged-out", pages.logged_out()),
        ("error", pages.error(&error())),
        (
            "error-busy",
            pages.error(&ErrorPage {
                title: "That took too long".to_owned(),
                message: "Please load this page again in a moment.".to_owned(),
                detail: None,
                request_id: Some("5f2c0e9b7d1a4c3f8e6b2a9d0c7f1e35".to_owned()),
            }),
        ),
        (
            "form-post",
            pages.form_post(&FormPostPage {
                action: "https://photos.example/callback".to_owned(),
                fields: vec![("code".to_owned(), "c0de".to_owned()), ("state".to_owned(), "5tate".to_owned())],
            }),
        ),
    ]
}

fn photos() -> Client {
    Client {
        name: "Photos app".to_owned(),
        client_uri: Some("https://photos.example/".to_owned()),
        policy_uri: Some("https://photos.example/privacy".to_owned()),
        tos_uri: Some("https://photos.example/terms".to_owned()),
        destination: Some("photos.example".to_owned()),
        destination_scheme: Some("https".to_owned()),
    }
}

fn login() -> LoginPage {
    LoginPage { request: "sealed".to_owned(), client: Some(photos()), username: None, problem: None }
}

fn scopes(names: &[&str]) -> Vec<ConsentScope> {
    names.iter().map(|&name| ConsentScope { name: name.to_owned(), is_required: name == "openid" }).collect()
}

fn consent() -> ConsentPage {
    ConsentPage {
        request: "sealed".to_owned(),
        client: photos(),
        username: "alice".to_owned(),
        scopes: scopes(&["openid", "profile", "email", "photos:read", "offline_access"]),
        access_end: AccessEnd::AsTicked,
        resources: vec!["https://api.photos.example/".to_owned()],
        is_outdated: false,
    }
}

fn plain_consent() -> ConsentPage {
    ConsentPage {
        client: Client {
            name: "backup".to_owned(),
            destination: Some("com.example.backup".to_owned()),
            destination_scheme: Some("com.example.backup".to_owned()),
            ..Client::default()
        },
        scopes: scopes(&["read", "photos:write"]),
        access_end: AccessEnd::WhenDisconnected,
        resources: Vec::new(),
        is_outdated: true,
        ..consent()
    }
}

fn long_consent() -> ConsentPage {
    ConsentPage {
        client: Client {
            name: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft photo archive"
                .to_owned(),
            client_uri: Some("https://a-rather-long-name-of-a-host.photographs.of.everything.example/".to_owned()),
            ..photos()
        },
        username: "alexandra.constantinopoulou-featherstonehaugh@northwind.example".to_owned(),
        scopes: scopes(&[
            "openid",
            "https://northwind.example/scopes/photographs.albums.readonly.withmetadata.and.locations",
            "offline_access",
        ]),
        resources: vec![
            "https://api.photos.example/".to_owned(),
            "https://an-api-with-a-rather-long-name.photographs.example/v1/resources".to_owned(),
        ],
        ..consent()
    }
}

fn account() -> AccountPage {
    AccountPage {
        form: "form".to_owned(),
        username: "alice".to_owned(),
        name: Some("Alice Almond".to_owned()),
        has_password: true,
        authenticated_at: NOVEMBER_21_2026,
        grants: vec![
            AccountGrant {
                id: "one".to_owned(),
                client: "Photos app".to_owned(),
                client_uri: Some("https://photos.example/".to_owned()),
                scopes: ["openid", "profile", "photos:read", "offline_access"].map(str::to_owned).to_vec(),
                created_at: NOVEMBER_21_2026 - 40 * DAY,
                used_at: NOVEMBER_21_2026 - 500,
                expires_at: Some(NOVEMBER_21_2026 + 30 * DAY),
                address: Some("192.0.2.17".to_owned()),
                agent: Some("Firefox on Linux".to_owned()),
                ends_with_session: false,
            },
            AccountGrant {
                id: "two".to_owned(),
                client: "backup".to_owned(),
                scopes: ["read", "photos:write"].map(str::to_owned).to_vec(),
                created_at: NOVEMBER_21_2026 - 3 * DAY,
                used_at: NOVEMBER_21_2026 - 3 * DAY,
                ends_with_session: true,
                address: Some("2001:db8:85a3::8a2e:370:7334".to_owned()),
                ..AccountGrant::default()
            },
        ],
        notice: None,
        password_problem: None,
        password_characters_min: 8,
    }
}

fn error() -> ErrorPage {
    ErrorPage {
        title: "This application cannot log you in".to_owned(),
        message: "The application that sent you here made a mistake. Go back to it, and tell its makers if it happens \
                  again."
            .to_owned(),
        detail: Some(
            "redirect_uri \"https://photos.example/callbak\" is not one that client \"photos\" has registered; it must \
             be equal byte for byte, but for the port of a loopback address"
                .to_owned(),
        ),
        request_id: Some("0b9d3e7a5c1f4e2d8a6b0c9f7e3d1a52".to_owned()),
    }
}
