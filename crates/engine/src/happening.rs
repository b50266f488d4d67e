use regrant_grant::{GrantId, RedeemVerdict, Verdict};
use regrant_protocol::{ClientId, GrantType, Subject};

use crate::{Act, BrowserError, Door, Endpoint, TakeOverOutcome, TokenError, UserInfoError};

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
    /// A token was issued that no code and no refresh token stands for.
    Issued {
        /// By which grant type: `password` or `client_credentials`.
        grant_type: GrantType,
        /// The new grant; `None` when the client acts for itself.
        grant: Option<GrantId>,
        /// The client that got it.
        client: &'a ClientId,
        /// The user it is about; `None` when the client acts for itself.
        subject: Option<&'a Subject>,
    },
    /// A refresh token that nobody knows here was presented to the client's old server.
    TakeOver {
        /// What became of it.
        outcome: TakeOverOutcome,
        /// The client that asked.
        client: &'a ClientId,
        /// The grant that was made of it.
        grant: Option<GrantId>,
        /// The user who goes on with it.
        subject: Option<&'a Subject>,
    },
    /// A client did not prove who it is.
    ClientAuthenticationFailed {
        /// Who it said it was. There may be no such client.
        client: &'a ClientId,
        /// Why.
        failure: ClientAuthenticationFailure,
    },
    /// Somebody tried to log in, by the login page or the password grant, or entered their password again to change it.
    LogIn {
        /// Who it was; `None` when nobody was recognised.
        subject: Option<&'a Subject>,
        /// Whether they are logged in now.
        outcome: LogInOutcome,
    },
    /// A login session was ended by its user.
    LogOut {
        /// Whose.
        subject: &'a Subject,
    },
    /// A user was asked for consent, and answered.
    Consent {
        /// Who answered.
        subject: &'a Subject,
        /// The client that asked.
        client: &'a ClientId,
        /// Whether they agreed, to all or a part of it.
        is_given: bool,
    },
    /// A grant was made, and its code sent.
    CodeIssued {
        /// The grant.
        grant: GrantId,
        /// The client that asked.
        client: &'a ClientId,
        /// The user.
        subject: &'a Subject,
    },
    /// A user changed their password. That an operator did is told by [`Happening::Administered`].
    PasswordChanged {
        /// Whose.
        subject: &'a Subject,
    },
    /// Grants were ended.
    Revoked {
        /// Which.
        grants: RevokedGrants<'a>,
        /// By whom.
        by: Revoker,
    },
    /// A client revoked one access token of its own, and nothing else.
    AccessTokenRevoked {
        /// The client.
        client: &'a ClientId,
        /// The `jti` of the token, which opens nothing.
        token: &'a str,
    },
    /// A client asked about a token.
    Introspection {
        /// The client that asked.
        client: &'a ClientId,
        /// Whether it was told that the token is good.
        is_active: bool,
    },
    /// A request was refused for another reason than those above.
    Refused {
        /// Where.
        endpoint: Endpoint,
        /// The client that asked, as far as it is known.
        client: Option<&'a ClientId>,
        /// Why.
        reason: Reason<'a>,
    },
    /// Nobody was let in as an operator at the admin listener.
    OperatorRefused {
        /// Why.
        failure: OperatorFailure,
    },
    /// An operator did something.
    Administered {
        /// What.
        act: Act,
        /// To what: the identifier of a client, user, grant or key, or a path. Never a secret.
        object: &'a str,
        /// Through which door they came.
        door: Door,
    },
}

/// Why a client is not taken for what it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthenticationFailure {
    /// No such client, a wrong secret, or a method that is not registered for it.
    WrongCredentials,
    /// It proved itself, and is disabled.
    ClientDisabled,
    /// Too many failures came before.
    TooManyFailures,
}

/// Why somebody is not taken for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorFailure {
    /// No admin token came with the request.
    NoToken,
    /// The admin token was wrong.
    WrongToken,
    /// Too many wrong ones came before.
    TooManyFailures,
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

