use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
#[schemars(rename = "Error")]
pub struct ErrorBody {
    /// For a program.
    pub error: ErrorCode,
    /// For a person: what was wrong, with which value, and what to do. Never a secret.
    pub message: String,
    /// The field of the request that is wrong, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What kind of error it is. Each has one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 400: the request cannot be read: it is no JSON, a field is unknown or missing, or has another type.
    Malformed,
    /// 401: the admin token is missing or wrong.
    Unauthorized,
    /// 403: through this door it may not be done.
    Forbidden,
    /// 404: there is no such thing.
    NotFound,
    /// 405: not with this method.
    MethodNotAllowed,
    /// 409: the name is taken.
    Taken,
    /// 409: somebody else changes the same thing all the time, and nothing was changed. Look at it, and ask again.
    Outdated,
    /// 413: the body is larger than it may be.
    TooLarge,
    /// 415: the body is no JSON by its own account.
    MediaType,
    /// 422: the request can be read, and breaks a rule.
    Rule,
    /// 429: too many wrong admin tokens came before.
    TooManyFailures,
    /// 503: the store does not answer, or is too busy. Try again.
    Unavailable,
}

impl ErrorCode {
    /// The status of an answer with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Taken | Self::Outdated => 409,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Rule => 422,
            Self::TooManyFailures => 429,
            Self::Unavailable => 503,
        }
    }
}
