use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_protocol::{Lifetime, Timestamp};

use crate::standing::permit;
use crate::{Generation, Grant, GrantId, ImportedToken, RotationMode, Surroundings};

/// From when to when an access token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessPeriod {
    /// `iat`: the beginning of the slot.
    pub issued_at: Timestamp,
    /// `exp`: never past the grant's absolute end; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// The period of the access token that the current generation of `row` gives at `now`.
///
/// Time since the rotation is cut into slots of half a lifetime, and a token begins with its slot: the same request in
/// the same slot gives equal claims, so that a retry makes no second access token, and a token that is given out has at
/// least half of its life before it. With `consume` there is only the first slot.
#[must_use]
pub fn access_period(row: &Grant, rotation: RotationMode, now: Timestamp) -> AccessPeriod {
    let issued_at = match row.access_lifetime {
        Lifetime::Seconds(seconds) if rotation != RotationMode::Consume => {
            let slot_milliseconds = i64::from(seconds.get()) * 1000 / 2;
            let slot = now.milliseconds_since(row.rotated_at) / slot_milliseconds;
            row.rotated_at.plus_milliseconds(slot.saturating_mul(slot_milliseconds))
        }
        Lifetime::Seconds(_) | Lifetime::Never => row.rotated_at,
    };
    let expires_at = match (row.access_lifetime.end(issued_at), row.absolute_expires_at) {
        (Some(end), Some(absolute)) => Some(end.min(absolute)),
        (end, absolute) => end.or(absolute),
    };
    AccessPeriod { issued_at, expires_at }
}

/// The `jti` of an access token: it names the grant (or the client's handle) and the generation, and digests the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessTokenId {
    /// The grant, or the handle of a client that acts for itself.
    pub grant: GrantId,
    /// The generation; for a client that acts for itself, its cutoff.
    pub generation: Generation,
    /// A digest of everything else in the token; in the JWT of a client that acts for itself its first byte is the epoch.
    pub digest: [u8; 10],
}

impl AccessTokenId {
    /// How many bytes it has.
    pub const BYTES: usize = 30;

    /// The identifier of an access token that another system issued: nothing that the token's string could be made from.
    #[must_use]
    pub fn of_imported(grant: GrantId, token: &ImportedToken) -> Self {
        let digest = *token.0.first_chunk().expect("32 bytes begin with 10");
        Self { grant, generation: Generation::IMPORTED, digest }
    }

    /// The identifier as bytes, for the list of revoked access tokens.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.grant.0);
        bytes[16..20].copy_from_slice(&self.generation.0.to_be_bytes());
        bytes[20..].copy_from_slice(&self.digest);
        bytes
    }

    /// The identifier as the claim `jti`: 40 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.to_bytes())
    }

    /// Reads the claim `jti`; `None` when it is not one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self {
            grant: GrantId(bytes[..16].try_into().ok()?),
            generation: Generation(u32::from_be_bytes(bytes[16..20].try_into().ok()?)),
            digest: bytes[20..].try_into().ok()?,
        })
    }
}

/// What became of asking whether an access token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessVerdict {
    /// It is.
    Active,
    /// It reached its end.
    Expired,
    /// The grant was revoked, or a cutoff ended it.
    Revoked,
    /// The user is disabled, locked or removed.
    UserDisabled,
    /// The client is disabled or removed.
    ClientDisabled,
    /// Nothing was issued to its grant since the store was restored: whatever came before is dead.
    DeadEpoch,
    /// It is of a generation that its row has not reached: the database is older than its tokens.
    RolledBack,
}

/// Whether an access token of `generation` that ends at `expires_at` is good at `now`.
#[must_use]
pub fn judge_access(
    row: &Grant,
    generation: Generation,
    expires_at: Option<Timestamp>,
    surroundings: &Surroundings<'_>,
    now: Timestamp,
) -> AccessVerdict {
    if row.is_revoked(surroundings.root) {
        AccessVerdict::Revoked
    } else if expires_at.is_some_and(|end| end <= now) {
        AccessVerdict::Expired
    } else if row.epoch < surroundings.epoch {
        AccessVerdict::DeadEpoch
    } else if generation > row.generation {
        AccessVerdict::RolledBack
    } else {
        permit(row, surroundings, now).map_or_else(AccessVerdict::from, |()| AccessVerdict::Active)
    }
}