/// Which grants were ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedGrants<'a> {
    /// One, with its family.
    One(GrantId),
    /// All of a user.
    OfUser(&'a Subject),
    /// All of a client.
    OfClient(&'a ClientId),
}

/// Who ended a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoker {
    /// The client that it was made for (RFC 7009).
    Client,
    /// The user who made it.
    User,
    /// An operator.
    Operator,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'a> {
    /// By the endpoints for clients.
    Token(&'a TokenError),
    /// By the userinfo endpoint.
    UserInfo(&'a UserInfoError),
    /// By what a browser shows.
    Browser(&'a BrowserError),
}

impl Happening<'_> {
    /// The name of everything that happens.
    pub const NAMES: [&'static str; 16] = [
        "refresh",
        "redemption",
        "issued",
        "take_over",
        "client_authentication_failed",
        "log_in",
        "log_out",
        "consent",
        "code_issued",
        "password_changed",
        "revoked",
        "access_token_revoked",
        "introspection",
        "refused",
        "operator_refused",
        "administered",
    ];

    /// The name under which log, audit and documentation speak of it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refresh { .. } => "refresh",
            Self::Redemption { .. } => "redemption",
            Self::Issued { .. } => "issued",
            Self::TakeOver { .. } => "take_over",
            Self::ClientAuthenticationFailed { .. } => "client_authentication_failed",
            Self::LogIn { .. } => "log_in",
            Self::LogOut { .. } => "log_out",
            Self::Consent { .. } => "consent",
            Self::CodeIssued { .. } => "code_issued",
            Self::PasswordChanged { .. } => "password_changed",
            Self::Revoked { .. } => "revoked",
            Self::AccessTokenRevoked { .. } => "access_token_revoked",
            Self::Introspection { .. } => "introspection",
            Self::Refused { .. } => "refused",
            Self::OperatorRefused { .. } => "operator_refused",
            Self::Administered { .. } => "administered",
        }
    }
}

impl ClientAuthenticationFailure {
    /// The failure that an error of client authentication is; `None` when nothing was found out.
    pub(crate) const fn of(error: &TokenError) -> Option<Self> {
        match error {
            TokenError::ClientNotAuthenticated(_) => Some(Self::WrongCredentials),
            TokenError::ClientDisabled => Some(Self::ClientDisabled),
            TokenError::TooManyFailures { .. } => Some(Self::TooManyFailures),
            TokenError::Request(_)
            | TokenError::GrantTypeNotAllowed { .. }
            | TokenError::PublicClient
            | TokenError::Credentials
            | TokenError::UserDisabled
            | TokenError::Scope(_)
            | TokenError::Target(_)
            | TokenError::TargetNotGranted
            | TokenError::Redeem { .. }
            | TokenError::Refresh { .. }
            | TokenError::SigningKeyNotReady(_)
            | TokenError::AccessTokenTooLarge
            | TokenError::Claims(_)
            | TokenError::Changed
            | TokenError::NotTakenOver { .. }
            | TokenError::Overloaded(_)
            | TokenError::Store(_) => None,
        }
    }

    /// Every failure.
    pub const ALL: [Self; 3] = [Self::WrongCredentials, Self::ClientDisabled, Self::TooManyFailures];

    /// The name of the failure.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongCredentials => "wrong_credentials",
            Self::ClientDisabled => "client_disabled",
            Self::TooManyFailures => "too_many_failures",
        }
    }
}

impl OperatorFailure {
    /// Every failure.
    pub const ALL: [Self; 3] = [Self::NoToken, Self::WrongToken, Self::TooManyFailures];

    /// The name of the failure.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::WrongToken => "wrong_token",
            Self::TooManyFailures => "too_many_failures",
        }
    }
}

impl LogInOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::LoggedIn, Self::WrongCredentials, Self::UserDisabled, Self::TooManyFailures];

    /// The name of the outcome.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged_in",
            Self::WrongCredentials => "wrong_credentials",
            Self::UserDisabled => "user_disabled",
            Self::TooManyFailures => "too_many_failures",
        }
    }
}

impl Revoker {
    /// Everybody who can.
    pub const ALL: [Self; 3] = [Self::Client, Self::User, Self::Operator];

    /// The name of who it was.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::User => "user",
            Self::Operator => "operator",
        }
    }
}

impl std::fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::UserInfo(error) => error.fmt(f),
            Self::Browser(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_event() {
        let page = include_str!("../../../docs/operations/observe.md");
        let (_, table) = page.split_once("| event |").unwrap();
        let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split('`').next());
        assert_eq!(rows.collect::<Vec<_>>(), Happening::NAMES);
    }
}
