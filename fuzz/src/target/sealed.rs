use regrant_engine::{BrowserCookies, BrowserError, LoginProblem, Next};
use regrant_protocol::{PARAMETER_VALUE_BYTES_MAX, Secret};

use crate::bytes::Bytes;
use crate::server::form;
use crate::visit::{VISIT, Visit};

/// What a browser holds for us is believed as it was given, at its own place, and in no other spelling.
///
/// The first byte is the place where something is brought, the second what it is: one of those things with edits, or the
/// rest as a text.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let visit = &*VISIT;
    let place = bytes.choice(&Place::ALL);
    let text = match Place::ALL.get(usize::from(bytes.byte() % 6)) {
        Some(place) => bytes.edit(&place.given(visit)),
        None => bytes.rest().to_owned(),
    };
    let Ok(text) = String::from_utf8(text) else { return };
    if text.is_empty() || text.len() > PARAMETER_VALUE_BYTES_MAX {
        return;
    }
    let is_given_at = |place: &Place| place.given(visit) == text;
    let expected = if is_given_at(&place) {
        Outcome::Believed
    } else if place.takes_errands() && Place::ALL.iter().any(|place| place.takes_errands() && is_given_at(place)) {
        Outcome::AskedAgain
    } else {
        Outcome::Refused
    };
    assert_eq!(place.bring(visit, &text), expected, "{text} at {place:?}");
}

/// Where the browser brings back what we gave it.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The field `request` of the login form.
    LogIn,
    /// The field `request` of the consent form.
    Consent,
    /// The field `form` of the log-out confirmation.
    LogOut,
    /// The field `form` of the account page.
    Account,
    /// The cookie of the login session.
    Session,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// What the browser asks for is done.
    Believed,
    /// It is ours, but not for this page and login session: nothing is done.
    AskedAgain,
    /// It is nothing of ours.
    Refused,
}

impl Place {
    const ALL: [Self; 5] = [Self::LogIn, Self::Consent, Self::LogOut, Self::Account, Self::Session];

    /// What was given to be brought here.
    fn given(self, Visit { held, .. }: &Visit) -> String {
        match self {
            Self::LogIn => held.login_request.clone(),
            Self::Consent => held.consent_request.clone(),
            Self::LogOut => held.log_out_form.clone(),
            Self::Account => held.account_form.clone(),
            Self::Session => held.of_user.session.as_ref().expect("somebody is logged in").expose().to_owned(),
        }
    }

    /// Whether what is brought here is what the user came for, sealed.
    fn takes_errands(self) -> bool {
        match self {
            Self::LogIn | Self::Consent | Self::LogOut => true,
            Self::Account | Self::Session => false,
        }
    }

    /// Brings `text` here, with the cookies of whoever this place is for. Nothing that is done changes anything.
    fn bring(self, visit: &Visit, text: &str) -> Outcome {
        let Visit { server, held } = visit;
        let engine = &server.engine;
        let (stranger, user) = (visit.browser(&held.of_stranger), visit.browser(&held.of_user));
        let step = server.runtime.block_on(async {
            match self {
                Self::LogIn => engine.log_in(&stranger, &form(&[("request", text), ("action", "cancel")])).await,
                Self::Consent => engine.consent(&user, &form(&[("request", text), ("decision", "deny")])).await,
                Self::LogOut => engine.end_session(&user, &form(&[("form", text), ("decision", "stay")])).await,
                Self::Account => engine.end_grant(&user, &form(&[("form", text), ("grant", NO_GRANT)])).await,
                Self::Session => {
                    let session = Some(Secret::new(text.to_owned()));
                    engine.account(&visit.browser(&BrowserCookies { session, ..held.of_stranger.clone() }), None).await
                }
            }
        });
        match (self, step.map(|step| step.next)) {
            (Self::LogIn | Self::Consent, Ok(Next::Respond(_)))
            | (Self::LogOut, Ok(Next::ToAccount))
            | (Self::Account, Err(BrowserError::UnknownGrant))
            | (Self::Session, Ok(Next::Account(_))) => Outcome::Believed,
            (Self::LogIn, Ok(Next::LogIn(prompt))) if prompt.problem == Some(LoginProblem::Outdated) => {
                Outcome::AskedAgain
            }
            (Self::Consent, Ok(Next::Consent(prompt))) if prompt.is_outdated => Outcome::AskedAgain,
            (Self::Consent, Ok(Next::ToAccount)) | (Self::LogOut, Err(BrowserError::ForeignForm)) => {
                Outcome::AskedAgain
            }
            (Self::LogIn | Self::Consent | Self::LogOut, Err(BrowserError::NotOurs))
            | (Self::Account, Err(BrowserError::ForeignForm))
            | (Self::Session, Ok(Next::LogIn(_))) => Outcome::Refused,
            (_, next) => panic!("{text} at {self:?}: {next:?}"),
        }
    }
}

/// The name of a grant that nobody has.
const NO_GRANT: &str = "AAAAAAAAAAAAAAAAAAAAAA";
