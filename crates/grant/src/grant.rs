use regrant_protocol::{ClientId, EpochNumber, Kid, Lifetime, Resources, RetryChallenge, Scope, Subject, Timestamp};

use crate::{AccessTokenId, Generation, GrantId, GrantSecret, Policy, Surroundings};

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
    /// What was granted; a refresh may ask for less, never for more (RFC 6749 §6).
    pub scope: Scope,
    /// For which resource servers; none means the client's default audience (RFC 8707).
    pub resources: Resources,
    /// The key that every refresh of a public client must prove; fixed at birth.
    pub binding: Binding,

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
    /// When the current refresh token ends unless it is used; `None` for never.
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

/// The key that refresh tokens of a public client are bound to (RFC 9449 §5, RFC 8705 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// A bearer token, or a token of a confidential client, which is bound to the client's authentication instead.
    None,
    /// The SHA-256 thumbprint of a DPoP key.
    DpopKey([u8; 32]),
    /// The SHA-256 thumbprint of a client certificate.
    Certificate([u8; 32]),
}

impl Binding {
    /// The bytes that go into the authority tag: a letter for the kind and the thumbprint; nothing for [`Binding::None`].
    #[must_use]
    pub fn tag_input(&self) -> ([u8; 33], usize) {
        let (kind, thumbprint) = match self {
            Self::None => return ([0; 33], 0),
            Self::DpopKey(thumbprint) => (b'd', thumbprint),
            Self::Certificate(thumbprint) => (b'c', thumbprint),
        };
        let mut bytes = [kind; 33];
        bytes[1..].copy_from_slice(thumbprint);
        (bytes, 33)
    }
}

/// What is known when a grant is made.
#[derive(Clone, Debug)]
pub struct Birth {
    /// 16 random bytes.
    pub id: GrantId,
    /// 16 random bytes.
    pub secret: GrantSecret,
    /// The client that is authorized.
    pub client: ClientId,
    /// The user that authorizes it.
    pub subject: Subject,
    /// What is granted.
    pub scope: Scope,
    /// For which resource servers.
    pub resources: Resources,
    /// The key of a public client's sender, where it proved one.
    pub binding: Binding,
    /// When the user logged in.
    pub authenticated_at: Timestamp,
    /// The newest master key.
    pub kid: Kid,
    /// 0 when a code comes first, otherwise [`Generation::FIRST`].
    pub generation: Generation,
}

impl Grant {
    /// A new grant, born at `now` under `policy`, with the cutoffs and the epoch that the store holds at this moment.
    #[must_use]
    pub fn new(birth: Birth, surroundings: &Surroundings<'_>, policy: &Policy, now: Timestamp) -> Self {
        Self {
            id: birth.id,
            secret: birth.secret,
            version: 1,
            root: None,
            client: birth.client,
            subject: birth.subject,
            scope: birth.scope,
            resources: birth.resources,
            binding: birth.binding,
            generation: birth.generation,
            kid: birth.kid,
            epoch: surroundings.epoch,
            rotated_at: now,
            access_lifetime: policy.access_lifetime,
            retry_challenge: None,
            has_used_challenge: false,
            created_at: now,
            authenticated_at: birth.authenticated_at,
            idle_expires_at: policy.idle_lifetime.end(now),
            absolute_expires_at: policy.absolute_lifetime.end(now),
            revoked_at: None,
            client_cutoff: surroundings.client.map_or(0, |client| client.cutoff),
            user_cutoff: surroundings.user.map_or(0, |user| user.cutoff),
        }
    }

    /// The same grant with its version raised, ready to be changed and written.
    #[must_use]
    pub(crate) fn next_version(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
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
    use crate::{OnReuse, Party, RotationMode};

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

    fn born(surroundings: &Surroundings<'_>, policy: &Policy) -> Grant {
        let birth = Birth {
            id: GrantId([0x21; 16]),
            secret: GrantSecret::new([0x22; 16]),
            client: ClientId::parse("app").unwrap(),
            subject: Subject::parse("alice").unwrap(),
            scope: Scope::parse("read").unwrap(),
            resources: Resources::parse(["https://r1"]).unwrap(),
            binding: Binding::DpopKey([0xD1; 32]),
            authenticated_at: Timestamp::from_seconds(900),
            kid: Kid(20),
            generation: Generation::FIRST,
        };
        Grant::new(birth, surroundings, policy, Timestamp::from_seconds(1_000))
    }

    fn policy(idle_seconds: u32, absolute_seconds: u32) -> Policy {
        Policy {
            rotation: RotationMode::Rotate,
            retry_window_seconds: None,
            on_reuse: Some(OnReuse::Revoke),
            access_lifetime: Lifetime::from_seconds(300),
            idle_lifetime: Lifetime::from_seconds(idle_seconds),
            absolute_lifetime: Lifetime::from_seconds(absolute_seconds),
        }
    }

    #[test]
    fn a_grant_is_born_with_the_epoch_and_the_cutoffs_of_the_store() {
        let client = Some(Party { enabled: true, cutoff: 4, version: 1 });
        let user = Some(Party { enabled: true, cutoff: 9, version: 2 });
        let surroundings = Surroundings { epoch: EpochNumber(3), client, user, root: None };
        let expected = Grant {
            id: GrantId([0x21; 16]),
            secret: GrantSecret::new([0x22; 16]),
            version: 1,
            resources: Resources::parse(["https://r1"]).unwrap(),
            binding: Binding::DpopKey([0xD1; 32]),
            generation: Generation(1),
            rotated_at: Timestamp::from_seconds(1_000),
            access_lifetime: Lifetime::from_seconds(300),
            created_at: Timestamp::from_seconds(1_000),
            authenticated_at: Timestamp::from_seconds(900),
            idle_expires_at: Some(Timestamp::from_seconds(1_020)),
            absolute_expires_at: Some(Timestamp::from_seconds(1_080)),
            client_cutoff: 4,
            user_cutoff: 9,
            ..row()
        };
        assert_eq!(born(&surroundings, &policy(20, 80)), expected);
    }

    #[test]
    fn a_refresh_token_ends_at_the_earlier_of_two_ends() {
        let surroundings = Surroundings { epoch: EpochNumber(3), client: None, user: None, root: None };
        for (idle_seconds, absolute_seconds, ends_at) in
            [(20, 80, Some(1_020)), (80, 20, Some(1_020)), (20, 0, Some(1_020)), (0, 80, Some(1_080)), (0, 0, None)]
        {
            let grant = born(&surroundings, &policy(idle_seconds, absolute_seconds));
            let ends_at = ends_at.map(Timestamp::from_seconds);
            assert_eq!(grant.refresh_expires_at(), ends_at, "{idle_seconds} s, {absolute_seconds} s");
        }
    }

    #[test]
    fn each_binding_has_a_tag_input_of_its_own() {
        for (binding, input) in [
            (Binding::None, vec![]),
            (Binding::DpopKey([7; 32]), [&b"d"[..], &[7; 32]].concat()),
            (Binding::Certificate([7; 32]), [&b"c"[..], &[7; 32]].concat()),
        ] {
            let (bytes, length) = binding.tag_input();
            assert_eq!(bytes[..length], input, "{binding:?}");
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
