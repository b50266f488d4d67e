use regrant_protocol::Timestamp;

use crate::{Family, Generation, Grant, Write};

/// The most grants of one user to one client that live, a family counted once: one more ends the one that was idle longest.
pub const LIVE_GRANTS_MAX: usize = 200;
/// The most codes of one user to one client that wait for their redemption: one more ends the oldest.
pub const OPEN_CODES_MAX: usize = 20;

/// What one user can give one client only so many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cap {
    /// Grants that give tokens.
    LiveGrants,
    /// Codes that were not redeemed, whether their end has come or not: the oldest ends first, so that one that could be
    /// redeemed is ended only when all that are kept could.
    OpenCodes,
}

impl Cap {
    /// The cap that stands against a write over the row `before`; most have none. An import ends nothing, and neither does a
    /// sibling: its family is counted already.
    #[must_use]
    pub fn on(write: &Write, before: Option<&Grant>) -> Option<Self> {
        match write {
            Write::Insert(row) if row.root.is_some() => None,
            Write::Insert(row) if row.awaits_redemption() => Some(Self::OpenCodes),
            Write::Insert(row) => (row.generation > Generation::CODE).then_some(Self::LiveGrants),
            Write::Update(row) => {
                let awaited_redemption = before.is_some_and(|before| before.id == row.id && before.awaits_redemption());
                let is_redeemed = awaited_redemption && !row.awaits_redemption() && row.revoked_at.is_none();
                is_redeemed.then_some(Self::LiveGrants)
            }
            Write::Nothing | Write::ListAccessToken { .. } => None,
        }
    }

    /// How many there may be.
    #[must_use]
    pub const fn max(self) -> usize {
        match self {
            Self::LiveGrants => LIVE_GRANTS_MAX,
            Self::OpenCodes => OPEN_CODES_MAX,
        }
    }

