use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, Resources, RetryChallenge, Scope, Subject, Timestamp};

use crate::{AccessTokenId, ApprovedFrom, Binding, Code, Generation, GrantId, GrantSecret, Policy, SessionId};

/// One authorization of one client by one user, and the state of all tokens that came from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// Its name, inside every token of it.
    pub id: GrantId,
    /// The half of its authority key that only this row holds.
    pub secret: GrantSecret,
    /// Raised by every write of the row.
    pub version: u64,
    /// The grant from which this one was forked; `None` when it is the root of its family.
    pub root: Option<GrantId>,

    /// The client that was authorized.
    pub client: ClientId,
    /// The user that authorized it.
    pub subject: Subject,
    /// What was granted; a refresh may ask for less, never for more (RFC 6749 §6). Only [`ScopeNarrowing`](crate::ScopeNarrowing)
    /// changes it.
    pub scope: Scope,
    /// For which resource servers; none means the client's default audience (RFC 8707).
    pub resources: Resources,
    /// The key that every refresh of a public client must prove; fixed at birth.
    pub binding: Binding,
    /// The login session that the grant ends with; `None` when it outlives it.
    pub session: Option<SessionId>,
    /// Where the user approved it; `None` when nobody was asked.
    pub approved_from: Option<ApprovedFrom>,

    /// What the redemption of its code is checked against; `None` when there was no code, or its end has come.
    pub code: Option<Code>,
    /// The current generation.
    pub generation: Generation,
    /// The master key under which the current generation was made.
    pub kid: Kid,
    /// The epoch of the store in which the current generation was made.
    pub epoch: EpochNumber,
    /// When the current generation was made; with `reuse`, when it was last used.
    pub rotated_at: Timestamp,
    /// The lifetime of access tokens, as it was in force at that moment.
    pub access_lifetime: Lifetime,
    /// What a retry of the rotation that made this generation has to prove; `None` when it carried no challenge.
    pub retry_challenge: Option<RetryChallenge>,
    /// Whether a rotation of this grant ever carried a retry challenge: from then on a retry without one is reuse.
    pub has_used_challenge: bool,

    /// When the grant was made.
    pub created_at: Timestamp,
    /// When the user logged in (`auth_time`); it never changes.
    pub authenticated_at: Timestamp,
    /// When the current refresh token, or the code that has not been redeemed, ends unless it is used; `None` for never.
    pub idle_expires_at: Option<Timestamp>,
    /// When the grant ends whatever happens; `None` for never.
    pub absolute_expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The client's cutoff when the grant was made; a higher one at the client ends the grant.
    pub client_cutoff: u32,
    /// The user's cutoff when the grant was made; a higher one at the user ends the grant.
    pub user_cutoff: u32,
}

impl Grant {
    /// The same grant with its version raised, ready to be changed and written.
    #[must_use]
    pub(crate) fn next_version(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }

    /// The same grant with its token used at `now`: what is counted from the last use begins anew, under `policy`, and the
    /// code is forgotten once its end has come.
    #[must_use]
    pub(crate) fn used(&self, policy: &Policy, now: Timestamp) -> Self {
        Self {
            code: self.code.clone().filter(|code| !code.has_passed(now)),
            rotated_at: now,
            access_lifetime: policy.access_lifetime,
            idle_expires_at: policy.idle_lifetime.end(now),
            ..self.next_version()
        }
    }

    /// Whether it or its family was revoked.
    #[must_use]
    pub(crate) fn is_revoked(&self, root: Option<&Self>) -> bool {
        self.revoked_at.is_some() || root.is_some_and(|root| root.revoked_at.is_some())
    }

    /// The write that ends the family of this grant at `now`: its root where there is one, otherwise itself.
    #[must_use]
    pub(crate) fn end(&self, root: Option<&Self>, now: Timestamp) -> Write {
        let ended = root.unwrap_or(self);
        if ended.revoked_at.is_some() {
            return Write::Nothing;
        }
        Write::Update(Self { revoked_at: Some(now), ..ended.next_version() })
    }

    /// The moment the refresh token ends if it is not used before; `None` for never.
    #[must_use]
    pub fn refresh_expires_at(&self) -> Option<Timestamp> {
        match (self.idle_expires_at, self.absolute_expires_at) {
            (Some(idle), Some(absolute)) => Some(idle.min(absolute)),
            (idle, absolute) => idle.or(absolute),
        }
    }
}

/// What a step asks the store to write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Nothing.
    Nothing,
    /// The row of this id, which exists with `version - 1`, becomes this.
    Update(Grant),
    /// A row of this id, which does not exist, is made.
    Insert(Grant),
    /// One access token is revoked alone, until it would have ended anyway.
    ListAccessToken {
        /// The token.
        id: AccessTokenId,
        /// Its end; `None` when it has none.
        until: Option<Timestamp>,
    },
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A grant in the middle of its life.
    pub(crate) fn row() -> Grant {
        let rotated_at = Timestamp::from_seconds(1_800_000_000);
        Grant {
            id: GrantId([0x11; 16]),
            secret: GrantSecret::new([0x12; 16]),
            version: 7,
            root: None,
            client: ClientId::parse("app").unwrap(),
            subject: Subject::parse("alice").unwrap(),
            scope: Scope::parse("read").unwrap(),
            resources: Resources::none(),
            binding: Binding::None,
            session: None,
            approved_from: None,
            code: None,
            generation: Generation(5),
            kid: Kid(20),
            epoch: EpochNumber(3),
            rotated_at,
            access_lifetime: Lifetime::from_seconds(600),
            retry_challenge: None,
            has_used_challenge: false,
            created_at: rotated_at.plus_seconds(-1_000),
            authenticated_at: rotated_at.plus_seconds(-2_000),
            idle_expires_at: None,
            absolute_expires_at: None,
            revoked_at: None,
            client_cutoff: 0,
            user_cutoff: 0,
        }
    }

    #[test]
    fn a_refresh_token_ends_at_the_earlier_of_two_ends() {
        for (idle, absolute, ends_at) in [
            (Some(20), Some(80), Some(20)),
            (Some(80), Some(20), Some(20)),
            (Some(20), None, Some(20)),
            (None, Some(80), Some(80)),
            (None, None, None),
        ] {
            let [idle_expires_at, absolute_expires_at, ends_at] =
                [idle, absolute, ends_at].map(|end| end.map(Timestamp::from_seconds));
            let grant = Grant { idle_expires_at, absolute_expires_at, ..row() };
            assert_eq!(grant.refresh_expires_at(), ends_at, "{idle:?}, {absolute:?}");
        }
    }

    #[test]
    fn a_grant_ends_once_and_at_the_root_of_its_family() {
        let now = row().rotated_at.plus_seconds(7);
        let root = Grant { id: GrantId([0x31; 16]), version: 2, ..row() };
        let ended = |row: &Grant| Grant { version: row.version + 1, revoked_at: Some(now), ..row.clone() };
        for (why, row, root, write) in [
            ("alone", row(), None, Write::Update(ended(&row()))),
            ("ended before", ended(&row()), None, Write::Nothing),
            ("in a family", row(), Some(&root), Write::Update(ended(&root))),
            ("in an ended family", row(), Some(&ended(&root)), Write::Nothing),
        ] {
            assert_eq!(row.end(root, now), write, "{why}");
        }
    }
}
