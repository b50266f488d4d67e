use regrant_protocol::Timestamp;

use crate::{AccessVerdict, Generation, Grant, Party, Surroundings, judge_access};

impl Grant {
    /// Whether it began with a code that nobody has redeemed: it never gave a token.
    #[must_use]
    pub fn awaits_redemption(&self) -> bool {
        self.generation == Generation::CODE && self.code.is_some()
    }

    /// Whether its current token is the one that another system issued: it was imported, and has not been rotated since.
    #[must_use]
    pub fn has_imported_token(&self) -> bool {
        self.generation == Generation::IMPORTED && self.code.is_none()
    }

    /// What has become of it at `now`, as far as that does not hang on who asks and for what.
    #[must_use]
    pub fn state(&self, surroundings: &Surroundings<'_>, now: Timestamp) -> AccessVerdict {
        judge_access(self, self.generation, self.refresh_expires_at(), surroundings, now)
    }

    /// Whether it can still give tokens at `now`. Whoever is disabled may be enabled again, and their grants with them:
    /// those live.
    #[must_use]
    pub fn lives(&self, surroundings: &Surroundings<'_>, now: Timestamp) -> bool {
        let enabled = |party: Option<Party>| party.map(|party| Party { enabled: true, ..party });
        let surroundings =
            Surroundings { client: enabled(surroundings.client), user: enabled(surroundings.user), ..*surroundings };
        !self.awaits_redemption() && self.state(&surroundings, now) == AccessVerdict::Active
    }
}

/// A grant, and what was forked from it. It lives and ends as one.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// Its root.
    pub root: &'a Grant,
    /// What is around the root.
    pub surroundings: Surroundings<'a>,
    /// The sibling of the root that was used last; `None` when it has none.
    pub last_used_sibling: Option<&'a Grant>,
}

impl Family<'_> {
    /// Whether one of its grants can still give tokens at `now`.
    #[must_use]
    pub fn lives(&self, now: Timestamp) -> bool {
        let of_sibling = Surroundings { root: Some(self.root), ..self.surroundings };
        self.root.lives(&self.surroundings, now)
            || self.last_used_sibling.is_some_and(|sibling| sibling.lives(&of_sibling, now))
    }

    /// When one of its grants was used last.
    #[must_use]
    pub fn used_at(&self) -> Timestamp {
        let of_root = self.root.rotated_at;
        self.last_used_sibling.map_or(of_root, |sibling| sibling.rotated_at.max(of_root))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use regrant_protocol::EpochNumber;

    use super::*;
    use crate::grant::tests::row;
    use crate::{Code, GrantId, SessionId};

    /// A code that can be redeemed until `expires_at`.
    pub(crate) fn code(expires_at: Timestamp) -> Code {
        Code { challenge: None, redirect_uri: [0x62; 16], redirect_uri_was_sent: true, nonce: None, expires_at }
    }

    #[test]
    fn a_grant_lives_until_something_ends_it_for_good() {
        let now = row().rotated_at.plus_seconds(7);
        let party = |cutoff| Some(Party { enabled: true, cutoff, version: 1 });
        let disabled = |cutoff| Some(Party { enabled: false, cutoff, version: 1 });
        let (client, user) = (party(row().client_cutoff), party(row().user_cutoff));
        let around = Surroundings { epoch: row().epoch, client, user, root: None, session_ends_at: None };
        let revoked = Grant { id: GrantId([0x31; 16]), revoked_at: Some(now), ..row() };
        let in_session = Grant { session: Some(SessionId([0x51; 16])), ..row() };
        let with_code = Grant { code: Some(code(now)), ..row() };
        for (why, lives, grant, around) in [
            ("nothing ended it", true, row(), around),
            ("client and user are disabled", true, row(), {
                Surroundings { client: disabled(row().client_cutoff), user: disabled(row().user_cutoff), ..around }
            }),
            ("its code was redeemed", true, with_code.clone(), around),
            ("it was imported", true, Grant { generation: Generation::CODE, ..row() }, around),
            ("nobody redeemed its code", false, Grant { generation: Generation::CODE, ..with_code }, around),
            ("it was revoked", false, Grant { revoked_at: Some(now), ..row() }, around),
            ("its family was revoked", false, row(), Surroundings { root: Some(&revoked), ..around }),
            ("it was not used", false, Grant { idle_expires_at: Some(now), ..row() }, around),
            ("its end came", false, Grant { absolute_expires_at: Some(now), ..row() }, around),
            ("the client is gone", false, row(), Surroundings { client: None, ..around }),
            ("the user is gone", false, row(), Surroundings { user: None, ..around }),
            ("the client's cutoff was raised", false, row(), Surroundings { client: party(99), ..around }),
            ("the user's cutoff was raised", false, row(), Surroundings { user: party(99), ..around }),
            ("the store was restored", false, row(), Surroundings { epoch: EpochNumber(9), ..around }),
            ("its session is gone", false, in_session.clone(), around),
            ("its session ended", false, in_session.clone(), Surroundings { session_ends_at: Some(now), ..around }),
            ("its session goes on", true, in_session, {
                Surroundings { session_ends_at: Some(now.plus_milliseconds(1)), ..around }
            }),
        ] {
            assert_eq!(grant.lives(&around, now), lives, "{why}");
        }
    }
}