    /// Ends one of `families` of the same user and client, when as many of them count as there may be. Those that were revoked or
    /// are past their end may be left out; of a code only the root is looked at. Where there are more than may be, as after an
    /// import, their number does not grow.
    #[must_use]
    pub fn make_room(self, families: &[Family<'_>], now: Timestamp) -> Write {
        let counted = || families.iter().filter(|family| self.counts(family, now));
        if counted().count() < self.max() {
            return Write::Nothing;
        }
        let oldest = counted().min_by_key(|family| (self.idle_since(family), family.root.created_at, family.root.id));
        oldest.map_or(Write::Nothing, |family| family.root.end(None, now))
    }

    fn counts(self, family: &Family<'_>, now: Timestamp) -> bool {
        match self {
            Self::LiveGrants => family.lives(now),
            Self::OpenCodes => family.root.awaits_redemption() && family.root.revoked_at.is_none(),
        }
    }

    fn idle_since(self, family: &Family<'_>) -> Timestamp {
        match self {
            Self::LiveGrants => family.used_at(),
            Self::OpenCodes => family.root.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::tests::row;
    use crate::live::tests::code;
    use crate::{AccessTokenId, GrantId, Party, Surroundings};

    /// A live grant of this number, used so many seconds after the others.
    fn live(number: u32, used_after_seconds: i64) -> Grant {
        let mut id = [0; 16];
        id[12..].copy_from_slice(&number.to_be_bytes());
        let rotated_at = row().rotated_at.plus_seconds(used_after_seconds);
        Grant { id: GrantId(id), idle_expires_at: None, absolute_expires_at: None, rotated_at, ..row() }
    }

    fn open(number: u32, made_after_seconds: i64) -> Grant {
        let expires_at = row().rotated_at.plus_seconds(60);
        let created_at = row().rotated_at.plus_seconds(made_after_seconds);
        let code = Some(code(expires_at));
        Grant { generation: Generation::CODE, code, idle_expires_at: Some(expires_at), created_at, ..live(number, 0) }
    }

    fn around() -> Surroundings<'static> {
        let party = |cutoff| Some(Party { enabled: true, cutoff, version: 1 });
        let (client, user) = (party(row().client_cutoff), party(row().user_cutoff));
        Surroundings { epoch: row().epoch, client, user, root: None, session_ends_at: None }
    }

    /// Which grant ends when there are these.
    fn ended(cap: Cap, grants: &[(Grant, Option<Grant>)]) -> Option<GrantId> {
        let now = row().rotated_at.plus_seconds(3600);
        let families: Vec<_> = grants
            .iter()
            .map(|(root, sibling)| Family { root, surroundings: around(), last_used_sibling: sibling.as_ref() })
            .collect();
        match cap.make_room(&families, now) {
            Write::Nothing => None,
            Write::Update(row) => {
                let before = grants.iter().map(|(root, _)| root).find(|root| root.id == row.id).unwrap();
                assert_eq!(row, Grant { version: before.version + 1, revoked_at: Some(now), ..before.clone() });
                Some(row.id)
            }
            write @ (Write::Insert(_) | Write::ListAccessToken { .. }) => panic!("{write:?}"),
        }
    }

    #[test]
    fn a_new_grant_and_a_redemption_meet_a_cap_and_nothing_else_does() {
        let imported = Grant { generation: Generation::CODE, ..live(1, 0) };
        let redeemed = Grant { generation: Generation::FIRST, code: open(1, 0).code, ..live(1, 0) };
        let sibling = Grant { root: Some(GrantId([9; 16])), ..live(1, 0) };
        let ended = Grant { revoked_at: Some(row().rotated_at), ..open(1, 0) };
        let listed = AccessTokenId { grant: live(1, 0).id, generation: Generation::FIRST, digest: [1; 10] };
        for (why, expected, write, before) in [
            ("a code", Some(Cap::OpenCodes), Write::Insert(open(1, 0)), None),
            ("a grant without a code", Some(Cap::LiveGrants), Write::Insert(live(1, 0)), None),
            ("an imported grant", None, Write::Insert(imported.clone()), None),
            ("a sibling", None, Write::Insert(sibling), Some(live(2, 0))),
            ("a redemption", Some(Cap::LiveGrants), Write::Update(redeemed.clone()), Some(open(1, 0))),
            ("the end of an open code", None, Write::Update(ended), Some(open(1, 0))),
            ("a refresh", None, Write::Update(live(1, 5)), Some(redeemed)),
            ("the first refresh of an imported grant", None, Write::Update(live(1, 5)), Some(imported)),
            ("the end of another row", None, Write::Update(live(2, 0)), Some(open(1, 0))),
            ("an access token", None, Write::ListAccessToken { id: listed, until: None }, Some(live(1, 0))),
            ("nothing", None, Write::Nothing, Some(open(1, 0))),
        ] {
            assert_eq!(Cap::on(&write, before.as_ref()), expected, "{why}");
        }
    }

    #[test]
    fn the_201st_live_grant_ends_the_one_that_was_idle_longest() {
        let full: Vec<_> = (1..=200).map(|number| (live(number, i64::from(500 - number)), None)).collect();
        let ends = |grants: &[(Grant, Option<Grant>)]| ended(Cap::LiveGrants, grants);
        assert_eq!(ends(&full[..199]), None, "there is room");
        assert_eq!(ends(&full), Some(live(200, 0).id), "the last one was used first");

        let with = |grant: Grant, sibling: Option<Grant>| [&full[..], &[(grant, sibling)]].concat();
        let now = row().rotated_at.plus_seconds(3600);
        let of = |root: u32| Some(live(root, 0).id);
        let expired = Grant { idle_expires_at: Some(now), ..live(999, -1) };
        let sibling = Grant { root: of(999), ..live(1_999, 0) };
        let dead = Grant { idle_expires_at: Some(now), ..sibling.clone() };
        let in_use = Grant { rotated_at: now, ..sibling.clone() };
        for (why, expected, grants) in [
            ("it was used before all others", of(999), with(live(999, 0), None)),
            ("it ended by itself", of(200), with(expired.clone(), None)),
            ("it was revoked", of(200), with(Grant { revoked_at: Some(now), ..live(999, 0) }, None)),
            ("a code is not a grant yet", of(200), with(open(999, -1), None)),
            ("a cutoff ended it", of(200), with(Grant { client_cutoff: 77, ..live(999, 0) }, None)),
            ("its sibling was used last of all", of(200), with(live(999, 0), Some(in_use))),
            ("its sibling is as idle as itself", of(999), with(live(999, 0), Some(sibling.clone()))),
            ("its sibling lives longer than itself", of(999), with(expired.clone(), Some(sibling))),
            ("nothing of its family lives", of(200), with(expired, Some(dead))),
        ] {
            assert_eq!(ends(&grants), expected, "{why}");
        }
    }

    #[test]
    fn the_21st_open_code_ends_the_oldest() {
        let full: Vec<_> = (1..=20).map(|number| (open(number, i64::from(500 - number)), None)).collect();
        let ends = |grants: &[(Grant, Option<Grant>)]| ended(Cap::OpenCodes, grants);
        assert_eq!(ends(&full[..19]), None, "there is room");
        assert_eq!(ends(&full), Some(open(20, 0).id), "the last one was made first");
        let crowd = |grant: Grant| [&full[..19], &[(grant, None)]].concat();
        assert_eq!(ends(&crowd(live(999, 0))), None, "it was redeemed");
        let revoked = Grant { revoked_at: Some(row().rotated_at), ..open(999, 0) };
        assert_eq!(ends(&crowd(revoked)), None, "it was ended already");
    }
}
