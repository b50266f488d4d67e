use std::time::Duration;

use regrant_protocol::Timestamp;

use crate::{AccessToken, Credential, Demand, Jitter, Proof, Renewal};

/// What to do for a caller who needs an access token now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<'c> {
    /// It has enough of its life left.
    Use(&'c AccessToken),
    /// It still serves, and it is time for the next one: hand it out, and refresh meanwhile.
    RefreshInBackground(&'c AccessToken),
    /// Nothing serves: refresh first.
    RefreshNow,
    /// A refresh was begun that has no answer: the same refresh token has to be sent again.
    Retry(Retry<'c>),
    /// Nothing serves, and nothing may be sent before this time of our clock.
    Wait(Timestamp),
    /// Only a person can help.
    LogIn(LogInReason),
}

/// How the same refresh token is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry<'c> {
    /// The access token that still serves meanwhile; `None` when the caller has to wait for the answer.
    pub serves: Option<&'c AccessToken>,
    /// Whether the window has passed, in which a server may know the sender again.
    ///
    /// Then either no try has arrived, and this one is the first, or the answer is lost for good. Sending it can only help:
    /// the alternative is a login, which gives up the session in both cases.
    pub is_late: bool,
}

/// Why a person has to log in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogInReason {
    /// There is no credential: nobody has logged in yet, or somebody logged out.
    #[error("nobody is logged in")]
    NoCredential,
    /// The server gave no refresh token, and the access token has ended.
    #[error(
        "the access token has ended, and the server gave no refresh token (does the login ask for offline_access?)"
    )]
    NoRefreshToken,
    /// The server refused the refresh token, with this error code. It is not sent again.
    #[error("the server refused the refresh token ({0}): it expired, was revoked, or was used by somebody else")]
    Refused(String),
}

/// The rule of the client: decides from what is kept, the time of our clock and the demand, and from nothing else.
///
/// ```
/// use regrant_client::{Demand, LogInReason, Plan, plan};
/// use regrant_protocol::Timestamp;
///
/// let now = Timestamp::from_seconds(1_800_000_000);
/// assert_eq!(plan(None, now, Demand::default()), Plan::LogIn(LogInReason::NoCredential));
/// ```
#[must_use]
pub fn plan<'c>(credential: Option<&'c Credential>, now: Timestamp, demand: Demand<'_>) -> Plan<'c> {
    let Some(credential) = credential else {
        return match demand.renewal {
            Renewal::LogIn => Plan::LogIn(LogInReason::NoCredential),
            Renewal::ClientCredentials => Plan::RefreshNow,
        };
    };
    let (serves, is_due) = match state(credential, now, demand) {
        State::Fresh(token) => (Some(token), false),
        State::Due(token) => (Some(token), true),
        State::Gone => (None, true),
    };
    if !is_due && credential.pending.is_none() {
        return serves.map_or(Plan::RefreshNow, Plan::Use);
    }
    if credential.refresh_token.is_none() && demand.renewal == Renewal::LogIn {
        return serves.map_or_else(|| Plan::LogIn(reason(credential)), Plan::Use);
    }
    // A clock that was set back must not stop everything until it has caught up.
    let latest = now.plus_milliseconds(milliseconds(NOT_BEFORE_MAX));
    if let Some(until) = credential.not_before.filter(|&until| now < until && until <= latest) {
        return serves.map_or(Plan::Wait(until), Plan::Use);
    }
    match &credential.pending {
        Some(pending) => Plan::Retry(Retry { serves, is_late: is_late(pending.first_sent_at, now, demand.proof) }),
        None => serves.map_or(Plan::RefreshNow, Plan::RefreshInBackground),
    }
}

