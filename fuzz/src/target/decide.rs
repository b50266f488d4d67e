use regrant_grant::{
    AuthorityTag, Binding, Decision, Grant, RETRY_WINDOW_PROVEN_SECONDS, RotationMode, ScopeNarrowing, Verdict, Write,
};
use regrant_protocol::Timestamp;

use crate::bytes::Bytes;
use crate::case::Case;

/// What the rule promises of every call, however strange.
pub(crate) fn run(data: &[u8]) {
    check(data, Case::decide);
}

/// Holds a rule to its promises of one call.
pub(crate) fn check(data: &[u8], rule: impl Fn(&Case) -> Decision) {
    let mut case = Case::any(&mut Bytes::new(data));
    let decision = rule(&case);
    assert_eq!(rule(&case), decision, "the rule is a function");
    // A clock behind the last rotation counts as that rotation.
    case.now = case.now.max(case.row.rotated_at);
    assert_eq!(rule(&case), decision, "a clock that went back changes nothing");

    assert_eq!(decision.verdict.is_success(), deserves_tokens(&case, &decision), "{case:?} {decision:?}");
    writes_what_its_verdict_says(&case, &decision);
    if let Write::Update(written) | Write::Insert(written) = &decision.write {
        only_moves_forward(&case, decision.verdict, written);
    }
    if decision.verdict == Verdict::Rotated {
        successor_is_accepted(case, decision, rule);
    }
}

/// Every condition under which tokens are given, in no order. Whether a retry is within its rule is asked of the verdict.
fn deserves_tokens(case: &Case, decision: &Decision) -> bool {
    let Case { row, facts, .. } = case;
    let is_before = |end: Option<Timestamp>| end.is_none_or(|end| case.now < end);
    let is_alive = row.revoked_at.is_none()
        && case.root.as_ref().is_none_or(|root| root.revoked_at.is_none())
        && is_before(row.idle_expires_at)
        && is_before(row.absolute_expires_at)
        && (row.session.is_none() || case.session_ends_at.is_some_and(|end| case.now < end))
        && row.generation.0 < u32::MAX;
    let is_from_its_sender = facts.client == row.client
        && facts.authority_tag == AuthorityTag::Valid
        && (row.binding == Binding::None || row.binding == facts.proven_key);
    let is_allowed = case.client.is_some_and(|client| client.enabled && client.cutoff == row.client_cutoff)
        && case.user.is_some_and(|user| user.enabled && user.cutoff == row.user_cutoff);
    let is_granted = facts.scope.as_ref().is_none_or(|scope| scope.is_within(&row.scope))
        && facts.resources.is_within(&row.resources);
    let is_current = facts.generation == row.generation && facts.kid == row.kid && facts.epoch == row.epoch;
    let is_retry = decision.verdict == Verdict::Retried && may_be_retry(case);
    is_alive && is_from_its_sender && is_allowed && is_granted && row.epoch == case.epoch && (is_current || is_retry)
}

fn may_be_retry(case: &Case) -> bool {
    let window_milliseconds = i64::from(RETRY_WINDOW_PROVEN_SECONDS) * 1000;
    case.facts.generation.0.checked_add(1) == Some(case.row.generation.0)
        && case.policy.retry_window_seconds != Some(0)
        && case.now.milliseconds_since(case.row.rotated_at) < window_milliseconds
}

fn writes_what_its_verdict_says(case: &Case, Decision { verdict, write }: &Decision) {
    let is_so = match (verdict, write) {
        (Verdict::Rotated, Write::Update(_)) => case.policy.rotation == RotationMode::Rotate,
        (Verdict::Reissued, Write::Update(_)) => case.policy.rotation == RotationMode::Reuse,
        (Verdict::Consumed, Write::Update(_)) => case.policy.rotation == RotationMode::Consume,
        (Verdict::Forked, Write::Insert(_)) => case.policy.rotation == RotationMode::Fork,
        (Verdict::ReuseDetected, Write::Update(ended)) => ended.revoked_at == Some(case.now),
        (_, Write::Nothing) => !verdict.is_success() || *verdict == Verdict::Retried,
        (_, _) => false,
    };
    assert!(is_so, "{verdict} {write:?}");
    let is_current = case.facts.generation == case.row.generation;
    assert!(*verdict != Verdict::ReuseDetected || !is_current, "a current token is never reuse");
}

fn only_moves_forward(case: &Case, verdict: Verdict, written: &Grant) {
    let before = match &case.root {
        Some(root) if root.id == written.id => root,
        _ => &case.row,
    };
    let is_new = written.id == case.facts.sibling.0;
    if is_new {
        assert_eq!((written.version, written.root), (1, case.row.root.or(Some(case.row.id))));
    } else {
        assert_eq!(written.version, before.version + 1);
        assert!([before.generation.0, before.generation.0.saturating_add(1)].contains(&written.generation.0));
        assert!(written.kid >= before.kid && written.epoch == before.epoch);
        assert_eq!((&written.id, &written.secret, written.root), (&before.id, &before.secret, before.root));
        assert_eq!(written.created_at, before.created_at);
    }
    assert!(written.rotated_at >= before.rotated_at);
    assert!(!before.has_used_challenge || written.has_used_challenge || is_new, "a proof is never given up");
    assert_eq!((&written.client, &written.subject), (&before.client, &before.subject));
    let narrows = verdict.is_success() && case.policy.scope_narrowing == ScopeNarrowing::Grant;
    let scope = case.facts.scope.as_ref().filter(|_| narrows).unwrap_or(&before.scope);
    assert_eq!((&written.scope, &written.resources), (scope, &before.resources));
    assert_eq!((written.binding, written.authenticated_at), (before.binding, before.authenticated_at));
    assert_eq!(written.absolute_expires_at, before.absolute_expires_at);
    assert_eq!((written.client_cutoff, written.user_cutoff), (before.client_cutoff, before.user_cutoff));
    assert_eq!(before.revoked_at, None, "what has ended is not written again");
}

/// I1: what was sent in a 200 is accepted afterwards.
fn successor_is_accepted(mut case: Case, decision: Decision, rule: impl Fn(&Case) -> Decision) {
    let Write::Update(successor) = decision.write else { panic!("a rotation writes its successor") };
    case.row = successor;
    (case.facts.generation, case.facts.kid, case.facts.epoch) = (case.row.generation, case.row.kid, case.row.epoch);
    if case.row.generation.next().is_some() {
        assert_eq!(rule(&case).verdict, Verdict::Rotated, "the successor is accepted");
    }
}
