use regrant_crypto::digest;
use regrant_protocol::{ClientId, Resources, Scope, Timestamp};
use zeroize::Zeroizing;

use crate::{
    AccessToken, DpopKey, IssuerIdentifier, LineageId, OAuthClient, Pending, RefreshToken, Target, TokenType, Tokens,
    credential_file,
};

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
    /// The resource servers that the login was for; none where the server chose them.
    pub resources: Resources,
    /// The access token for those; `None` when there never was one, or it was dropped.
    pub access: Option<Access>,
    /// Access tokens of the same login for other targets, at most [`Credential::NARROWED_MAX`], and fewer where they are long;
    /// the one that was received longest ago goes first.
    pub narrowed: Vec<Narrowed>,
    /// The key that all tokens of the login are bound to; `None` where they are bearer tokens.
    pub dpop_key: Option<DpopKey>,
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

/// An access token for another target than that of the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// What was asked for.
    pub target: Target,
    /// What it is good for, as the server told it.
    pub scope: Scope,
    /// The token.
    pub access: Access,
}

/// What a [`Storage`](crate::Storage) compares before it writes: equal for equal credentials, and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version([u8; 32]);

impl Credential {
    /// The longest that the JSON of a credential may be, in bytes.
    pub const BYTES_MAX: usize = 256 * 1024;

    /// The longest that one of its tokens may be, in bytes: more than any server takes in a header.
    pub const TOKEN_BYTES_MAX: usize = 32 * 1024;

    /// How many access tokens for other targets than its own a credential has.
    pub const NARROWED_MAX: usize = 16;

    /// The credential of a login whose answer came at `received_at` of our clock, bound to `dpop_key`.
    #[must_use]
    pub(crate) fn of_login(
        client: &OAuthClient,
        tokens: Tokens,
        received_at: Timestamp,
        clock_offset: i64,
        dpop_key: Option<DpopKey>,
    ) -> Self {
        let bare = Self {
            issuer: client.provider().issuer.clone(),
            client_id: client.id().clone(),
            lineage: LineageId::generate(client.entropy()),
            scope: Scope::empty(),
            resources: client.resources().clone(),
            access: None,
            narrowed: Vec::new(),
            dpop_key,
            refresh_token: None,
            clock_offset_milliseconds: clock_offset,
            pending: None,
            not_before: None,
            failures: 0,
            refused: None,
        };
        let target = Target { resources: bare.resources.clone(), scope: Scope::empty() };
        bare.renewed(tokens, received_at, None, &target)
    }

    /// The credential after an answer for `target` that came at `received_at` of our clock: what the answer leaves out stays as it was.
    ///
    /// A difference of the clocks that is not told (`None`) is the one that was known before.
    #[must_use]
    pub(crate) fn renewed(
        &self,
        tokens: Tokens,
        received_at: Timestamp,
        clock_offset: Option<i64>,
        target: &Target,
    ) -> Self {
        let clock_offset_milliseconds = clock_offset.unwrap_or(self.clock_offset_milliseconds);
        let received_at = received_at.plus_milliseconds(clock_offset_milliseconds);
        let unanswered = self.pending.as_ref().and_then(|pending| pending.unanswered_sent_at);
        let access = Access {
            token: tokens.access_token,
            received_at,
            expires_at: tokens.expires_in.map(|seconds| received_at.plus_seconds(seconds.into())),
        };
        let renewed = Self {
            refresh_token: tokens.refresh_token.or_else(|| self.refresh_token.clone()),
            clock_offset_milliseconds,
            pending: None,
            not_before: unanswered.map(|sent_at| sent_at.plus_seconds(QUIET_SECONDS)),
            failures: 0,
            refused: None,
            ..self.clone()
        };
        renewed.with_access(access, tokens.scope, target)
    }

    /// A token that is too long is left out: whoever got it refuses it, and others must not make room for it.
    fn with_access(mut self, access: Access, scope: Option<Scope>, target: &Target) -> Self {
        if access.token.expose().len() > Self::TOKEN_BYTES_MAX {
            return self;
        }
        if self.is_own(target) {
            self.scope = scope.unwrap_or(self.scope);
            self.access = Some(access);
            return self.bounded(0);
        }
        let asked = if target.scope.is_empty() { &self.scope } else { &target.scope };
        let scope = scope.unwrap_or_else(|| asked.clone());
        self = self.without_access(target);
        self.narrowed.push(Narrowed { target: target.clone(), scope, access });
        self.bounded(1)
    }

    /// The credential without the oldest access tokens for other targets, if they are too many or too long. The last
    /// `kept_count` of them stay: they have just come.
    fn bounded(mut self, kept_count: usize) -> Self {
        while self.narrowed.len() > kept_count
            && (self.narrowed.len() > Self::NARROWED_MAX
                || Zeroizing::new(self.to_json()).len() > Self::BYTES_MAX - SPARE_BYTES)
        {
            let candidates = 0..self.narrowed.len() - kept_count;
            let oldest = candidates.min_by_key(|&at| self.narrowed[at].access.received_at);
            self.narrowed.remove(oldest.expect("the loop has found one more than are kept"));
        }
        self
    }

    /// The credential without its access token for `target`.
    pub(crate) fn without_access(mut self, target: &Target) -> Self {
        if self.is_own(target) {
            self.access = None;
        }
        self.narrowed.retain(|own| own.target != *target);
        self
    }

    /// The credential bound to `key`. Access tokens of another binding would be shown in the wrong way, and go.
    pub(crate) fn bound_to(&self, key: Option<DpopKey>) -> Self {
        if self.dpop_key == key {
            return self.clone();
        }
        Self { dpop_key: key, access: None, narrowed: Vec::new(), ..self.clone() }
    }

    /// The access token that was given for `target`, whatever is left of its life; that of the login for `None`.
    #[must_use]
    pub fn access_for(&self, target: Option<&Target>) -> Option<&Access> {
        match target.filter(|target| !self.is_own(target)) {
            None => self.access.as_ref(),
            Some(target) => self.narrowed.iter().find(|own| own.target == *target).map(|own| &own.access),
        }
    }

    fn is_own(&self, target: &Target) -> bool {
        target.scope.is_empty() && target.resources == self.resources
    }

    /// How its access tokens are shown to an API.
    #[must_use]
    pub const fn token_type(&self) -> TokenType {
        if self.dpop_key.is_some() { TokenType::Dpop } else { TokenType::Bearer }
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

/// What new tokens leave free of a credential's length, in bytes: for the marker of the next refresh.
const SPARE_BYTES: usize = 16 * 1024;
/// After an unanswered try nothing is refreshed for so long: that try may still be on its way.
const QUIET_SECONDS: i64 = 20;
