use regrant_grant::{
    AuthorityTag, Binding, ClientKind, Generation, Grant, GrantId, GrantSecret, RedeemVerdict, RefreshFacts,
    RotationMode, Verdict, Write, decide,
};
use regrant_protocol::{Kid, Resources};

use crate::case::{APPROVED_AT, CHALLENGE, Case, OTHER_CHALLENGE, OTHER_REDIRECT_URI, REDIRECT_URI};

impl Case {
    /// Redeems the code and keeps what is written.
    fn redeem_and_write(&mut self) -> RedeemVerdict {
        let redemption = self.redeem();
        self.write(redemption.write);
        redemption.verdict
    }

    /// Presents the current refresh token and keeps what is written.
    fn refresh_and_write(&mut self) -> Verdict {
        let facts = RefreshFacts {
            client: self.row.client.clone(),
            client_kind: ClientKind::Public,
            proven_key: Binding::None,
            generation: self.row.generation,
            kid: self.row.kid,
            epoch: self.row.epoch,
            authority_tag: AuthorityTag::Valid,
            retry_challenge: None,
            retry_verifier: None,
            scope: None,
            resources: Resources::none(),
            newest_kid: Kid(21),
            sibling: (GrantId([0x21; 16]), GrantSecret::new([0x22; 16])),
            recovery: None,
        };
        let decision = decide(&self.row, &facts, &self.surroundings(), &self.policy, self.now);
        self.write(decision.write);
        decision.verdict
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Nothing => {}
            Write::Update(row) => {
                assert_eq!(
                    (row.id, row.version),
                    (self.row.id, self.row.version + 1),
                    "the row, with its next version"
                );
                self.row = row;
            }
            write @ (Write::Insert(_) | Write::ListAccessToken { .. }) => panic!("{write:?}"),
        }
    }
}

#[test]
fn rfc6749_section_4_1_2_a_code_counts_once_and_again_ends_what_it_gave() {
    let mut case = Case::honest();
    let mut verdicts = Vec::new();
    for _ in 0..64 {
        verdicts.push(case.redeem_and_write());
    }
    assert_eq!(verdicts[..2], [RedeemVerdict::Redeemed, RedeemVerdict::Replayed]);
    assert!(verdicts[2..].iter().all(|&verdict| verdict == RedeemVerdict::Revoked), "{verdicts:?}");
    assert_eq!(case.refresh_and_write(), Verdict::Revoked);
}

#[test]
fn a_code_that_was_refreshed_meanwhile_still_ends_the_grant() {
    for code_retry_seconds in [0, 10] {
        let mut case = Case::honest();
        case.policy.code_retry_seconds = code_retry_seconds;
        assert_eq!(case.redeem_and_write(), RedeemVerdict::Redeemed);
        assert_eq!(case.refresh_and_write(), Verdict::Rotated);
        assert_eq!(case.redeem_and_write(), RedeemVerdict::Replayed, "{code_retry_seconds} s");
        assert_eq!(case.refresh_and_write(), Verdict::Revoked, "{code_retry_seconds} s");
    }
}

#[test]
fn a_code_that_has_passed_changes_nothing_redeemed_or_not() {
    for was_redeemed in [false, true] {
        let mut case = Case::honest();
        if was_redeemed {
            assert_eq!(case.redeem_and_write(), RedeemVerdict::Redeemed);
        }
        for (milliseconds, has_passed) in [(59_999, false), (60_000, true), (86_400_000, true)] {
            case.now = APPROVED_AT.plus_milliseconds(milliseconds);
            assert_eq!(case.redeem().verdict == RedeemVerdict::Expired, has_passed, "after {milliseconds} ms");
        }
        assert_eq!(case.redeem().write, Write::Nothing);
    }
}

#[test]
fn c_151_a_code_in_the_wrong_hands_stays_good_for_the_right_ones() {
    let mut case = Case::honest();
    for (why, spoil, verdict) in [
        (
            "another verifier",
            (|c| c.facts.verifier = Some(OTHER_CHALLENGE)) as fn(&mut Case),
            RedeemVerdict::WrongVerifier,
        ),
        ("no verifier", |c| c.facts.verifier = None, RedeemVerdict::WrongVerifier),
        ("another redirect URI", |c| c.facts.redirect_uri = Some(OTHER_REDIRECT_URI), RedeemVerdict::WrongRedirectUri),
        ("another tag", |c| c.facts.authority_tag = AuthorityTag::Invalid, RedeemVerdict::Forged),
        ("another key", |c| c.facts.kid = Kid(19), RedeemVerdict::DeadEpoch),
        ("a disabled client", |c| c.client = None, RedeemVerdict::ClientDisabled),
    ] {
        let mut spoilt = case.clone();
        spoil(&mut spoilt);
        assert_eq!(spoilt.redeem_and_write(), verdict, "{why}");
        assert_eq!(spoilt.row, case.row, "{why}: nothing changes");
    }
    assert_eq!(case.redeem_and_write(), RedeemVerdict::Redeemed);
}