enum State<'c> {
    Fresh(&'c AccessToken),
    Due(&'c AccessToken),
    Gone,
}

fn state<'c>(credential: &'c Credential, now: Timestamp, demand: Demand<'_>) -> State<'c> {
    let Some(access) = credential.access_for(demand.target) else {
        return State::Gone;
    };
    let server_now = credential.server_time(now);
    // An API that refuses a token this young has another reason than its age: the next one would be refused as well.
    let is_young = server_now.milliseconds_since(access.received_at) < milliseconds(REJECTION_PAUSE);
    if demand.rejected == Some(&access.token) && !is_young {
        return State::Gone;
    }
    let Some(expires_at) = access.expires_at else {
        return State::Fresh(&access.token);
    };
    let life = expires_at.milliseconds_since(access.received_at);
    let left = expires_at.milliseconds_since(server_now);
    if left <= life.min(milliseconds(LEFT_MIN) * 4) / 4 {
        State::Gone
    } else if left <= margin(life, demand.jitter) || server_now < access.received_at {
        State::Due(&access.token)
    } else {
        State::Fresh(&access.token)
    }
}

/// How long before its end a token that lives for `life` is refreshed, both in milliseconds: 60 s or a tenth of its life, and up
/// to another tenth by jitter, but never more than half.
fn margin(life: i64, jitter: Jitter) -> i64 {
    let tenth = life / 10;
    let spread = i64::from(jitter.0) * tenth / i64::from(u16::MAX);
    (tenth.max(milliseconds(MARGIN_MIN)) + spread).min(life / 2)
}

fn is_late(first_sent_at: Timestamp, now: Timestamp, proof: Proof) -> bool {
    // A clock that went back tells nothing about the time since the first try.
    now < first_sent_at || now.milliseconds_since(first_sent_at) > milliseconds(proof.last_try())
}

fn reason(credential: &Credential) -> LogInReason {
    match &credential.refused {
        Some(code) => LogInReason::Refused(code.clone()),
        None => LogInReason::NoRefreshToken,
    }
}

const fn milliseconds(duration: Duration) -> i64 {
    duration.as_secs() as i64 * 1000
}

/// The longest that a credential can be kept from being refreshed.
pub(crate) const NOT_BEFORE_MAX: Duration = Duration::from_secs(3600);
/// A token is refreshed at least so long before its end, if that is not more than half of its life.
const MARGIN_MIN: Duration = Duration::from_secs(60);
/// A token with less left would end on its way to the API; of a short-lived one, the last quarter.
const LEFT_MIN: Duration = Duration::from_secs(10);
/// A token that is younger is not replaced because an API refused it.
const REJECTION_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, IssuerIdentifier, LineageId, Pending, RefreshToken, Target};
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::{ClientId, Resources, Scope};

    const START: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(START + seconds)
    }

    /// A credential whose access token was received at 0 and lives for `life` seconds.
    fn credential(life: i64) -> Credential {
        Credential {
            issuer: IssuerIdentifier::parse("https://id.example").unwrap(),
            client_id: ClientId::parse("TestApp").unwrap(),
            lineage: LineageId::generate(&SeededEntropy::new(1)),
            scope: Scope::empty(),
            resources: Resources::none(),
            narrowed: Vec::new(),
            dpop_key: None,
            access: Some(Access {
                token: AccessToken::new("a".to_owned()),
                received_at: at(0),
                expires_at: Some(at(life)),
            }),
            refresh_token: Some(RefreshToken::new("r".to_owned())),
            clock_offset_milliseconds: 0,
            pending: None,
            not_before: None,
            failures: 0,
            refused: None,
        }
    }

    fn word(plan: &Plan<'_>) -> String {
        match plan {
            Plan::Use(_) => "use".to_owned(),
            Plan::RefreshInBackground(_) => "background".to_owned(),
            Plan::RefreshNow => "now".to_owned(),
            Plan::Retry(Retry { serves, is_late }) => {
                let serves = if serves.is_some() { " meanwhile" } else { "" };
                format!("{}retry{serves}", if *is_late { "late " } else { "" })
            }
            Plan::Wait(until) => format!("wait {}", until.seconds() - START),
            Plan::LogIn(reason) => format!("{reason:?}"),
        }
    }

    #[test]
    fn a_token_is_refreshed_a_minute_or_a_tenth_of_its_life_early_but_never_in_its_first_half() {
        for (life, jitter, used_until, served_until) in [
            (3600, 0, 3239, 3589),
            (3600, u16::MAX, 2879, 3589),
            (86_400, 0, 77_759, 86_389),
            (300, 0, 239, 289),
            (300, u16::MAX, 209, 289),
            (100, 0, 49, 89),
            (20, u16::MAX, 9, 14),
        ] {
            let credential = credential(life);
            let demand = Demand { jitter: Jitter(jitter), ..Demand::default() };
            for (seconds, expected) in [
                (0, "use"),
                (used_until, "use"),
                (used_until + 1, "background"),
                (served_until, "background"),
                (served_until + 1, "now"),
                (10 * life, "now"),
            ] {
                let plan = plan(Some(&credential), at(seconds), demand);
                assert_eq!(word(&plan), expected, "{life} s of life, jitter {jitter}, after {seconds} s");
            }
        }
    }

    #[test]
    fn all_tries_are_inside_the_window_of_their_proof_and_one_past_it_is_called_late() {
        let confidential = Demand { proof: Proof::ClientAuthentication, ..Demand::default() };
        let pending = Pending::first(&SeededEntropy::new(2), at(4000), Target::default());
        let gone = Credential { pending: Some(pending.clone()), ..credential(3600) };
        let serving = Credential { pending: Some(pending), ..credential(8000) };
        for (credential, demand, seconds, expected) in [
            (&gone, Demand::default(), 4000, "retry"),
            (&gone, Demand::default(), 4040, "retry"),
            (&gone, Demand::default(), 4041, "late retry"),
            (&gone, Demand::default(), 3999, "late retry"),
            (&gone, confidential, 4041, "retry"),
            (&gone, confidential, 4000 + 86_380, "retry"),
            (&gone, confidential, 4000 + 86_381, "late retry"),
            (&serving, Demand::default(), 4001, "retry meanwhile"),
            (&serving, Demand::default(), 5000, "late retry meanwhile"),
        ] {
            assert_eq!(word(&plan(Some(credential), at(seconds), demand)), expected, "{seconds} {:?}", demand.proof);
        }
    }

    #[test]
    fn nothing_is_sent_before_its_time_and_a_clock_that_went_back_does_not_stop_it_for_long() {
        let quiet = Credential { not_before: Some(at(4000)), ..credential(3600) };
        let pending = Some(Pending::first(&SeededEntropy::new(2), at(3950), Target::default()));
        let pending = Credential { pending, ..quiet.clone() };
        for (credential, seconds, expected) in [
            (&quiet, 3300, "use"),
            (&quiet, 3999, "wait 4000"),
            (&quiet, 4000, "now"),
            (&quiet, -3600, "background"),
            (&pending, 3999, "wait 4000"),
            (&pending, 4000, "late retry"),
        ] {
            assert_eq!(word(&plan(Some(credential), at(seconds), Demand::default())), expected, "{seconds}");
        }
    }

    #[test]
    fn a_rejected_token_is_replaced_unless_it_is_brand_new_and_another_one_is_not() {
        let credential = credential(3600);
        let (this, other) = (AccessToken::new("a".to_owned()), AccessToken::new("b".to_owned()));
        for (rejected, seconds, expected) in
            [(&this, 9, "use"), (&this, 10, "now"), (&other, 10, "use"), (&other, 3599, "now")]
        {
            let demand = Demand { rejected: Some(rejected), ..Demand::default() };
            assert_eq!(word(&plan(Some(&credential), at(seconds), demand)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_person_is_asked_only_when_nothing_else_is_left() {
        let without = Credential { refresh_token: None, ..credential(3600) };
        let refused = Credential { refused: Some("invalid_grant".to_owned()), ..without.clone() };
        let by_itself = Demand { renewal: Renewal::ClientCredentials, ..Demand::default() };
        for (credential, demand, seconds, expected) in [
            (None, Demand::default(), 0, "NoCredential"),
            (None, by_itself, 0, "now"),
            (Some(&without), Demand::default(), 3589, "use"),
            (Some(&without), Demand::default(), 3590, "NoRefreshToken"),
            (Some(&without), by_itself, 3590, "now"),
            (Some(&refused), Demand::default(), 3589, "use"),
            (Some(&refused), Demand::default(), 3590, "Refused(\"invalid_grant\")"),
        ] {
            assert_eq!(word(&plan(credential, at(seconds), demand)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_clock_that_is_an_hour_wrong_changes_nothing() {
        for offset_seconds in [-3600, 3600] {
            let credential = Credential { clock_offset_milliseconds: offset_seconds * 1000, ..credential(3600) };
            for (seconds, expected) in [(0, "use"), (3239, "use"), (3240, "background"), (3590, "now")] {
                let plan = plan(Some(&credential), at(seconds - offset_seconds), Demand::default());
                assert_eq!(word(&plan), expected, "{seconds} s after the answer, {offset_seconds} s behind");
            }
        }
    }

    #[test]
    fn a_token_without_an_end_is_used_until_it_is_rejected() {
        let mut credential = credential(0);
        credential.access.as_mut().unwrap().expires_at = None;
        assert_eq!(word(&plan(Some(&credential), at(10_000_000), Demand::default())), "use");
    }
}