impl Grant {
    /// Whether a refresh came after its access token of this generation, which began in this second since the Unix epoch (`iat`).
    ///
    /// The tokens of the current generation began with it or after it, and so did those that a retry gives. Where the client's
    /// mode leaves the generation as it is, `rotated_at` is the last refresh and the second is all that tells tokens apart: of two
    /// refreshes within one second the tokens of both count as the last's. A fork changes nothing here: it is a grant of its own.
    #[must_use]
    pub fn has_replaced(&self, generation: Generation, issued_at_seconds: i64) -> bool {
        generation < self.generation || issued_at_seconds < self.rotated_at.seconds()
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::EpochNumber;

    use super::*;
    use crate::grant::tests::row;
    use crate::{Party, SessionId};

    const ROTATED_AT: i64 = 1_800_000_000_000;

    /// `iat` and `exp` in milliseconds after the rotation, this long after it.
    fn period(row: &Grant, rotation: RotationMode, milliseconds: i64) -> (i64, Option<i64>) {
        let period = access_period(row, rotation, Timestamp::from_milliseconds(ROTATED_AT + milliseconds));
        let after = |moment: Timestamp| moment.milliseconds() - ROTATED_AT;
        (after(period.issued_at), period.expires_at.map(after))
    }

    /// `iat` of the token that is given this long after the rotation.
    fn iat(row: &Grant, milliseconds: i64) -> i64 {
        let now = row.rotated_at.plus_milliseconds(milliseconds);
        access_period(row, RotationMode::Rotate, now).issued_at.seconds()
    }

    #[test]
    fn a_restore_ends_the_access_tokens_that_came_before_it() {
        let row = row();
        let judge = |epoch| {
            let party = Some(Party { enabled: true, cutoff: row.client_cutoff, version: 1 });
            let user = Some(Party { enabled: true, cutoff: row.user_cutoff, version: 1 });
            let surroundings =
                Surroundings { epoch: EpochNumber(epoch), client: party, user, root: None, session_ends_at: None };
            judge_access(&row, row.generation, None, &surroundings, row.rotated_at)
        };
        assert_eq!(judge(row.epoch.0), AccessVerdict::Active);
        assert_eq!(judge(row.epoch.0 + 1), AccessVerdict::DeadEpoch);
    }

    #[test]
    fn a_token_begins_with_its_slot_of_half_a_lifetime() {
        for (lifetime_seconds, milliseconds, issued_at, expires_at) in [
            (600, 0, 0, 600_000),
            (600, 1, 0, 600_000),
            (600, 299_999, 0, 600_000),
            (600, 300_000, 300_000, 900_000),
            (600, 599_999, 300_000, 900_000),
            (600, 600_000, 600_000, 1_200_000),
            (600, 86_400_000, 86_400_000, 87_000_000),
            (600, -1, 0, 600_000),
            (600, -86_400_000, 0, 600_000),
            (1, 499, 0, 1_000),
            (1, 500, 500, 1_500),
            (3, 1_499, 0, 3_000),
            (3, 1_500, 1_500, 4_500),
            (3, 2_999, 1_500, 4_500),
            (u32::MAX, 2_147_483_647_499, 0, 4_294_967_295_000),
            (u32::MAX, 2_147_483_647_500, 2_147_483_647_500, 6_442_450_942_500),
        ] {
            let row = Grant { access_lifetime: Lifetime::from_seconds(lifetime_seconds), ..row() };
            assert_eq!(
                period(&row, RotationMode::Rotate, milliseconds),
                (issued_at, Some(expires_at)),
                "{lifetime_seconds} s, after {milliseconds} ms"
            );
        }
    }

    #[test]
    fn a_token_that_is_given_out_has_at_least_half_of_its_life_before_it() {
        for lifetime_seconds in [1, 2, 3, 7, 300, 599, 86_400] {
            let row = Grant { access_lifetime: Lifetime::from_seconds(lifetime_seconds), ..row() };
            let half = i64::from(lifetime_seconds) * 500;
            for milliseconds in (0..4 * half).step_by(37).chain([half - 1, half, half + 1]) {
                let (issued_at, expires_at) = period(&row, RotationMode::Rotate, milliseconds);
                assert!(issued_at <= milliseconds, "never from the future");
                assert!(expires_at.unwrap() - milliseconds > half - 1, "{lifetime_seconds} s after {milliseconds} ms");
                assert_eq!(period(&row, RotationMode::Rotate, issued_at), (issued_at, expires_at), "one per slot");
            }
        }
    }

    #[test]
    fn a_token_without_end_and_a_consumed_one_have_one_slot_only() {
        for (lifetime_seconds, rotation, expires_at) in [
            (0, RotationMode::Rotate, None),
            (0, RotationMode::Consume, None),
            (600, RotationMode::Consume, Some(600_000)),
        ] {
            let row = Grant { access_lifetime: Lifetime::from_seconds(lifetime_seconds), ..row() };
            for milliseconds in [-1, 0, 300_000, 599_999, 86_400_000] {
                assert_eq!(period(&row, rotation, milliseconds), (0, expires_at), "{lifetime_seconds} s, {rotation:?}");
            }
        }
    }

    #[test]
    fn no_token_outlives_its_grant() {
        for (lifetime_seconds, absolute, milliseconds, expires_at) in [
            (600, 599_999, 0, 599_999),
            (600, 600_001, 0, 600_000),
            (600, 600_001, 300_000, 600_001),
            (0, 5_000, 0, 5_000),
        ] {
            let row = Grant {
                access_lifetime: Lifetime::from_seconds(lifetime_seconds),
                absolute_expires_at: Some(Timestamp::from_milliseconds(ROTATED_AT + absolute)),
                ..row()
            };
            for rotation in [RotationMode::Rotate, RotationMode::Reuse, RotationMode::Fork] {
                assert_eq!(
                    period(&row, rotation, milliseconds).1,
                    Some(expires_at),
                    "{lifetime_seconds} s, {absolute}"
                );
            }
        }
    }

    #[test]
    fn a_token_is_replaced_by_the_next_refresh_and_by_no_retry_of_its_own() {
        // Not at a full second, so that `iat` is before the moment itself.
        let rotated_at = Timestamp::from_milliseconds(ROTATED_AT + 999);
        let row = Grant { generation: Generation(5), rotated_at, ..row() };
        for milliseconds in [-5_000, 0, 1, 299_999, 300_000, 86_400_000] {
            let issued_at = iat(&row, milliseconds);
            assert!(!row.has_replaced(row.generation, issued_at), "given {milliseconds} ms after the rotation");
            let rotated = Grant { generation: Generation(6), ..row.clone() };
            assert!(rotated.has_replaced(row.generation, issued_at), "and the generation is another");
            let rotated_at = row.rotated_at.plus_milliseconds(milliseconds.max(0) + 1_000);
            let reused = Grant { rotated_at, ..row.clone() };
            assert!(reused.has_replaced(row.generation, issued_at), "and the same token was used a second later");
            assert!(!reused.has_replaced(row.generation, iat(&reused, 0)), "which gave this one");
        }
    }

    #[test]
    fn a_jti_is_40_characters_and_names_grant_generation_and_digest() {
        let id = AccessTokenId {
            grant: GrantId([0xA1; 16]),
            generation: Generation(0xB1B2_B3B4),
            digest: [0xFB, 0xFF, 3, 4, 5, 6, 7, 8, 9, 10],
        };
        let text = id.to_text();
        assert_eq!((text.len(), AccessTokenId::parse(&text)), (40, Some(id)));
        assert_eq!(id.to_bytes()[16..22], [0xB1, 0xB2, 0xB3, 0xB4, 0xFB, 0xFF]);
        for (why, not_ours) in [
            ("empty", String::new()),
            ("one less", text[..39].to_owned()),
            ("one more", format!("{text}A")),
            ("a group less", text[..36].to_owned()),
            ("a group more", format!("{text}AAAA")),
            ("padding", format!("{}=", &text[..39])),
            ("the standard alphabet", text.replace('-', "+").replace('_', "/")),
            ("a space", format!("{} ", &text[..39])),
            ("a UUID", "0b7c1f0e-8f5e-4a64-9d3c-2b1b6a1f7c55".to_owned()),
        ] {
            assert_eq!(AccessTokenId::parse(&not_ours), None, "{why}");
        }
    }

    #[test]
    fn an_access_token_is_judged_by_its_first_fault() {
        let row = Grant { client_cutoff: 4, user_cutoff: 9, generation: Generation(5), ..row() };
        let now = Timestamp::from_milliseconds(ROTATED_AT + 1_000);
        let alive = Grant { id: GrantId([0x31; 16]), ..row.clone() };
        let ended = Grant { revoked_at: Some(now), ..alive.clone() };
        let party = |enabled, cutoff| Some(Party { enabled, cutoff, version: 1 });
        let parties = |cutoff| [None, party(false, cutoff), party(true, cutoff), party(true, cutoff + 1)];

        let session = Some(SessionId([0x51; 16]));
        let sessions = [
            (None, None, false),
            (None, Some(now), false),
            (session, None, true),
            (session, Some(now), true),
            (session, Some(now.plus_milliseconds(1)), false),
        ];
        let lives = [None, Some(now)].map(|revoked_at| sessions.map(|session| (revoked_at, session)));
        for (revoked_at, (session, session_ends_at, is_logged_out)) in lives.into_iter().flatten() {
            let row = Grant { revoked_at, session, ..row.clone() };
            for root in [None, Some(&alive), Some(&ended)] {
                for (expires_at, has_expired) in
                    [(None, false), (Some(-1), true), (Some(0), true), (Some(1), false), (Some(600_000), false)]
                {
                    let expires_at = expires_at.map(|milliseconds| now.plus_milliseconds(milliseconds));
                    for generation in [0, 4, 5, 6, u32::MAX] {
                        for client in parties(4) {
                            for user in parties(9) {
                                let epoch = EpochNumber(3);
                                let surroundings = Surroundings { epoch, client, user, root, session_ends_at };
                                let faults = [
                                    (revoked_at.is_some() || root == Some(&ended), AccessVerdict::Revoked),
                                    (has_expired, AccessVerdict::Expired),
                                    (generation > 5, AccessVerdict::RolledBack),
                                    (client.is_none_or(|client| !client.enabled), AccessVerdict::ClientDisabled),
                                    (user.is_none_or(|user| !user.enabled), AccessVerdict::UserDisabled),
                                    (client == party(true, 5) || user == party(true, 10), AccessVerdict::Revoked),
                                    (is_logged_out, AccessVerdict::Revoked),
                                    (true, AccessVerdict::Active),
                                ];
                                assert_eq!(
                                    Some(judge_access(&row, Generation(generation), expires_at, &surroundings, now)),
                                    faults.into_iter().find_map(|(is_so, verdict)| is_so.then_some(verdict)),
                                    "{row:?} {root:?} {expires_at:?} {generation} {surroundings:?}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
