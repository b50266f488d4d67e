use regrant_protocol::{ClientId, Kid, Resources, Scope, Subject, Timestamp};

use crate::{ApprovedFrom, Binding, Code, Generation, Grant, GrantId, GrantSecret, Policy, SessionId, Surroundings};

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
    /// The login session that the grant ends with; `None` when it outlives it.
    pub session: Option<SessionId>,
    /// Where the user approves it; `None` when nobody was asked.
    pub approved_from: Option<ApprovedFrom>,
    /// The code that comes first; `None` when the refresh token is given at once.
    pub code: Option<Code>,
    /// When the user logged in.
    pub authenticated_at: Timestamp,
    /// The newest master key.
    pub kid: Kid,
    /// [`Generation::CODE`] when a code comes first, otherwise [`Generation::FIRST`].
    pub generation: Generation,
}

impl Grant {
    /// A new grant, born at `now` under `policy`, with the cutoffs and the epoch that the store holds at this moment.
    #[must_use]
    pub fn new(birth: Birth, surroundings: &Surroundings<'_>, policy: &Policy, now: Timestamp) -> Self {
        let idle_expires_at = match &birth.code {
            Some(code) => Some(code.expires_at),
            None => policy.idle_lifetime.end(now),
        };
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
            session: birth.session,
            approved_from: birth.approved_from,
            generation: birth.generation,
            kid: birth.kid,
            epoch: surroundings.epoch,
            rotated_at: now,
            access_lifetime: policy.access_lifetime,
            retry_challenge: None,
            has_used_challenge: false,
            created_at: now,
            authenticated_at: birth.authenticated_at,
            idle_expires_at,
            absolute_expires_at: policy.absolute_lifetime.end(now),
            code: birth.code,
            revoked_at: None,
            client_cutoff: surroundings.client.map_or(0, |client| client.cutoff),
            user_cutoff: surroundings.user.map_or(0, |user| user.cutoff),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use regrant_protocol::{EpochNumber, Lifetime};

    use super::*;
    use crate::grant::tests::row;
    use crate::{OldAccessTokens, OnReuse, Party, RotationMode, ScopeNarrowing};

    fn birth() -> Birth {
        Birth {
            id: GrantId([0x21; 16]),
            secret: GrantSecret::new([0x22; 16]),
            client: ClientId::parse("app").unwrap(),
            subject: Subject::parse("alice").unwrap(),
            scope: Scope::parse("read").unwrap(),
            resources: Resources::parse(["https://r1"]).unwrap(),
            binding: Binding::DpopKey([0xD1; 32]),
            session: Some(SessionId([0x51; 16])),
            approved_from: Some(ApprovedFrom::new(Ipv4Addr::LOCALHOST.into(), Some("Firefox"))),
            code: None,
            authenticated_at: Timestamp::from_seconds(900),
            kid: Kid(20),
            generation: Generation::FIRST,
        }
    }

    fn policy(idle_seconds: u32, absolute_seconds: u32) -> Policy {
        Policy {
            rotation: RotationMode::Rotate,
            retry_window_seconds: None,
            on_reuse: Some(OnReuse::Revoke),
            scope_narrowing: ScopeNarrowing::AccessToken,
            old_access_tokens: OldAccessTokens::Keep,
            code_retry_seconds: 0,
            access_lifetime: Lifetime::from_seconds(300),
            idle_lifetime: Lifetime::from_seconds(idle_seconds),
            absolute_lifetime: Lifetime::from_seconds(absolute_seconds),
        }
    }

    #[test]
    fn a_grant_is_born_with_the_epoch_and_the_cutoffs_of_the_store() {
        let client = Some(Party { enabled: true, cutoff: 4, version: 1 });
        let user = Some(Party { enabled: true, cutoff: 9, version: 2 });
        let surroundings = Surroundings { epoch: EpochNumber(3), client, user, root: None, session_ends_at: None };
        let expected = Grant {
            id: GrantId([0x21; 16]),
            secret: GrantSecret::new([0x22; 16]),
            version: 1,
            resources: Resources::parse(["https://r1"]).unwrap(),
            binding: Binding::DpopKey([0xD1; 32]),
            session: Some(SessionId([0x51; 16])),
            approved_from: Some(ApprovedFrom::new(Ipv4Addr::LOCALHOST.into(), Some("Firefox"))),
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
        let grant = Grant::new(birth(), &surroundings, &policy(20, 80), Timestamp::from_seconds(1_000));
        assert_eq!(grant, expected);
    }

    #[test]
    fn a_grant_that_begins_with_a_code_is_idle_until_the_codes_end_only() {
        let code = Code {
            challenge: None,
            redirect_uri: [0x62; 16],
            redirect_uri_was_sent: true,
            nonce: None,
            expires_at: Timestamp::from_seconds(1_060),
        };
        let surroundings =
            Surroundings { epoch: EpochNumber(3), client: None, user: None, root: None, session_ends_at: None };
        let birth = Birth { code: Some(code.clone()), generation: Generation::CODE, ..birth() };
        let grant = Grant::new(birth, &surroundings, &policy(20, 80), Timestamp::from_seconds(1_000));
        assert_eq!((grant.generation, grant.code), (Generation(0), Some(code)));
        assert_eq!(grant.idle_expires_at, Some(Timestamp::from_seconds(1_060)));
        assert_eq!(grant.absolute_expires_at, Some(Timestamp::from_seconds(1_080)));
    }
}
