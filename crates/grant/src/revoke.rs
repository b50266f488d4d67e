use regrant_protocol::{ClientId, Subject, Timestamp};

use crate::{AuthorityTag, Grant, Surroundings, Write};

/// What became of a revocation by the grant's client (RFC 7009).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevokeVerdict {
    /// The grant is revoked now.
    Revoked,
    /// It was revoked before.
    AlreadyRevoked,
    /// A token of another client: nothing changes (RFC 7009 §2.1).
    WrongClient,
    /// A tag that we did not make, or that nobody can check any more, as a restore has ended its epoch: nothing changes.
    Forged,
    /// A tag that cannot be checked, as the store is older than the token: nothing can be promised, so nothing is.
    RolledBack,
}

/// Decides a revocation. A token of any generation ends its grant, whatever became of it since (RFC 7009 §2.1).
#[must_use]
pub fn revoke(
    row: &Grant,
    client: &ClientId,
    authority_tag: AuthorityTag,
    surroundings: &Surroundings<'_>,
    now: Timestamp,
) -> (RevokeVerdict, Write) {
    if row.client != *client {
        return (RevokeVerdict::WrongClient, Write::Nothing);
    }
    match authority_tag {
        AuthorityTag::Valid => {}
        AuthorityTag::Invalid | AuthorityTag::Forgotten => return (RevokeVerdict::Forged, Write::Nothing),
        AuthorityTag::Unverifiable => return (RevokeVerdict::RolledBack, Write::Nothing),
    }
    match row.end(surroundings.root, now) {
        Write::Nothing => (RevokeVerdict::AlreadyRevoked, Write::Nothing),
        write @ (Write::Update(_) | Write::Insert(_) | Write::ListAccessToken { .. }) => {
            (RevokeVerdict::Revoked, write)
        }
    }
}

/// Ends a grant because its user says so: whether the grant is theirs, and what is written. A stranger's grant stays, and
/// one that ended before is not written again.
#[must_use]
pub fn end_by_user(row: &Grant, user: &Subject, surroundings: &Surroundings<'_>, now: Timestamp) -> (bool, Write) {
    let is_theirs = row.subject == *user;
    let write = if is_theirs { row.end(surroundings.root, now) } else { Write::Nothing };
    (is_theirs, write)
}

#[cfg(test)]
mod tests {
    use regrant_protocol::EpochNumber;

    use super::*;
    use crate::GrantId;
    use crate::grant::tests::row;

    #[test]
    fn rfc7009_section_2_1_only_the_grants_client_ends_it_and_only_once() {
        let now = row().rotated_at.plus_seconds(7);
        let earlier = row().rotated_at;
        let sibling = Grant { root: Some(GrantId([0x31; 16])), version: 2, ..row() };
        let root = Grant { id: GrantId([0x31; 16]), version: 8, ..row() };
        let ended = |row: &Grant| Grant { revoked_at: Some(earlier), ..row.clone() };

        let wrong_client = (RevokeVerdict::WrongClient, None);
        let forged = (RevokeVerdict::Forged, None);
        let rolled_back = (RevokeVerdict::RolledBack, None);
        let already = (RevokeVerdict::AlreadyRevoked, None);
        let revoked = |row: &Grant| (RevokeVerdict::Revoked, Some(row.clone()));
        for (why, client, tag, row, root, (verdict, ends)) in [
            ("its client", "app", AuthorityTag::Valid, row(), None, revoked(&row())),
            ("again", "app", AuthorityTag::Valid, ended(&row()), None, already.clone()),
            ("a stranger", "other", AuthorityTag::Valid, row(), None, wrong_client.clone()),
            ("a stranger with a forged tag", "other", AuthorityTag::Invalid, row(), None, wrong_client),
            ("a forged tag", "app", AuthorityTag::Invalid, row(), None, forged.clone()),
            ("a forged tag, again", "app", AuthorityTag::Invalid, ended(&row()), None, forged),
            ("a tag of an unknown epoch", "app", AuthorityTag::Unverifiable, row(), None, rolled_back),
            ("a tag of a forgotten epoch", "app", AuthorityTag::Forgotten, row(), None, (RevokeVerdict::Forged, None)),
            ("a sibling", "app", AuthorityTag::Valid, sibling.clone(), Some(&root), revoked(&root)),
            ("a family, again", "app", AuthorityTag::Valid, sibling.clone(), Some(&ended(&root)), already),
            ("an ended sibling", "app", AuthorityTag::Valid, ended(&sibling), Some(&root), revoked(&root)),
        ] {
            let client = ClientId::parse(client).unwrap();
            let surroundings =
                Surroundings { epoch: EpochNumber(3), client: None, user: None, root, session_ends_at: None };
            let write = ends.map_or(Write::Nothing, |before| {
                Write::Update(Grant { version: before.version + 1, revoked_at: Some(now), ..before })
            });
            assert_eq!(revoke(&row, &client, tag, &surroundings, now), (verdict, write), "{why}");
        }
    }

    #[test]
    fn a_user_ends_their_own_grants_only() {
        let now = row().rotated_at.plus_seconds(7);
        let root = Grant { id: GrantId([0x31; 16]), version: 8, ..row() };
        let sibling = Grant { root: Some(root.id), version: 2, ..row() };
        let ended = |row: &Grant| Grant { version: row.version + 1, revoked_at: Some(now), ..row.clone() };
        for (why, user, row, root, expected) in [
            ("their own", "alice", row(), None, (true, Write::Update(ended(&row())))),
            ("again", "alice", ended(&row()), None, (true, Write::Nothing)),
            ("a sibling", "alice", sibling.clone(), Some(&root), (true, Write::Update(ended(&root)))),
            ("another user's", "bob", row(), None, (false, Write::Nothing)),
            ("another user's family", "bob", sibling, Some(&root), (false, Write::Nothing)),
        ] {
            let user = Subject::parse(user).unwrap();
            let surroundings =
                Surroundings { epoch: EpochNumber(3), client: None, user: None, root, session_ends_at: None };
            assert_eq!(end_by_user(&row, &user, &surroundings, now), expected, "{why}");
        }
    }
}
