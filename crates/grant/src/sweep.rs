use std::time::Duration;

use regrant_protocol::Timestamp;

use crate::standing::has_been_cut_off;
use crate::{Grant, RETRY_WINDOW_PROVEN_SECONDS, Surroundings, Write};

/// How long after its end something is kept: a day, so that a token that has just ended is still told apart from one that
/// never was.
pub const KEPT_AFTER_END_SECONDS: u32 = 24 * 60 * 60;
/// The longest that a revoked grant is kept: 400 days from its revocation.
pub const REVOKED_KEPT_SECONDS_MAX: u32 = 400 * 24 * 60 * 60;
/// How long nothing may have been swept before a clock that says so is doubted: 30 days.
pub const UNSWEPT_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;
/// How far a clock may be ahead of the time that has passed since it was looked at last: an hour.
pub const CLOCK_AHEAD_SECONDS_MAX: u32 = 60 * 60;

/// What of a grant's family is kept beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kin<'a> {
    /// The root of its family; `None` when it is the root itself.
    pub root: Option<&'a Grant>,
    /// Whether a sibling names it as its root.
    pub has_siblings: bool,
}

/// Whether the row of a grant may be removed at `now`: whatever is presented of it would be refused without it too.
///
/// A revoked grant is kept to its absolute end, so that it is known for revoked and not for forgotten, and a root as long as
/// a sibling asks it whether the family was revoked.
#[must_use]
pub fn may_be_swept(row: &Grant, kin: Kin<'_>, now: Timestamp) -> bool {
    !kin.has_siblings && ended_long_ago(needed_until(row, kin.root), now)
}

/// Writes into the row of a grant that something outside it has ended for good, so that from now on it is kept as long as what
/// was revoked, and no longer: its client or user was removed, a cutoff was raised, or its login session is gone or has been
/// over for as long as one is kept.
///
/// A sibling asks its root, and ends with it. A grant that gives nothing any more by its own row is left to
/// [`may_be_swept`], and whoever is disabled may be enabled again.
#[must_use]
pub fn record_end(row: &Grant, has_siblings: bool, surroundings: &Surroundings<'_>, now: Timestamp) -> Write {
    let is_asked = row.root.is_none() && (has_siblings || needed_until(row, None).is_none_or(|end| now < end));
    if is_asked && has_ended_for_good(row, surroundings, now) { row.end(None, now) } else { Write::Nothing }
}

fn has_ended_for_good(row: &Grant, surroundings: &Surroundings<'_>, now: Timestamp) -> bool {
    let (Some(client), Some(user)) = (surroundings.client, surroundings.user) else { return true };
    let session_is_over =
        || surroundings.session_ends_at.is_none() || ended_long_ago(surroundings.session_ends_at, now);
    has_been_cut_off(row, client, user) || row.session.is_some() && session_is_over()
}

/// Whether what ended at `end` need not be kept any more; `None` never ends.
#[must_use]
pub fn ended_long_ago(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end.plus_seconds(i64::from(KEPT_AFTER_END_SECONDS)) < now)
}

/// The last moment in which anything could come of a token of this grant, or, if it was revoked, to which it is kept;
/// `None` for never.
pub(crate) fn needed_until(row: &Grant, root: Option<&Grant>) -> Option<Timestamp> {
    // It never gave a token, so that nobody can have taken one.
    if row.awaits_redemption() {
        return row.refresh_expires_at();
    }
    match earlier(row.revoked_at, root.and_then(|root| root.revoked_at)) {
        Some(revoked_at) => {
            let kept_at_most = revoked_at.plus_seconds(i64::from(REVOKED_KEPT_SECONDS_MAX));
            earlier(row.absolute_expires_at, Some(kept_at_most))
        }
        None => {
            let refresh_expires_at = row.refresh_expires_at()?;
            Some(last_access_token_end(row, refresh_expires_at)?.max(refresh_expires_at))
        }
    }
}

/// The end of the last access token: a retry may give one as long as its window is open.
fn last_access_token_end(row: &Grant, refresh_expires_at: Timestamp) -> Option<Timestamp> {
    let window_closes_at = row.rotated_at.plus_seconds(i64::from(RETRY_WINDOW_PROVEN_SECONDS));
    let last_issued_at = refresh_expires_at.min(window_closes_at);
    earlier(row.access_lifetime.end(last_issued_at), row.absolute_expires_at)
}

/// The earlier of two moments, where `None` never comes.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The latest that a clock can show in a process that has just begun, when the store was swept last at `swept_at`.
#[must_use]
pub fn latest_credible_at_start(swept_at: Timestamp) -> Timestamp {
    swept_at.plus_seconds(i64::from(UNSWEPT_SECONDS_MAX))
}

