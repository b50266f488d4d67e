use regrant_grant::{AccessVerdict, Generation, GrantId, RedeemVerdict, Verdict};
use regrant_protocol::{ClientId, Subject, Timestamp};
use regrant_store::ListedGrant;

use super::sentence;

/// What a token is, and why it is or would be refused now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Which kind of token it is.
    pub kind: TokenKind,
    /// The name of its grant; `None` when it names none. It may name one that there is not.
    pub grant_id: Option<GrantId>,
    /// Its generation; `None` when it has none.
    pub generation: Option<Generation>,
    /// Its grant as it is now; `None` when there is none, or when the token is not one of it.
    pub grant: Option<ExplainedGrant>,
    /// The client that it belongs to, as far as it is known.
    pub client: Option<ClientId>,
    /// What would become of it now, from the client it was issued to.
    pub verdict: ExplainedVerdict,
    /// Why, in one or two sentences. Never a secret.
    pub text: String,
}

/// Which kind of token it is, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A refresh token.
    RefreshToken,
    /// An authorization code.
    Code,
    /// An access token that is a JWT.
    JwtAccessToken,
    /// An opaque access token, or one of another system.
    OpaqueAccessToken,
    /// An ID token.
    IdToken,
    /// Nothing that this server made or took over.
    Unknown,
}

/// What would become of a token now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainedVerdict {
    /// As a refresh token.
    Refresh(Verdict),
    /// As a code.
    Redemption(RedeemVerdict),
    /// As an access token.
    Access(AccessVerdict),
    /// As an access token that was revoked alone.
    AccessTokenRevoked,
    /// As an access token that a refresh has ended, as its client is set.
    AccessTokenReplaced,
    /// Its client may not use its grant type any more.
    GrantTypeNotAllowed,
    /// It names a signing key that was withdrawn.
    KeyWithdrawn,
    /// It opens nothing: it is an ID token, or nothing of ours.
    None,
}

/// A grant as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedGrant {
    /// Its client.
    pub client: ClientId,
    /// Its user.
    pub subject: Subject,
    /// Its current generation.
    pub generation: Generation,
    /// Since when that is the current one.
    pub rotated_at: Timestamp,
    /// Whether it lives, and if not why.
    pub state: AccessVerdict,
}

impl TokenKind {
    /// The name of the kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::Code => "code",
            Self::JwtAccessToken => "jwt_access_token",
            Self::OpaqueAccessToken => "opaque_access_token",
            Self::IdToken => "id_token",
            Self::Unknown => "unknown",
        }
    }
}

impl ExplainedVerdict {
    /// The name of the verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh(verdict) => verdict.as_str(),
            Self::Redemption(verdict) => verdict.as_str(),
            Self::Access(verdict) => sentence::access_name(verdict),
            Self::AccessTokenRevoked => "access_token_revoked",
            Self::AccessTokenReplaced => "access_token_replaced",
            Self::GrantTypeNotAllowed => "grant_type_not_allowed",
            Self::KeyWithdrawn => "key_withdrawn",
            Self::None => "none",
        }
    }

    /// Whether the token would be accepted.
    #[must_use]
    pub fn is_success(self) -> bool {
        match self {
            Self::Refresh(verdict) => verdict.is_success(),
            Self::Redemption(verdict) => verdict.is_success(),
            Self::Access(verdict) => verdict == AccessVerdict::Active,
            Self::AccessTokenRevoked
            | Self::AccessTokenReplaced
            | Self::GrantTypeNotAllowed
            | Self::KeyWithdrawn
            | Self::None => false,
        }
    }
}

impl Explanation {
    pub(super) fn of(kind: TokenKind, (verdict, text): (ExplainedVerdict, &str)) -> Self {
        Self { kind, grant_id: None, generation: None, grant: None, client: None, verdict, text: text.to_owned() }
    }

    /// `None` for what was signed by us and is of no grant and no client that there is.
    pub(super) fn of_access_token(kind: TokenKind, verdict: Option<AccessVerdict>, is_listed: bool) -> Self {
        match verdict {
            None => Self::of(kind, (ExplainedVerdict::None, sentence::NO_OWNER)),
            Some(AccessVerdict::Active) if is_listed => {
                Self::of(kind, (ExplainedVerdict::AccessTokenRevoked, sentence::ACCESS_TOKEN_REVOKED))
            }
            Some(verdict) => Self::of(kind, (ExplainedVerdict::Access(verdict), sentence::of_access(verdict))),
        }
    }

    /// Adds what the token says of itself, which only a good tag makes true.
    pub(super) fn about(mut self, grant: GrantId, generation: Generation, listed: Option<ListedGrant>) -> Self {
        (self.grant_id, self.generation) = (Some(grant), Some(generation));
        let noun = if self.kind == TokenKind::Code { "code" } else { "refresh token" };
        self.within(noun, listed)
    }

    /// Adds its grant, and where it stands there.
    pub(super) fn within(mut self, noun: &str, listed: Option<ListedGrant>) -> Self {
        let Some(ListedGrant { grant, state }) = listed else { return self };
        if let Some(generation) = self.generation {
            let since = grant.rotated_at.to_rfc3339();
            let (own, current, text) = (generation.0, grant.generation.0, &self.text);
            self.text =
                format!("This {noun} is generation {own}; the grant is at generation {current} since {since}. {text}");
        }
        self.client = Some(grant.client.clone());
        self.grant = Some(ExplainedGrant {
            client: grant.client,
            subject: grant.subject,
            generation: grant.generation,
            rotated_at: grant.rotated_at,
            state,
        });
        self
    }
}
