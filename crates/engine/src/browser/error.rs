use regrant_protocol::{ClientId, ErrorResponse, Subject};
use regrant_store::{ChangeError, StoreError};

/// Seconds after which a request that was not decided may come again.
pub(crate) const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a browser is shown an error page: nobody is sent anywhere with these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// `client_id` or `redirect_uri` is missing, repeated or malformed, or so is the logout request.
    #[error("{}", .0.error_description)]
    Request(ErrorResponse),
    /// There is no such client.
    #[error("there is no client {0:?}; check client_id")]
    UnknownClient(ClientId),
    /// The client is disabled.
    #[error("client {0:?} is disabled")]
    ClientDisabled(ClientId),
    /// No `redirect_uri` was sent, and the client has none or several.
    #[error(
        "redirect_uri is missing, and client {client:?} has {registered} registered; send one of them, byte for byte"
    )]
    RedirectUriMissing {
        /// The client.
        client: ClientId,
        /// How many it has.
        registered: usize,
    },
    /// It is not one of the client's.
    #[error(
        "redirect_uri {presented:?} is not one that client {client:?} has registered; it must be equal byte for byte, but for the port of a loopback address{}",
        loopback_hint(.registered_host.as_deref())
    )]
    RedirectUriUnknown {
        /// The client.
        client: ClientId,
        /// What was sent.
        presented: String,
        /// The name of this machine with which it would be one of the client's: `localhost` or `127.0.0.1`.
        registered_host: Option<&'static str>,
    },
    /// It is not one of the client's, or nobody knows of which client.
    #[error("post_logout_redirect_uri {presented:?} {problem}")]
    PostLogoutRedirectUri {
        /// What was sent.
        presented: String,
        /// What is wrong.
        problem: PostLogoutProblem,
    },
    /// `client_id` names another client than the one that `id_token_hint` was issued to.
    #[error("client_id {0:?} is not the client that id_token_hint was issued to")]
    NotTheClientOfTheHint(ClientId),
    /// A field of one of our own forms is missing, so that the form is not ours.
    #[error("the form has no {0}")]
    FieldMissing(&'static str),
    /// What the page carried cannot be read: it was changed, or its key has been retired.
    #[error("the request that the page carried was changed, or was made under a key that is gone")]
    NotOurs,
    /// The form is not one of this login session.
    #[error("the form does not belong to the login session of this browser")]
    ForeignForm,
    /// The grant is not one of this user's, or has ended.
    #[error("there is no such grant of this user")]
    UnknownGrant,
    /// This very consent was given before, and its code is used or has expired.
    #[error("this consent was given before, and its code was used or has expired")]
    AlreadyAnswered,
    /// The program around vouched for a user who is locked or disabled here.
    #[error("user {0:?} is locked or disabled")]
    UserDisabled(Subject),
    /// The program around vouched for a user who cannot be kept.
    #[error("user {subject:?} cannot be kept: {error}")]
    UserNotKept {
        /// The user.
        subject: Subject,
        /// Why.
        error: ChangeError,
    },
    /// The client or user changed again and again while the request was decided.
    #[error("the client or user changed while the request was decided")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError> for BrowserError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => Self::Store(error),
            // Client, user or session was there, and as it was read, a moment ago.
            ChangeError::Unknown(_) | ChangeError::Taken(_) | ChangeError::Outdated(_) => Self::Changed,
            other => Self::Store(StoreError::Unavailable(other.to_string())),
        }
    }
}

fn loopback_hint(registered_host: Option<&str>) -> String {
    let hint =
        |host| format!(" (with {host} as its host it is registered; localhost and 127.0.0.1 are two hosts here)");
    registered_host.map(hint).unwrap_or_default()
}

/// What is wrong with a `post_logout_redirect_uri`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostLogoutProblem {
    /// Nothing says whose it is.
    #[error("cannot be checked: send id_token_hint or client_id, so that it is known whose it is")]
    NoClient,
    /// The client has not registered it.
    #[error("is not one that the client has registered; it must be equal byte for byte")]
    NotRegistered,
}

/// What an error page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The HTTP status.
    pub status: u16,
    /// Seconds after which a new try makes sense.
    pub retry_after_seconds: Option<u32>,
    /// For people: what happened, in a few words.
    pub title: &'static str,
    /// For people: what they can do.
    pub message: &'static str,
    /// For the developer of the client: what was wrong with which value, and what to do. Never a secret.
    pub detail: String,
}