/// The latest that a clock can show that showed `seen` when `passed` began, unless it jumped.
#[must_use]
pub fn latest_credible(seen: Timestamp, passed: Duration) -> Timestamp {
    let milliseconds = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
    seen.plus_milliseconds(milliseconds).plus_seconds(i64::from(CLOCK_AHEAD_SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use regrant_protocol::{EpochNumber, Lifetime};

    use super::*;
    use crate::grant::tests::row;
    use crate::live::tests::code;
    use crate::{Generation, GrantId, Party, SessionId};

    const DAY: i64 = 24 * 60 * 60;

    /// A moment of so many seconds after the last rotation of [`row`].
    fn at(seconds: i64) -> Timestamp {
        row().rotated_at.plus_seconds(seconds)
    }

    #[test]
    fn a_row_goes_a_day_after_nothing_can_come_of_it() {
        let (idle, absolute) = (Some(at(10 * DAY)), Some(at(300 * DAY)));
        let grant = Grant {
            idle_expires_at: idle,
            absolute_expires_at: absolute,
            access_lifetime: Lifetime::from_seconds(600),
            ..row()
        };
        let lasting = |seconds| Grant { access_lifetime: Lifetime::from_seconds(seconds), ..grant.clone() };
        let two_years = 2 * 365 * DAY as u32;
        let unredeemed = Grant { generation: Generation::CODE, code: Some(code(at(60))), ..grant.clone() };
        let unredeemed = Grant { idle_expires_at: Some(at(60)), ..unredeemed };
        let revoked = Grant { revoked_at: Some(at(DAY)), ..grant.clone() };
        let endless = Grant { idle_expires_at: None, absolute_expires_at: None, ..grant.clone() };
        for (why, row, end) in [
            ("it is not used any more", grant.clone(), Some(at(10 * DAY))),
            ("its absolute end comes first", Grant { absolute_expires_at: Some(at(5)), ..grant.clone() }, Some(at(5))),
            ("no refresh ends it but its absolute end", Grant { idle_expires_at: None, ..grant.clone() }, absolute),
            ("its access token, of a retry a day later, lives longer", lasting(20 * DAY as u32), Some(at(21 * DAY))),
            ("its access token ends with the grant", lasting(two_years), absolute),
            ("its access token has no end but the grant's", lasting(0), absolute),
            (
                "its refresh token ends before a retry could come",
                { Grant { idle_expires_at: Some(at(60)), ..grant.clone() } },
                Some(at(660)),
            ),
            ("its access token has no end", Grant { absolute_expires_at: None, ..lasting(0) }, None),
            ("it has no end", endless.clone(), None),
            ("nobody redeemed its code", unredeemed.clone(), Some(at(60))),
            ("nobody redeemed its code before it was revoked", Grant { revoked_at: Some(at(1)), ..unredeemed }, {
                Some(at(60))
            }),
            ("it was imported", Grant { generation: Generation::CODE, ..grant.clone() }, Some(at(10 * DAY))),
            ("it was revoked", revoked.clone(), absolute),
            ("it was revoked, and has no end", Grant { revoked_at: Some(at(DAY)), ..endless }, Some(at(401 * DAY))),
            (
                "it was revoked, and would end much later",
                { Grant { absolute_expires_at: Some(at(500 * DAY)), ..revoked } },
                Some(at(401 * DAY)),
            ),
        ] {
            assert_eq!(needed_until(&row, None), end, "{why}");
            if let Some(end) = end {
                let kept = end.plus_seconds(DAY);
                let swept = [-1, 0, 1].map(|ms| may_be_swept(&row, Kin::default(), kept.plus_milliseconds(ms)));
                assert_eq!(swept, [false, false, true], "{why}");
            } else {
                assert!(!may_be_swept(&row, Kin::default(), Timestamp::from_milliseconds(i64::MAX)), "{why}");
            }
        }
    }

    #[test]
    fn a_root_goes_after_its_siblings_and_they_are_revoked_with_it() {
        let ended = Grant { idle_expires_at: Some(at(0)), absolute_expires_at: None, ..row() };
        let endless = Grant { idle_expires_at: None, absolute_expires_at: None, ..row() };
        let root = Grant { id: GrantId([0x31; 16]), ..endless.clone() };
        let revoked_root = Grant { revoked_at: Some(at(0)), ..root.clone() };
        let of = |root| Kin { root: Some(root), has_siblings: false };
        let with_siblings = Kin { root: None, has_siblings: true };
        for (why, expected, row, kin) in [
            ("a root that ended", true, &ended, Kin::default()),
            ("a root that ended and is asked", false, &ended, with_siblings),
            ("a revoked root that is asked", false, &revoked_root, with_siblings),
            ("a sibling that ended", true, &ended, of(&root)),
            ("a sibling that lives", false, &endless, of(&root)),
            ("a sibling without end that was revoked with its family", true, &endless, of(&revoked_root)),
        ] {
            assert_eq!(may_be_swept(row, kin, at(402 * DAY)), expected, "{why}");
        }
        let both = Grant { revoked_at: Some(at(7)), ..endless };
        assert_eq!(needed_until(&both, Some(&revoked_root)), Some(at(400 * DAY)), "whichever came first counts");
    }

    #[test]
    fn what_ended_a_grant_for_good_is_written_into_its_row() {
        let now = at(DAY);
        let party = |cutoff, enabled| Some(Party { enabled, cutoff, version: 1 });
        let [client, user] = [row().client_cutoff, row().user_cutoff].map(|cutoff| party(cutoff, true));
        let around = Surroundings { epoch: row().epoch, client, user, root: None, session_ends_at: None };
        let session_ends_at = |end| Surroundings { session_ends_at: Some(end), ..around };
        let [raised, lowered] = [7, 6].map(|cutoff| party(cutoff, true));
        let in_session = Grant { session: Some(SessionId([0x51; 16])), ..row() };
        let before_cutoff = Grant { client_cutoff: 6, ..row() };
        let cut_off = Surroundings { client: raised, ..around };
        let over = Grant { absolute_expires_at: Some(now), ..row() };
        for (why, ends, row, has_siblings, around) in [
            ("nothing ended it", false, row(), false, around),
            ("the client's cutoff was raised", true, before_cutoff.clone(), false, cut_off),
            ("the client's cutoff is another", true, before_cutoff.clone(), false, around),
            ("the client's cutoff is its own", false, before_cutoff, false, Surroundings { client: lowered, ..around }),
            ("the user's cutoff was raised", true, row(), false, Surroundings { user: raised, ..around }),
            ("the client was removed", true, row(), false, Surroundings { client: None, ..around }),
            ("the user was removed", true, row(), false, Surroundings { user: None, ..around }),
            ("both are disabled", false, row(), false, {
                let [client, user] = [row().client_cutoff, row().user_cutoff].map(|cutoff| party(cutoff, false));
                Surroundings { client, user, ..around }
            }),
            ("the store was restored", false, row(), false, Surroundings { epoch: EpochNumber(9), ..around }),
            ("its session is gone", true, in_session.clone(), false, around),
            ("its session goes on", false, in_session.clone(), false, session_ends_at(at(DAY + 1))),
            ("its session is over, and still told of", false, in_session.clone(), false, session_ends_at(at(0))),
            ("its session is long over", true, in_session, false, session_ends_at(at(0).plus_milliseconds(-1))),
            ("it is in no session", false, row(), false, session_ends_at(at(-DAY))),
            ("it ended by itself", false, over.clone(), false, cut_off),
            ("it ended by itself, and its siblings did not", true, over, true, cut_off),
            ("it was revoked", false, Grant { revoked_at: Some(at(0)), ..row() }, false, cut_off),
            ("it ends with its root", false, Grant { root: Some(GrantId([0x31; 16])), ..row() }, false, cut_off),
        ] {
            let ended = Grant { version: row.version + 1, revoked_at: Some(now), ..row.clone() };
            let expected = if ends { Write::Update(ended) } else { Write::Nothing };
            assert_eq!(record_end(&row, has_siblings, &around, now), expected, "{why}");
        }
    }

    #[test]
    fn at_its_start_a_process_believes_a_clock_until_it_is_30_days_ahead_of_the_last_sweep() {
        for (why, shows, is_credible) in [
            ("it is behind", -DAY, true),
            ("the process was away for a month", 30 * DAY, true),
            ("it was away longer, or the clock is wrong", 30 * DAY + 1, false),
        ] {
            assert_eq!(at(shows) <= latest_credible_at_start(at(0)), is_credible, "{why}");
        }
    }

    #[test]
    fn a_clock_is_believed_until_it_is_an_hour_ahead_of_the_time_that_passed() {
        let hour = 60 * 60;
        for (why, passed_seconds, shows, is_credible) in [
            ("it stood still", 0, 0, true),
            ("it goes right", 600, 600, true),
            ("it is behind", 600, -10 * hour, true),
            ("it is almost an hour ahead", 600, 600 + hour - 1, true),
            ("it is an hour ahead", 600, 600 + hour, true),
            ("it is more than an hour ahead", 600, 600 + hour + 1, false),
            ("a day passed", DAY, DAY, true),
            ("a day passed on the clock alone", 600, DAY, false),
        ] {
            let passed = Duration::from_secs(passed_seconds.cast_unsigned());
            assert_eq!(at(shows) <= latest_credible(at(0), passed), is_credible, "{why}");
        }
        let last = Timestamp::from_milliseconds(i64::MAX);
        assert_eq!(latest_credible(at(0), Duration::MAX), last);
    }
}
