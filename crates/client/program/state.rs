use regrant_client::{Credential, Demand, LogInReason, Plan, TokenError, plan};
use regrant_protocol::{Clock as _, SystemClock};

use crate::profile::Profile;

/// How the tokens of a profile are, by what is kept and the clock of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is an access token that serves.
    Valid,
    /// The next command that needs one gets one from the server.
    Refresh,
    /// A person has to log in.
    LogIn(LogInReason),
}

impl State {
    /// # Errors
    /// When what is kept is another server's or client's.
    pub(crate) fn of(profile: &Profile, kept: Option<&Credential>) -> Result<Self, TokenError> {
        if let Some(other) = kept.filter(|kept| !profile.owns(kept)) {
            let client = other.client_id.as_str().to_owned();
            return Err(TokenError::OtherServer { issuer: other.issuer.clone(), client });
        }
        let demand = Demand { renewal: profile.renewal(), ..Demand::default() };
        Ok(match plan(kept, SystemClock.now(), demand) {
            Plan::Use(_) | Plan::RefreshInBackground(_) => Self::Valid,
            Plan::Retry(retry) if retry.serves.is_some() => Self::Valid,
            Plan::RefreshNow | Plan::Retry(_) | Plan::Wait(_) => Self::Refresh,
            Plan::LogIn(reason) => Self::LogIn(reason),
        })
    }

    /// The word for it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Refresh => "refresh",
            Self::LogIn(_) => "log_in",
        }
    }
}