#[test]
fn c_054_a_verifier_is_there_exactly_when_a_challenge_was() {
    for (challenge, verifier, verdict) in [
        (None, None, RedeemVerdict::Redeemed),
        (Some(CHALLENGE), Some(CHALLENGE), RedeemVerdict::Redeemed),
        (None, Some(CHALLENGE), RedeemVerdict::WrongVerifier),
        (Some(CHALLENGE), None, RedeemVerdict::WrongVerifier),
        (Some(CHALLENGE), Some(OTHER_CHALLENGE), RedeemVerdict::WrongVerifier),
    ] {
        let mut case = Case::honest();
        case.set_code(|code| code.challenge = challenge);
        case.facts.verifier = verifier;
        assert_eq!(case.redeem().verdict, verdict, "{} {}", challenge.is_some(), verifier.is_some());
    }
}

#[test]
fn rfc6749_section_4_1_3_the_redirect_uri_is_the_same_or_pkce_stands_in_for_it() {
    for (with_pkce, was_sent, presented, is_accepted) in [
        (false, true, Some(REDIRECT_URI), true),
        (false, true, None, false),
        (false, false, None, true),
        (false, false, Some(REDIRECT_URI), true),
        (true, true, None, true),
        (true, true, Some(OTHER_REDIRECT_URI), false),
        (true, false, Some(OTHER_REDIRECT_URI), false),
        (false, false, Some(OTHER_REDIRECT_URI), false),
    ] {
        let mut case = Case::honest();
        if !with_pkce {
            case.without_challenge();
        }
        case.set_code(|code| code.redirect_uri_was_sent = was_sent);
        case.facts.redirect_uri = presented;
        let verdict = if is_accepted { RedeemVerdict::Redeemed } else { RedeemVerdict::WrongRedirectUri };
        assert_eq!(case.redeem().verdict, verdict, "{with_pkce} {was_sent} {presented:?}");
    }
}

#[test]
fn a_client_with_pkce_may_be_given_some_seconds_to_ask_again() {
    for (with_pkce, setting_seconds, milliseconds, verdict) in [
        (true, 0, 0, RedeemVerdict::Replayed),
        (true, 3, 0, RedeemVerdict::Retried),
        (true, 3, 2_999, RedeemVerdict::Retried),
        (true, 3, 3_000, RedeemVerdict::Replayed),
        (true, 3, -5_000, RedeemVerdict::Retried),
        (true, 10, 9_999, RedeemVerdict::Retried),
        (true, 60, 10_000, RedeemVerdict::Replayed),
        (false, 10, 0, RedeemVerdict::Replayed),
    ] {
        let mut case = Case::honest();
        if !with_pkce {
            case.without_challenge();
        }
        case.policy.code_retry_seconds = setting_seconds;
        assert_eq!(case.redeem_and_write(), RedeemVerdict::Redeemed);
        let first = case.row.clone();
        case.now = first.rotated_at.plus_milliseconds(milliseconds);
        assert_eq!(case.redeem_and_write(), verdict, "{setting_seconds} s, after {milliseconds} ms");
        if verdict == RedeemVerdict::Retried {
            assert_eq!(case.row, first, "the same row gives the same tokens");
            assert_eq!(case.refresh_and_write(), Verdict::Rotated);
        }
    }
}

#[test]
fn what_a_redemption_gives_is_accepted_afterwards_in_every_mode_that_gives_it() {
    for (mode, verdict) in [(RotationMode::Rotate, Verdict::Rotated), (RotationMode::Reuse, Verdict::Reissued)] {
        let mut case = Case::honest();
        case.policy.rotation = mode;
        assert_eq!(case.redeem_and_write(), RedeemVerdict::Redeemed);
        assert_eq!((case.row.generation, case.row.kid), (Generation::FIRST, Kid(21)));
        assert_eq!(case.row.idle_expires_at, Some(case.now.plus_seconds(2_000)), "no longer the code's end");
        case.now = case.now.plus_seconds(1_999);
        assert_eq!(case.refresh_and_write(), verdict);
        assert_eq!(case.row.code, None, "its end has come");
    }
}

#[test]
fn who_approved_what_and_until_when_never_changes() {
    let mut case = Case::honest();
    let approved = case.row.clone();
    assert_eq!(case.redeem_and_write(), RedeemVerdict::Redeemed);
    let moved = Grant {
        version: case.row.version,
        generation: case.row.generation,
        kid: case.row.kid,
        rotated_at: case.row.rotated_at,
        access_lifetime: case.row.access_lifetime,
        idle_expires_at: case.row.idle_expires_at,
        ..approved
    };
    assert_eq!(case.row, moved);
}
