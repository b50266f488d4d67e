use regrant_crypto::digest;
use regrant_protocol::{ClientId, Scope, Timestamp};

use crate::{AccessToken, IssuerIdentifier, LineageId, OAuthClient, Pending, RefreshToken, Tokens, credential_file};

/// Everything a client keeps of one login: tokens, what they are good for, and how far a refresh has come.
///
/// It holds secrets; [`Debug`](std::fmt::Debug) leaves them out. A [`Storage`](crate::Storage) keeps it as the bytes of
/// [`Credential::to_json`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The server that the tokens come from, and the only one that they are sent to.
    pub issuer: IssuerIdentifier,
    /// The client that they were given to.
    pub client_id: ClientId,
    /// The login that they come from.
    pub lineage: LineageId,
    /// What the access token is good for, as the server told it.
    pub scope: Scope,
    /// The access token; `None` when there never was one, or it was dropped.
    pub access: Option<Access>,
    /// The refresh token; `None` where the server gave none, or refused the last one for good.
    pub refresh_token: Option<RefreshToken>,
    /// How far the server's clock is ahead of ours, in milliseconds, when its `Date` was last seen; 0 when it never was.
    pub clock_offset_milliseconds: i64,
    /// The refresh that was begun and has no answer yet.
    pub pending: Option<Pending>,
    /// No refresh is sent before this time of our clock: a server asked for it, or an unanswered try may still be on its way.
    pub not_before: Option<Timestamp>,
    /// How many exchanges have failed since the last one that did not.
    pub failures: u32,
    /// Why the refresh token is gone, where a server refused it: the error code that it gave.
    pub refused: Option<String>,
}

/// An access token and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The token.
    pub token: AccessToken,
    /// When the answer with it arrived, by the server's clock.
    pub received_at: Timestamp,
    /// When it ends, by the server's clock: the time of receipt and `expires_in`. `None` when the server did not say.
    pub expires_at: Option<Timestamp>,
}

/// What a [`Storage`](crate::Storage) compares before it writes: equal for equal credentials, and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version([u8; 32]);

impl Credential {
    /// The longest that the JSON of a credential may be, in bytes.
    pub const BYTES_MAX: usize = 256 * 1024;

    /// The credential of a login whose answer came at `received_at` of our clock.
    #[must_use]
    pub(crate) fn of_login(client: &OAuthClient, tokens: Tokens, received_at: Timestamp, clock_offset: i64) -> Self {
        let bare = Self {
            issuer: client.provider().issuer.clone(),
            client_id: client.id().clone(),
            lineage: LineageId::generate(client.entropy()),
            scope: Scope::empty(),
            access: None,
            refresh_token: None,
            clock_offset_milliseconds: clock_offset,
            pending: None,
            not_before: None,
            failures: 0,
            refused: None,
        };
        bare.renewed(tokens, received_at, None)
    }

    /// The credential after an answer that came at `received_at` of our clock: what the answer leaves out stays as it was.
    ///
    /// A difference of the clocks that is not told (`None`) is the one that was known before.
    #[must_use]
    pub(crate) fn renewed(&self, tokens: Tokens, received_at: Timestamp, clock_offset: Option<i64>) -> Self {
        let clock_offset_milliseconds = clock_offset.unwrap_or(self.clock_offset_milliseconds);
        let received_at = received_at.plus_milliseconds(clock_offset_milliseconds);
        let unanswered = self.pending.as_ref().and_then(|pending| pending.unanswered_sent_at);
        Self {
            access: Some(Access {
                token: tokens.access_token,
                received_at,
                expires_at: tokens.expires_in.map(|seconds| received_at.plus_seconds(seconds.into())),
            }),
            refresh_token: tokens.refresh_token.or_else(|| self.refresh_token.clone()),
            scope: tokens.scope.unwrap_or_else(|| self.scope.clone()),
            clock_offset_milliseconds,
            pending: None,
            not_before: unanswered.map(|sent_at| sent_at.plus_seconds(QUIET_SECONDS)),
            failures: 0,
            refused: None,
            ..self.clone()
        }
    }

    /// The credential as versioned JSON, secrets included: only for a [`Storage`](crate::Storage) to keep.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        credential_file::write(self)
    }

    /// Reads what [`Credential::to_json`] wrote.
    ///
    /// # Errors
    /// When it is damaged, not ours, or of a newer version. Whoever keeps it should then leave it alone.
    pub fn from_json(bytes: &[u8]) -> Result<Self, credential_file::CredentialError> {
        credential_file::read(bytes)
    }

    /// What tells this credential from every other.
    #[must_use]
    pub fn version(&self) -> Version {
        Version(digest(&[&self.to_json()]))
    }

    /// What the server's clock shows when ours shows `now`.
    #[must_use]
    pub const fn server_time(&self, now: Timestamp) -> Timestamp {
        now.plus_milliseconds(self.clock_offset_milliseconds)
    }
}

/// After an unanswered try nothing is refreshed for so long: that try may still be on its way.
const QUIET_SECONDS: i64 = 20;
