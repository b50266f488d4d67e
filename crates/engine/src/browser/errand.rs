use regrant_crypto::{digest, random};
use regrant_grant::{GrantId, SessionId};
use regrant_protocol::{AuthorizationRequest, ClientId, Prompt, Subject, Timestamp};
use regrant_store::StoreError;
use serde::{Deserialize, Serialize};

use super::BrowserError;
use super::cookies::BrowserId;
use super::seal::SealLabel;
use crate::AuthorizationServer;

/// How long a page may stay open before what it asked is asked again.
const ERRAND_SECONDS: i64 = 10 * 60;
/// The longest errand, in bytes of JSON: sealed, it is a text of at most 5 kB.
const ERRAND_BYTES_MAX: usize = 3 * 1024 + 512;
/// The longest text that is opened, in bytes.
const SEALED_BYTES_MAX: usize = 5 * 1024;
/// Before the errand itself: its end, for whom it is, and the name of the grant that may come of it.
const HEADER_BYTES: usize = 8 + 16 + 16;

/// What the user came for. It travels sealed from page to page, and nothing of it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Errand {
    /// To authorize a client.
    Authorize(Box<AuthorizationErrand>),
    /// To see their account.
    Account,
    /// To log out.
    LogOut(LogOutErrand),
}

impl From<AuthorizationErrand> for Errand {
    fn from(errand: AuthorizationErrand) -> Self {
        Self::Authorize(Box::new(errand))
    }
}

impl Errand {
    /// Whether a page can carry it. What does not fit is refused where it arrives.
    pub(super) fn fits(&self) -> bool {
        self.to_json().len() <= ERRAND_BYTES_MAX
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an errand is text, numbers and lists")
    }
}

/// An authorization request whose client and redirect URI are known to be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuthorizationErrand {
    pub(super) client: ClientId,
    /// As it was presented; where none was, the client's only one.
    pub(super) redirect_uri: String,
    pub(super) redirect_uri_was_sent: bool,
    pub(super) request: AuthorizationRequest,
    asked_at_milliseconds: i64,
    /// The user whom `id_token_hint` names.
    pub(super) expected_user: Option<Subject>,
    /// Whether the user has entered name and password for this very request.
    pub(super) has_logged_in: bool,
}

/// A request to log out, on its way through the page that asks for a confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogOutErrand {
    pub(super) client: Option<ClientId>,
    pub(super) post_logout_redirect_uri: Option<String>,
    pub(super) state: Option<String>,
}

impl AuthorizationErrand {
    pub(super) fn new(
        client: ClientId,
        (redirect_uri, redirect_uri_was_sent): (String, bool),
        request: AuthorizationRequest,
        expected_user: Option<Subject>,
        asked_at: Timestamp,
    ) -> Self {
        Self {
            client,
            redirect_uri,
            redirect_uri_was_sent,
            request,
            asked_at_milliseconds: asked_at.milliseconds(),
            expected_user,
            has_logged_in: false,
        }
    }

    /// The same, of a user who has just entered name and password for it.
    pub(super) fn after_login(self) -> Self {
        Self { has_logged_in: true, ..self }
    }

    /// The same, of a user who has yet to log in for it where it asks for that.
    pub(super) fn before_login(self) -> Self {
        Self { has_logged_in: false, ..self }
    }

    /// Whether no page may be shown.
    pub(super) fn is_silent(&self) -> bool {
        self.request.prompts.contains(Prompt::None)
    }

    /// When the client asked.
    pub(super) fn asked_at(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.asked_at_milliseconds)
    }

    /// Whether a password that was entered at `authenticated_at` is good enough for this request.
    pub(super) fn accepts_authentication(&self, authenticated_at: Timestamp) -> bool {
        let is_new_enough = self.oldest_authentication().is_none_or(|oldest| authenticated_at >= oldest);
        self.has_logged_in || (!self.must_be_anew() && is_new_enough)
    }

    /// When the user may have proved at the earliest who they are; `None` for ever.
    pub(super) fn oldest_authentication(&self) -> Option<Timestamp> {
        let max_age = self.request.max_age_seconds.map(|seconds| self.asked_at().plus_seconds(-i64::from(seconds)));
        if self.must_be_anew() { Some(self.asked_at()) } else { max_age }
    }

    /// OpenID Connect Core §3.1.2.1: max_age=0 asks for the same as prompt=login.
    fn must_be_anew(&self) -> bool {
        self.request.prompts.contains(Prompt::Login) || self.request.max_age_seconds == Some(0)
    }
}

/// For whom an errand is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A browser in which nobody has to be logged in.
    Browser(BrowserId),
    /// A login session.
    Session(SessionId, Subject),
}

impl Holder {
    fn digest(&self) -> [u8; 16] {
        match self {
            Self::Browser(browser) => digest(&[b"browser", &browser.0]),
            Self::Session(session, user) => digest(&[b"session", &session.0, user.as_str().as_bytes()]),
        }
    }
}

/// An errand as a page brought it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenedErrand {
    pub(super) errand: Errand,
    /// The grant that it may lead to: the same page posted twice leads to one grant.
    pub(super) grant: GrantId,
    /// Whether it is the holder's and its end has not come. What is not current may be asked anew, and nothing more: whoever
    /// sends somebody else's errand gets no further than with a link to the authorization endpoint.
    pub(super) is_current: bool,
}

impl AuthorizationServer {
    /// The errand as the hidden field `request` of a page, for `holder` alone.
    pub(super) fn seal_errand(&self, errand: &Errand, holder: &Holder) -> Result<String, StoreError> {
        let end = self.clock.now().plus_seconds(ERRAND_SECONDS).milliseconds();
        let grant: [u8; 16] = random(&*self.entropy);
        let plaintext = [&end.to_be_bytes()[..], &holder.digest(), &grant, &errand.to_json()].concat();
        self.seal(SealLabel::Errand, &[], &plaintext)
    }

    /// Opens what a page brought back to `holder`; `None` stands for nobody, to whom nothing is current.
    pub(super) async fn open_errand(&self, text: &str, holder: Option<&Holder>) -> Result<OpenedErrand, BrowserError> {
        let opened = match text.len() {
            0..=SEALED_BYTES_MAX => self.unseal(SealLabel::Errand, &[], text).await?,
            _ => None,
        };
        opened.and_then(|plaintext| self.read_errand(&plaintext, holder)).ok_or(BrowserError::NotOurs)
    }

    fn read_errand(&self, plaintext: &[u8], holder: Option<&Holder>) -> Option<OpenedErrand> {
        let (header, errand) = plaintext.split_first_chunk::<HEADER_BYTES>()?;
        let (end, header) = header.split_first_chunk()?;
        let (sealed_for, grant) = header.split_first_chunk::<16>()?;
        let end = Timestamp::from_milliseconds(i64::from_be_bytes(*end));
        Some(OpenedErrand {
            errand: serde_json::from_slice(errand).ok()?,
            grant: GrantId(grant.try_into().ok()?),
            is_current: holder.is_some_and(|holder| holder.digest() == *sealed_for) && self.clock.now() < end,
        })
    }
}
