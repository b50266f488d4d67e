use regrant_protocol::Timestamp;

use crate::sweep::needed_until;
use crate::{Grant, Surroundings, Write};

/// Ends a grant, and its family with it, because an operator says so. One that ended before is not written again.
#[must_use]
pub fn end_by_operator(row: &Grant, surroundings: &Surroundings<'_>, now: Timestamp) -> Write {
    row.end(surroundings.root, now)
}

/// Ends a grant because it was made before a time that an operator named. A sibling ends with its root, whenever it was made
/// itself; a family that gives nothing any more is left to the sweeper.
#[must_use]
pub fn end_made_before(row: &Grant, has_siblings: bool, made_before: Timestamp, now: Timestamp) -> Write {
    let is_meant = row.root.is_none() && row.created_at < made_before;
    let gives_something = has_siblings || needed_until(row, None).is_none_or(|end| now < end);
    if is_meant && gives_something { row.end(None, now) } else { Write::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GrantId;
    use crate::grant::tests::row;

    #[test]
    fn an_operator_ends_a_family_once() {
        let now = row().rotated_at.plus_seconds(7);
        let root = Grant { id: GrantId([0x31; 16]), version: 8, ..row() };
        let sibling = Grant { root: Some(root.id), version: 2, ..row() };
        let ended = |row: &Grant| Grant { version: row.version + 1, revoked_at: Some(now), ..row.clone() };
        for (why, row, root, expected) in [
            ("a grant", row(), None, Write::Update(ended(&row()))),
            ("again", ended(&row()), None, Write::Nothing),
            ("a sibling", sibling.clone(), Some(&root), Write::Update(ended(&root))),
            ("a family, again", sibling, Some(&ended(&root)), Write::Nothing),
        ] {
            let surroundings = Surroundings { epoch: row.epoch, client: None, user: None, root, session_ends_at: None };
            assert_eq!(end_by_operator(&row, &surroundings, now), expected, "{why}");
        }
    }

    #[test]
    fn what_was_made_before_the_time_ends_unless_it_gives_nothing_any_more() {
        let now = row().rotated_at.plus_seconds(7);
        let made_before = row().created_at.plus_milliseconds(1);
        let over = Grant { absolute_expires_at: Some(now), ..row() };
        for (why, ends, row, has_siblings) in [
            ("it was made before", true, row(), false),
            ("it was made then", false, Grant { created_at: made_before, ..row() }, false),
            ("it was revoked", false, Grant { revoked_at: Some(row().rotated_at), ..row() }, true),
            ("its end came", false, over.clone(), false),
            ("its end came, but perhaps not that of its siblings", true, over, true),
            ("its access token lives on", true, Grant { idle_expires_at: Some(now), ..row() }, false),
            ("its root ends", false, Grant { root: Some(GrantId([0x31; 16])), ..row() }, false),
        ] {
            let ended = Grant { version: row.version + 1, revoked_at: Some(now), ..row.clone() };
            let expected = if ends { Write::Update(ended) } else { Write::Nothing };
            assert_eq!(end_made_before(&row, has_siblings, made_before, now), expected, "{why}");
        }
    }
}