impl From<&BrowserError> for ErrorPage {
    /// The one mapping from cause to page.
    fn from(error: &BrowserError) -> Self {
        let page = |status, title, message| Self {
            status,
            retry_after_seconds: None,
            title,
            message,
            detail: error.to_string(),
        };
        let later = || Self {
            retry_after_seconds: Some(RETRY_AFTER_SECONDS),
            // What fails inside is for our own log.
            detail: "no answer was reached; the same request may be sent again".to_owned(),
            ..page(503, "That took too long", "Please load this page again in a moment.")
        };
        match error {
            BrowserError::Request(_)
            | BrowserError::UnknownClient(_)
            | BrowserError::ClientDisabled(_)
            | BrowserError::RedirectUriMissing { .. }
            | BrowserError::RedirectUriUnknown { .. } => page(
                400,
                "This application cannot log you in",
                "The application that sent you here made a mistake. Go back to it, and tell its makers if it happens again.",
            ),
            BrowserError::PostLogoutRedirectUri { .. } | BrowserError::NotTheClientOfTheHint(_) => page(
                400,
                "This application cannot log you out",
                "The application that sent you here made a mistake, and nobody was logged out. If you are logged in, your account page has a button to log out.",
            ),
            BrowserError::FieldMissing(_) | BrowserError::NotOurs | BrowserError::ForeignForm => page(
                403,
                "This page is not valid any more",
                "Nothing was done. Go back to where you came from and begin again.",
            ),
            BrowserError::UnknownGrant => {
                page(404, "Already gone", "What you wanted to end has ended before. Go back to your account.")
            }
            BrowserError::AlreadyAnswered => page(
                409,
                "You have answered this before",
                "Go back to the application. If it did not let you in, begin again there.",
            ),
            BrowserError::UserDisabled(_) => {
                page(403, "You cannot log in", "Your account is locked or disabled. Ask those who run this site.")
            }
            BrowserError::UserNotKept { .. } => {
                page(500, "You cannot log in", "Nothing was done. Tell those who run this site.")
            }
            BrowserError::Changed | BrowserError::Store(_) => later(),
        }
    }
}

impl BrowserError {
    /// The client that made the mistake, where it is known.
    pub(crate) const fn client(&self) -> Option<&ClientId> {
        match self {
            Self::UnknownClient(client)
            | Self::ClientDisabled(client)
            | Self::RedirectUriMissing { client, .. }
            | Self::RedirectUriUnknown { client, .. }
            | Self::NotTheClientOfTheHint(client) => Some(client),
            Self::Request(_)
            | Self::PostLogoutRedirectUri { .. }
            | Self::FieldMissing(_)
            | Self::NotOurs
            | Self::ForeignForm
            | Self::UnknownGrant
            | Self::AlreadyAnswered
            | Self::UserDisabled(_)
            | Self::UserNotKept { .. }
            | Self::Changed
            | Self::Store(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::ErrorCode;

    use super::*;

    #[test]
    fn an_error_page_says_what_was_wrong_and_nothing_of_our_inside() {
        let client = || ClientId::parse("app").unwrap();
        let subject = || Subject::parse("alice").unwrap();
        let presented = || "https://evil.example/cb".to_owned();
        let not_registered = PostLogoutProblem::NotRegistered;
        for (error, status, said) in [
            (
                BrowserError::Request(ErrorResponse::new(ErrorCode::InvalidRequest, "client_id is missing")),
                400,
                "client_id",
            ),
            (BrowserError::UnknownClient(client()), 400, "app"),
            (BrowserError::ClientDisabled(client()), 400, "app"),
            (BrowserError::RedirectUriMissing { client: client(), registered: 2 }, 400, "2"),
            (
                BrowserError::RedirectUriUnknown { client: client(), presented: presented(), registered_host: None },
                400,
                "evil.example",
            ),
            (
                BrowserError::RedirectUriUnknown {
                    client: client(),
                    presented: presented(),
                    registered_host: Some("127.0.0.1"),
                },
                400,
                "with 127.0.0.1 as its host",
            ),
            (
                BrowserError::PostLogoutRedirectUri { presented: presented(), problem: not_registered },
                400,
                "evil.example",
            ),
            (BrowserError::NotTheClientOfTheHint(client()), 400, "app"),
            (BrowserError::FieldMissing("form"), 403, "form"),
            (BrowserError::NotOurs, 403, "changed"),
            (BrowserError::ForeignForm, 403, "session"),
            (BrowserError::UnknownGrant, 404, "grant"),
            (BrowserError::AlreadyAnswered, 409, "before"),
            (BrowserError::UserDisabled(subject()), 403, "locked"),
            (
                BrowserError::UserNotKept { subject: subject(), error: ChangeError::Taken("al".to_owned()) },
                500,
                "taken",
            ),
            (BrowserError::Changed, 503, "again"),
            (BrowserError::Store(StoreError::Unavailable("/var/lib/regrant: disk full".to_owned())), 503, "again"),
        ] {
            let page = ErrorPage::from(&error);
            assert_eq!((page.status, page.retry_after_seconds.is_some()), (status, status == 503), "{error}");
            assert!(page.detail.contains(said), "{error}: {}", page.detail);
            assert!(!page.detail.contains("disk"), "{error}");
        }
    }
}
