use regrant_grant::{
    AuthorityTag, CODE_RETRY_SECONDS_MAX, Generation, Grant, RedeemFacts, RedeemVerdict, Redemption, Write,
};
use regrant_protocol::Timestamp;

use crate::bytes::Bytes;
use crate::case::Case;

/// What the rule of codes promises of every redemption, however strange.
pub(crate) fn run(data: &[u8]) {
    check(data, Case::redeem);
}

/// Holds a rule to its promises of one redemption.
pub(crate) fn check(data: &[u8], rule: impl Fn(&Case<RedeemFacts>) -> Redemption) {
    let mut case = Case::of_any_code(&mut Bytes::new(data));
    let redemption = rule(&case);
    assert_eq!(rule(&case), redemption, "the rule is a function");
    // A clock behind the last rotation counts as that rotation.
    case.now = case.now.max(case.row.rotated_at);
    assert_eq!(rule(&case), redemption, "a clock that went back changes nothing");

    let Redemption { verdict, write } = redemption;
    let is_first = is_current(&case) && is_first_time(&case) && is_allowed(&case);
    assert_eq!(verdict == RedeemVerdict::Redeemed, is_first, "{case:?} {verdict}");
    let is_retry = is_current(&case) && is_soon_again(&case) && is_allowed(&case);
    assert_eq!(verdict == RedeemVerdict::Retried, is_retry, "{case:?} {verdict}");
    let is_replay = is_current(&case) && case.row.generation > Generation::CODE && !is_soon_again(&case);
    assert_eq!(verdict == RedeemVerdict::Replayed, is_replay, "{case:?} {verdict}");

    match write {
        Write::Update(first) if is_first => {
            assert_eq!(first, redeemed(&case));
            assert!(first.generation > case.row.generation);
            counts_once(case, first, rule);
        }
        Write::Update(ended) if is_replay => assert_eq!(ended, revoked(&case)),
        Write::Nothing => assert!(!is_first && !is_replay, "{verdict} is written"),
        Write::Update(_) | Write::Insert(_) | Write::ListAccessToken { .. } => panic!("{verdict} writes {write:?}"),
    }
}

/// Whether it is a live code of this row, presented by whoever it was given to.
fn is_current(case: &Case<RedeemFacts>) -> bool {
    let Case { row, facts, .. } = case;
    let Some(code) = &row.code else { return false };
    let is_alive = row.revoked_at.is_none()
        && case.root.as_ref().is_none_or(|root| root.revoked_at.is_none())
        && row.absolute_expires_at.is_none_or(|end| case.now < end)
        && case.now < code.expires_at;
    let is_from_its_sender =
        facts.client == row.client && facts.authority_tag == AuthorityTag::Valid && facts.verifier == code.challenge;
    // OAuth 2.1: with PKCE the redirect URI need not be repeated.
    let may_be_left_out = !code.redirect_uri_was_sent || code.challenge.is_some();
    let is_for_its_uri = facts.redirect_uri.map_or(may_be_left_out, |uri| uri == code.redirect_uri);
    let is_of_this_life = row.epoch == case.epoch;
    let is_known = row.generation > Generation::CODE || facts.kid == row.kid && facts.epoch == row.epoch;
    is_alive && is_from_its_sender && is_for_its_uri && is_of_this_life && is_known
}

fn is_first_time(case: &Case<RedeemFacts>) -> bool {
    case.row.generation == Generation::CODE
}

fn is_soon_again(case: &Case<RedeemFacts>) -> bool {
    let window_seconds = case.policy.code_retry_seconds.min(CODE_RETRY_SECONDS_MAX);
    case.row.generation == Generation::FIRST
        && case.row.code.as_ref().is_some_and(|code| code.challenge.is_some())
        && case.now.milliseconds_since(case.row.rotated_at) < i64::from(window_seconds) * 1000
}

fn is_allowed(case: &Case<RedeemFacts>) -> bool {
    let is_before = |end: Option<Timestamp>| end.is_some_and(|end| case.now < end);
    case.client.is_some_and(|client| client.enabled && client.cutoff == case.row.client_cutoff)
        && case.user.is_some_and(|user| user.enabled && user.cutoff == case.row.user_cutoff)
        && (case.row.session.is_none() || is_before(case.session_ends_at))
}

/// The row after its redemption: nothing else has changed.
fn redeemed(case: &Case<RedeemFacts>) -> Grant {
    Grant {
        version: case.row.version + 1,
        generation: Generation::FIRST,
        kid: case.facts.newest_kid.max(case.row.kid),
        rotated_at: case.now,
        access_lifetime: case.policy.access_lifetime,
        idle_expires_at: case.policy.idle_lifetime.end(case.now),
        ..case.row.clone()
    }
}

/// The row that ends the grant: its root where there is one. Nothing else has changed.
fn revoked(case: &Case<RedeemFacts>) -> Grant {
    let ended = case.root.as_ref().unwrap_or(&case.row);
    Grant { version: ended.version + 1, revoked_at: Some(case.now), ..ended.clone() }
}

/// The same code again is a retry, or ends the grant.
fn counts_once(mut case: Case<RedeemFacts>, first: Grant, rule: impl Fn(&Case<RedeemFacts>) -> Redemption) {
    case.row = first;
    let again = rule(&case);
    let may_be_retried = case.policy.code_retry_seconds > 0 && case.facts.verifier.is_some();
    let expected = if may_be_retried { RedeemVerdict::Retried } else { RedeemVerdict::Replayed };
    assert_eq!(again.verdict, expected, "a code counts once");
}
