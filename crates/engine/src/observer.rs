use std::net::IpAddr;

use regrant_grant::{GrantId, RedeemVerdict, Verdict};
use regrant_protocol::{ClientId, Subject, Timestamp};

use crate::RequestId;

/// Hears of everything that happens, for metrics, an audit trail or alarms.
///
/// It is called on the way of a request, so it returns at once, and never waits for anything.
pub trait Observer: Send + Sync + 'static {
    /// This has happened.
    fn happened(&self, event: &Event<'_>);
}

/// Something that has happened. No event holds a token, a code, a secret or a password.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// In which request; `None` where it was none, or has no name.
    pub request: Option<&'a RequestId>,
    /// From where the request came.
    pub source: Option<IpAddr>,
    /// What.
    pub happening: Happening<'a>,
}

/// What has happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// A refresh was decided.
    Refresh {
        /// What became of it.
        verdict: Verdict,
        /// The grant; `None` when the token names none.
        grant: Option<GrantId>,
        /// The client that asked.
        client: &'a ClientId,
    },
    /// A code was presented.
    Redemption {
        /// What became of it.
        verdict: RedeemVerdict,
        /// The grant; `None` when the code names none.
        grant: Option<GrantId>,
        /// The client that asked.
        client: &'a ClientId,
    },
    /// Somebody tried to log in.
    LogIn {
        /// Who it was; `None` when nobody was recognised.
        subject: Option<&'a Subject>,
        /// Whether they are logged in now.
        outcome: LogInOutcome,
    },
}

/// What became of an attempt to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogInOutcome {
    /// They are logged in.
    LoggedIn,
    /// Unknown name or wrong password.
    WrongCredentials,
    /// The right password of a user who is locked or disabled.
    UserDisabled,
    /// Too many failures came before.
    TooManyFailures,
}
