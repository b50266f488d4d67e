use regrant_protocol::{ClientId, Kid, Lifetime, Resources, Scope, Subject, Timestamp};

use crate::{Binding, Generation, Grant, GrantId, GrantSecret, Surroundings};

/// What another system knows of a grant that is taken over from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedBirth {
    /// Its name: no other grant has it, and 12 bytes of it at least are random.
    pub id: GrantId,
    /// 16 random bytes.
    pub secret: GrantSecret,
    /// The client that was authorized.
    pub client: ClientId,
    /// The user that authorized it.
    pub subject: Subject,
    /// What was granted.
    pub scope: Scope,
    /// When the other system issued the token. A later moment than the import counts as the import.
    pub created_at: Timestamp,
    /// When the user logged in, as far as it is known: at the latest when the token was issued.
    pub authenticated_at: Timestamp,
    /// When the other system's token ends unless it is used; `None` for never.
    pub idle_expires_at: Option<Timestamp>,
    /// When the grant ends whatever happens; `None` for never.
    pub absolute_expires_at: Option<Timestamp>,
    /// When the other system, or whoever would take the token over from it again, refuses it at last; `None` where it never does. Here it
    /// may end before.
    pub ends_elsewhere_at: Option<Timestamp>,
    /// How long the other system's access tokens live; the row is kept as long after its end.
    pub access_lifetime: Lifetime,
}

/// How long a token of another system that never ends there is remembered at least: 400 days from when it was taken over.
pub const ENDLESS_TOKEN_REMEMBERED_SECONDS: u32 = 400 * 24 * 60 * 60;

impl ImportedBirth {
    /// Until when the refresh token has to be remembered that is taken over at `now`, also when its grant is gone before: taken over
    /// once more while the other system still knows it, it would give tokens again.
    #[must_use]
    pub fn remembered_until(&self, now: Timestamp) -> Timestamp {
        self.ends_elsewhere_at.unwrap_or_else(|| now.plus_seconds(i64::from(ENDLESS_TOKEN_REMEMBERED_SECONDS)))
    }
}

impl Grant {
    /// A grant whose current token is another system's, taken over at `now` with the cutoffs and the epoch that the store holds
    /// at this moment.
    ///
    /// The imported string is bound to no master key, so that the row has the first, whatever has become of that.
    #[must_use]
    pub fn imported(birth: ImportedBirth, surroundings: &Surroundings<'_>, now: Timestamp) -> Self {
        let created_at = birth.created_at.min(now);
        Self {
            id: birth.id,
            secret: birth.secret,
            version: 1,
            root: None,
            client: birth.client,
            subject: birth.subject,
            scope: birth.scope,
            resources: Resources::none(),
            binding: Binding::None,
            session: None,
            approved_from: None,
            code: None,
            generation: Generation::IMPORTED,
            kid: Kid::FIRST,
            epoch: surroundings.epoch,
            rotated_at: created_at,
            access_lifetime: birth.access_lifetime,
            retry_challenge: None,
            has_used_challenge: false,
            created_at,
            authenticated_at: birth.authenticated_at.min(created_at),
            idle_expires_at: birth.idle_expires_at,
            absolute_expires_at: birth.absolute_expires_at,
            revoked_at: None,
            client_cutoff: surroundings.client.map_or(0, |client| client.cutoff),
            user_cutoff: surroundings.user.map_or(0, |user| user.cutoff),
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::EpochNumber;

    use super::*;
    use crate::Party;
    use crate::grant::tests::row;

    #[test]
    fn an_imported_grant_has_the_other_systems_times_and_the_cutoffs_and_the_epoch_of_the_store() {
        let at = Timestamp::from_seconds;
        let client = Some(Party { enabled: true, cutoff: 4, version: 1 });
        let user = Some(Party { enabled: true, cutoff: 9, version: 2 });
        let surroundings = Surroundings { epoch: EpochNumber(3), client, user, root: None, session_ends_at: None };
        // When the token was issued, when the user logged in, and what is kept of both at 1000.
        for (created, logged_in, kept, auth_time) in
            [(700, 650, 700, 650), (700, 750, 700, 700), (1_500, 1_400, 1_000, 1_000)]
        {
            let birth = ImportedBirth {
                id: GrantId([0x21; 16]),
                secret: GrantSecret::new([0x22; 16]),
                client: ClientId::parse("app").unwrap(),
                subject: Subject::parse("alice").unwrap(),
                scope: Scope::parse("read").unwrap(),
                created_at: at(created),
                authenticated_at: at(logged_in),
                idle_expires_at: Some(at(2_000)),
                absolute_expires_at: Some(at(9_000)),
                ends_elsewhere_at: None,
                access_lifetime: Lifetime::from_seconds(300),
            };
            let expected = Grant {
                id: GrantId([0x21; 16]),
                secret: GrantSecret::new([0x22; 16]),
                version: 1,
                generation: Generation(0),
                kid: Kid(1),
                rotated_at: at(kept),
                access_lifetime: Lifetime::from_seconds(300),
                created_at: at(kept),
                authenticated_at: at(auth_time),
                idle_expires_at: Some(at(2_000)),
                absolute_expires_at: Some(at(9_000)),
                client_cutoff: 4,
                user_cutoff: 9,
                ..row()
            };
            let grant = Grant::imported(birth, &surroundings, at(1_000));
            assert_eq!(grant, expected, "{created}, {logged_in}");
            assert!(grant.has_imported_token());
            assert!(!Grant { generation: Generation(1), ..grant }.has_imported_token());
        }
    }
}
