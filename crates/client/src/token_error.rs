use std::time::Duration;

use crate::dpop::URI_BYTES_MAX;
use crate::{Failure, IssuerIdentifier, LogInReason, StorageError};

/// Why there is no access token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Only a person can help.
    #[error("log in again: {0}")]
    LogIn(#[from] LogInReason),
    /// Try again later. Nothing is lost.
    #[error("no access token for now: {cause}; try again{}", after(*.retry_after))]
    Temporary {
        /// What went wrong last.
        cause: String,
        /// How long to wait; `None` when nobody said.
        retry_after: Option<Duration>,
    },
    /// The server knows what it does, and will do the same next time: the client's settings have to change. The tokens are kept.
    #[error(transparent)]
    Refused(Failure),
    /// The credential can be neither read nor written. The tokens are kept.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is kept belongs to another server or client, and is not sent to this one.
    #[error("the credential belongs to client {client:?} of {issuer}; use another file, or log out there first")]
    OtherServer {
        /// Whose it is.
        issuer: IssuerIdentifier,
        /// Which client's.
        client: String,
    },
    /// The token is bound to a key, and what it is to be sent to has no place in a proof.
    #[error("{0:?} is not an absolute URI of at most {URI_BYTES_MAX} bytes, as a proof for a bound token needs")]
    Uri(String),
}

impl TokenError {
    /// Whether the same call may succeed later, with nobody doing anything.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Temporary { .. } => true,
            Self::Storage(error) => error.is_temporary(),
            Self::LogIn(_) | Self::Refused(_) | Self::OtherServer { .. } | Self::Uri(_) => false,
        }
    }
}

pub(crate) fn after(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!(" in {} s", wait.as_secs()))
}
