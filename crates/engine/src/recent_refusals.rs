use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use regrant_grant::GrantId;
use regrant_protocol::{ClientId, Timestamp};

use crate::{AuthorizationServer, Event, Happening, LogInOutcome, RequestId};

/// How many refused requests are remembered; the next makes the oldest be forgotten.
pub const RECENT_REFUSALS_MAX: usize = 10_000;

/// The requests that were refused last, by their names: what helps who calls with the number of an error page.
#[derive(Debug, Default)]
pub struct RecentRefusals(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    refusals: HashMap<RequestId, RecentRefusal>,
    /// The names in `refusals`, oldest first.
    order: VecDeque<RequestId>,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentRefusal {
    /// When.
    pub at: Timestamp,
    /// The client that asked, as far as it is known.
    pub client: Option<ClientId>,
    /// The grant it was about, as far as it is known.
    pub grant: Option<GrantId>,
    /// What became of it: a verdict or outcome by its name, else `refused`.
    pub verdict: &'static str,
    /// Why, in a sentence. Never a secret.
    pub sentence: String,
}

impl RecentRefusals {
    /// What became of a request; `None` when it was not refused, or so long ago that [`RECENT_REFUSALS_MAX`] others were
    /// refused since.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<RecentRefusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refusals.get(id).cloned()
    }

    /// Remembers what an event says was refused, if it names its request. Of one request the last refusal counts.
    pub(crate) fn remember(&self, event: &Event<'_>) {
        let Some(request) = event.request else { return };
        let Some(refusal) = refusal(event) else { return };
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.refusals.insert(request.clone(), refusal).is_some() {
            return;
        }
        remembered.order.push_back(request.clone());
        if remembered.order.len() > RECENT_REFUSALS_MAX
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.refusals.remove(&oldest);
        }
    }
}

impl AuthorizationServer {
    /// The requests that were refused last.
    #[must_use]
    pub fn recent_refusals(&self) -> &RecentRefusals {
        &self.recent_refusals
    }
}

fn refusal(event: &Event<'_>) -> Option<RecentRefusal> {
    let (client, grant, verdict, sentence) = match &event.happening {
        Happening::Refresh { verdict, grant, client } if !verdict.is_success() => {
            (Some(*client), *grant, verdict.as_str(), crate::explain::of_refresh(*verdict).to_owned())
        }
        Happening::Redemption { verdict, grant, client } if !verdict.is_success() => {
            (Some(*client), *grant, verdict.as_str(), crate::explain::of_redemption(*verdict).to_owned())
        }
        Happening::ClientAuthenticationFailed { client, failure } => {
            (Some(*client), None, failure.as_str(), crate::explain::of_client(*failure).to_owned())
        }
        Happening::LogIn { outcome, .. } if *outcome != LogInOutcome::LoggedIn => {
            (None, None, outcome.as_str(), crate::explain::of_log_in(*outcome).to_owned())
        }
        Happening::Refused { client, reason, .. } => (*client, None, event.happening.name(), reason.to_string()),
        Happening::Refresh { .. }
        | Happening::Redemption { .. }
        | Happening::LogIn { .. }
        | Happening::Issued { .. }
        | Happening::TakeOver { .. }
        | Happening::LogOut { .. }
        | Happening::Consent { .. }
        | Happening::CodeIssued { .. }
        | Happening::PasswordChanged { .. }
        | Happening::Revoked { .. }
        | Happening::AccessTokenRevoked { .. }
        | Happening::Introspection { .. }
        | Happening::OperatorRefused { .. }
        | Happening::Administered { .. } => return None,
    };
    Some(RecentRefusal { at: event.at, client: client.cloned(), grant, verdict, sentence })
}
