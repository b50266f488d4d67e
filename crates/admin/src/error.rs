use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use regrant_engine::{KeyRotationError, RegistrationError};
use regrant_store::{ChangeError, StoreError};
use tracing::warn;

use crate::json::Json;
use crate::{BackupError, ErrorBody, ErrorCode, PatchError};

/// The most bytes that the body of a request may have.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// When to come again after a 503, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;
/// What is asked for when the admin token is missing or wrong (RFC 6750 §3).
const CHALLENGE: &str = "Bearer realm=\"regrant admin\"";

/// Why a request of an operator was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    #[error("{message}")]
    Malformed { message: String, field: Option<String> },
    #[error("the admin token is missing or wrong: send it as Authorization: Bearer")]
    Unauthorized,
    #[error("too many wrong admin tokens came from this address; the next try is allowed in {0} s")]
    TooManyFailures(u32),
    #[error("this is not for browsers: leave out {0}")]
    Browser(&'static str),
    #[error("this is done through the socket in the data directory, or by the command line on the same machine")]
    Remote,
    #[error("there is nothing at this path; GET /admin/v1/openapi.json says what there is")]
    NoSuchPath,
    #[error("there is no {what} {name:?}")]
    Unknown { what: &'static str, name: String },
    #[error("{}", taken(what, name))]
    Taken { what: &'static str, name: String },
    #[error("this path does not take this method; the header Allow says which it takes")]
    Method,
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the body must be JSON in UTF-8, with Content-Type: application/json")]
    MediaType,
    #[error("{message}")]
    Field { field: &'static str, message: String },
    #[error(
        "{0:?} is found from the working directory of the server, which may be another than yours; begin it with /"
    )]
    RelativePath(String),
    #[error("say whose grants: user, client or made_before, or several of them")]
    NoGrantsMeant,
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Patch(#[from] PatchError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyRotationError),
    #[error(transparent)]
    Backup(#[from] BackupError),
}

impl AdminError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed { .. } | Self::Patch(_) => ErrorCode::Malformed,
            Self::Unauthorized => ErrorCode::Unauthorized,
            Self::TooManyFailures(_) => ErrorCode::TooManyFailures,
            Self::Browser(_) | Self::Remote => ErrorCode::Forbidden,
            Self::NoSuchPath | Self::Unknown { .. } => ErrorCode::NotFound,
            Self::Taken { .. } => ErrorCode::Taken,
            Self::Method => ErrorCode::MethodNotAllowed,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::MediaType => ErrorCode::MediaType,
            Self::Field { .. } | Self::RelativePath(_) | Self::NoGrantsMeant => ErrorCode::Rule,
            Self::Registration(error) => of_registration(error),
            Self::Change(error) => of_change(error),
            Self::Store(_) => ErrorCode::Unavailable,
            Self::Keys(error) => of_keys(error),
            Self::Backup(BackupError::Path(_) | BackupError::NotAFile(_)) => ErrorCode::Rule,
            Self::Backup(BackupError::Failed(_)) => ErrorCode::Unavailable,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Malformed { field, .. } => field.as_deref(),
            Self::Patch(error) => error.field.as_deref(),
            Self::Field { field, .. } => Some(field),
            Self::RelativePath(_) | Self::Backup(BackupError::Path(_)) => Some("path"),
            Self::Registration(error) => registered_field(error),
            Self::Unauthorized
            | Self::TooManyFailures(_)
            | Self::Browser(_)
            | Self::Remote
            | Self::NoSuchPath
            | Self::Unknown { .. }
            | Self::Taken { .. }
            | Self::Method
            | Self::TooLarge
            | Self::MediaType
            | Self::NoGrantsMeant
            | Self::Change(_)
            | Self::Store(_)
            | Self::Keys(_)
            | Self::Backup(BackupError::NotAFile(_) | BackupError::Failed(_)) => None,
        }
    }

    fn retry_after_seconds(&self) -> Option<u32> {
        if let Self::TooManyFailures(seconds) = self {
            return Some(*seconds);
        }
        (self.code() == ErrorCode::Unavailable).then_some(RETRY_AFTER_SECONDS)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (error, message, field) = (self.code(), self.to_string(), self.field().map(str::to_owned));
        let status = StatusCode::from_u16(error.status()).expect("every code has a status");
        if error == ErrorCode::Unavailable {
            warn!(reason = ?message, "an operator was not answered");
        }
        let mut response = (status, Json(ErrorBody { error, message, field })).into_response();
        let headers = response.headers_mut();
        if error == ErrorCode::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A login name is free again when its user is removed; the name of a client never is.
fn taken(what: &str, name: &str) -> String {
    match what {
        "user" => format!("there is a user {name:?} already: choose another login name"),
        what => format!("there is, or was, a {what} {name:?}: choose another name"),
    }
}

fn of_change(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::Taken(_) => ErrorCode::Taken,
        ChangeError::Unknown(_) => ErrorCode::NotFound,
        ChangeError::Outdated(_) => ErrorCode::Outdated,
        // What else a store may have to say, it has not done.
        ChangeError::Store(_) | _ => ErrorCode::Unavailable,
    }
}

fn of_registration(error: &RegistrationError) -> ErrorCode {
    match error {
        RegistrationError::Change(error) => of_change(error),
        RegistrationError::Overloaded(_) => ErrorCode::Unavailable,
        RegistrationError::AuthMethods
        | RegistrationError::ClientCredentials
        | RegistrationError::DefaultScope
        | RegistrationError::Rotation
        | RegistrationError::PublicWithoutPkce
        | RegistrationError::NoRedirectUri
        | RegistrationError::PrivateUseScheme(_)
        | RegistrationError::CodeRetrySeconds(_)
        | RegistrationError::CodeRetryWithoutPkce
        | RegistrationError::RetryWindow(_)
        | RegistrationError::ClientName(_)
        | RegistrationError::WebPage(..)
        | RegistrationError::Audience(_)
        | RegistrationError::ProfileClaim(..)
        | RegistrationError::PublicSecret
        | RegistrationError::PasswordTooShort
        | RegistrationError::PasswordGuessable
        | RegistrationError::Secret
        | RegistrationError::Name(..)
        | _ => ErrorCode::Rule,
    }
}

/// The field of a request that a broken rule is about.
fn registered_field(error: &RegistrationError) -> Option<&'static str> {
    if matches!(error, RegistrationError::PublicSecret) {
        return Some("secret");
    }
    if matches!(error, RegistrationError::PasswordTooShort | RegistrationError::PasswordGuessable) {
        return Some("password");
    }
    if matches!(error, RegistrationError::ProfileClaim(..)) {
        return Some("profile");
    }
    match error.setting() {
        // `[[client]]` in `regrant.toml` has a shorter name for it.
        Some("code_retry_seconds") => Some("code_retry"),
        setting => setting,
    }
}

fn of_keys(error: &KeyRotationError) -> ErrorCode {
    match error {
        KeyRotationError::UnknownKey(_) => ErrorCode::NotFound,
        KeyRotationError::NoKidLeft(_)
        | KeyRotationError::KidsForEmergencies
        | KeyRotationError::NodeNotReady { .. }
        | KeyRotationError::TooManyKeys(_)
        | KeyRotationError::KeySigns(_) => ErrorCode::Rule,
        // What fails may be mended, and asked for again.
        KeyRotationError::KeyFile(_)
        | KeyRotationError::KidTaken(_)
        | KeyRotationError::KeyMissing(_)
        | KeyRotationError::SigningKeys(_)
        | KeyRotationError::Store(_)
        | _ => ErrorCode::Unavailable,
    }
}
