use std::borrow::Cow;

use regrant_engine::{Endpoint, Refusal, TokenError};
use regrant_protocol::{ErrorCode, ErrorResponse};

use super::values::Words;
use super::{Dialect, bshaffer, dotauth, wso2};
use crate::form::FormFault;

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
pub(crate) enum Fault<'a> {
    /// Another method than POST.
    Method {
        /// What is allowed.
        allow: &'static str,
    },
    /// A secret in the query.
    SecretInQuery,
    /// It cannot be read.
    Unreadable(&'a FormFault),
    /// The engine refused.
    Refused {
        /// Why.
        error: &'a TokenError,
        /// The user that the request names, where it names one.
        username: Option<&'a str>,
    },
}

/// What the caller is told of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(super) status: u16,
    pub(super) error: &'static str,
    pub(super) description: Cow<'static, str>,
    /// A page about the error.
    pub(super) uri: Option<&'static str>,
    /// The whole body, where the original has one of its own.
    pub(super) body: Option<&'static str>,
    /// Seconds after which a new try makes sense.
    pub(super) retry_after_seconds: Option<u32>,
}

impl Told {
    pub(super) fn new(status: u16, error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status, error, description: description.into(), uri: None, body: None, retry_after_seconds: None }
    }

    /// Told with status 400.
    pub(super) fn bad(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, error, description)
    }

    /// Our own words, for what the original cannot meet.
    pub(super) fn own(fault: &Fault<'_>) -> Self {
        match fault {
            Fault::Method { allow } => Self::new(405, "invalid_request", format!("this endpoint takes {allow} only")),
            Fault::SecretInQuery => Self::of(400, ErrorCode::InvalidRequest, "a secret does not belong into the query"),
            Fault::Unreadable(fault) => {
                Self::of(fault.status().as_u16(), ErrorCode::InvalidRequest, &fault.to_string())
            }
            Fault::Refused { error, .. } => {
                let Refusal { status, retry_after_seconds, response } = Refusal::from(*error);
                let description = response.error_description;
                Self { retry_after_seconds, ..Self::new(status, response.error.as_str(), description) }
            }
        }
    }

    fn of(status: u16, code: ErrorCode, description: &str) -> Self {
        let ErrorResponse { error, error_description } = ErrorResponse::new(code, description);
        Self::new(status, error.as_str(), error_description)
    }
}

impl<'a> Fault<'a> {
    /// The engine refused, whoever the user is.
    pub(crate) const fn refused(error: &'a TokenError) -> Self {
        Self::Refused { error, username: None }
    }

    /// What the caller is told. That nothing was decided, or that it is too much, is told by us in every dialect: a client that
    /// waits and comes again gets what it asked for.
    pub(super) fn told(&self, endpoint: Endpoint, dialect: &Dialect) -> Told {
        let own = Told::own(self);
        match dialect.words {
            _ if own.retry_after_seconds.is_some() => own,
            Words::Standard => own,
            Words::Bshaffer => bshaffer::words(self, dialect, endpoint).unwrap_or(own),
            Words::Wso2 => wso2::words(self, endpoint).unwrap_or(own),
            Words::Dotauth => dotauth::words(self).unwrap_or(own),
        }
    }
}
