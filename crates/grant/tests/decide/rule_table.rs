use regrant_grant::{
    AuthorityTag, Binding, ClientKind, Decision, Generation, Grant, OnReuse, Party, RecoverPublic, RotationMode,
    ScopeNarrowing, Verdict, Write,
};
use regrant_protocol::{Scope, Timestamp};

use crate::case::Case;

/// One row of the rule: it applies when no row above it does.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    applies: fn(&Case) -> bool,
    verdict: Verdict,
    write: fn(&Case) -> Write,
}

/// The rule as the design words it, from the first question to the last. Every case meets a row.
pub(crate) static RULES: [Rule; 38] = [
    // Who asks?
    rule("a token of another client", |c| c.facts.client != c.row.client, Verdict::WrongClient, nothing),
    rule("a tag that nobody can check", |c| tag(c) == AuthorityTag::Unverifiable, Verdict::RolledBack, nothing),
    rule("a tag of a forgotten epoch", |c| tag(c) == AuthorityTag::Forgotten, Verdict::DeadEpoch, nothing),
    rule("a tag that was not made here", |c| tag(c) == AuthorityTag::Invalid, Verdict::Forged, nothing),
    rule("bound to a key that was not proven", |c| bound(c) && !proves_key(c), Verdict::WrongSender, nothing),
    // Has it ended?
    rule("the grant was revoked", |c| c.row.revoked_at.is_some(), Verdict::Revoked, nothing),
    rule("its family was revoked", |c| c.root.iter().any(|r| r.revoked_at.is_some()), Verdict::Revoked, nothing),
    rule("at its absolute end", |c| has_come(c, c.row.absolute_expires_at), Verdict::ExpiredAbsolute, nothing),
    rule("at its last generation", |c| c.row.generation.0 == u32::MAX, Verdict::ExpiredAbsolute, nothing),
    rule(
        "at its idle end",
        |c| has_come(c, c.row.idle_expires_at) && !(behind(c) < 0 && former(c)),
        Verdict::ExpiredIdle,
        nothing,
    ),
    // Which generation is it, and of which life of the store?
    rule("the row is newer than its store", |c| c.row.epoch > c.epoch, Verdict::RolledBack, nothing),
    rule(
        "ahead, but lost by a restore",
        |c| behind(c) < 0 && c.facts.epoch < c.epoch && !taken(c),
        Verdict::DeadEpoch,
        nothing,
    ),
    rule("ahead", |c| behind(c) < 0 && !taken(c), Verdict::RolledBack, nothing),
    rule(
        "nothing was made since a restore",
        |c| c.row.epoch < c.epoch && !taken(c) && !repeated(c),
        Verdict::DeadEpoch,
        nothing,
    ),
    rule("current number, another string", |c| behind(c) == 0 && !same_string(c), Verdict::DeadEpoch, nothing),
    rule("two or more behind, from before", |c| behind(c) > 1 && lost(c), Verdict::DeadEpoch, nothing),
    rule("two or more behind", |c| behind(c) > 1, Verdict::ReuseDetected, as_policy_says),
    rule("a first try that its retry overtook", overtaken, Verdict::Unavailable, nothing),
    rule("consumed, no retry", |c| superseded(c) && consumes(c) && !slot_0(c), Verdict::RetryTooLate, nothing),
    rule("no retry, from before", |c| superseded(c) && window(c) == 0 && lost(c), Verdict::DeadEpoch, nothing),
    rule("no retry at all", |c| superseded(c) && window(c) == 0, Verdict::ReuseDetected, as_policy_says),
    rule("proven, too late", |c| superseded(c) && !in_window(c) && proven(c), Verdict::RetryTooLate, nothing),
    rule("too late, from before", |c| superseded(c) && !in_window(c) && lost(c), Verdict::DeadEpoch, nothing),
    rule("not proven, too late", |c| superseded(c) && !in_window(c), Verdict::ReuseDetected, as_policy_says),
    // Is it still allowed?
    rule("the client is gone", |c| gone(c.client), Verdict::ClientDisabled, nothing),
    rule("the user is gone", |c| gone(c.user), Verdict::UserDisabled, nothing),
    rule("the client was cut off", |c| cut_off(c.client, c.row.client_cutoff), Verdict::Revoked, nothing),
    rule("the user was cut off", |c| cut_off(c.user, c.row.user_cutoff), Verdict::Revoked, nothing),
    rule("its login session is over", |c| c.row.session.is_some() && !logged_in(c), Verdict::Revoked, nothing),
    rule("more scope than granted", more_scope, Verdict::ScopeExceeded, nothing),
    rule("a resource that was not granted", more_resources, Verdict::TargetRefused, nothing),
    // Then it is done.
    rule("recovered, consume", |c| taken(c) && consumes(c), Verdict::Consumed, recovered),
    rule("recovered", taken, Verdict::Rotated, recovered),
    rule("retry", superseded, Verdict::Retried, nothing),
    rule("fork", |c| c.policy.rotation == RotationMode::Fork, Verdict::Forked, sibling),
    rule("reuse", |c| c.policy.rotation == RotationMode::Reuse, Verdict::Reissued, used_again),
    rule("consume", consumes, Verdict::Consumed, successor),
    rule("rotate", |_| true, Verdict::Rotated, successor),
];

/// The row that `case` meets first, and what it says.
pub(crate) fn expected(case: &Case) -> (&'static Rule, Decision) {
    let rule = RULES.iter().find(|rule| (rule.applies)(case)).expect("the last row always applies");
    (rule, Decision { verdict: rule.verdict, write: (rule.write)(case) })
}

const fn rule(name: &'static str, applies: fn(&Case) -> bool, verdict: Verdict, write: fn(&Case) -> Write) -> Rule {
    Rule { name, applies, verdict, write }
}

/// A clock behind the rotation counts as the rotation.
fn now(c: &Case) -> Timestamp {
    c.now.max(c.row.rotated_at)
}

fn has_come(c: &Case, end: Option<Timestamp>) -> bool {
    end.is_some_and(|end| end <= now(c))
}

fn tag(c: &Case) -> AuthorityTag {
    c.facts.authority_tag
}

fn bound(c: &Case) -> bool {
    c.row.binding != Binding::None
}

fn proves_key(c: &Case) -> bool {
    c.row.binding == c.facts.proven_key
}

/// How many generations the presented one lies behind the row's.
fn behind(c: &Case) -> i64 {
    i64::from(c.row.generation.0) - i64::from(c.facts.generation.0)
}

fn superseded(c: &Case) -> bool {
    behind(c) == 1
}

fn same_string(c: &Case) -> bool {
    (c.facts.kid, c.facts.epoch) == (c.row.kid, c.row.epoch)
}

/// The store recovers.
fn recovering(c: &Case) -> bool {
    c.facts.recovery.is_some_and(|recovery| now(c) < recovery.until)
}

/// The token is of the epoch that the store recovers.
fn former(c: &Case) -> bool {
    recovering(c) && c.facts.recovery.is_some_and(|recovery| recovery.former == c.facts.epoch)
}

/// The token is of an earlier epoch than the store's, which recovers.
fn lost(c: &Case) -> bool {
    recovering(c) && c.facts.epoch < c.epoch
}

/// The token is taken although a restore ended its epoch.
fn taken(c: &Case) -> bool {
    let is_to_be_taken = match (behind(c), uses_challenges(c)) {
        (..0, false) => true,
        (..0, true) => c.facts.recovery.is_some_and(|recovery| recovery.public == RecoverPublic::AcceptAhead),
        (0, false) => same_string(c) && c.row.epoch < c.epoch,
        (0, true) | (1.., _) => false,
    };
    is_to_be_taken && former(c) && c.facts.epoch < c.epoch && c.facts.generation.0 < u32::MAX
}

/// A retry of the refresh that made the row of the backup, which a restore does not turn into a stranger's.
fn repeated(c: &Case) -> bool {
    let is_of_backup = c.facts.recovery.is_some_and(|recovery| recovery.former == c.row.epoch);
    recovering(c) && is_of_backup && superseded(c) && !uses_challenges(c)
}

fn consumes(c: &Case) -> bool {
    c.policy.rotation == RotationMode::Consume
}

fn authenticated(c: &Case) -> bool {
    c.facts.client_kind == ClientKind::Confidential
}

/// Only a public client without a key needs a challenge.
fn uses_challenges(c: &Case) -> bool {
    !authenticated(c) && !bound(c)
}

fn proven(c: &Case) -> bool {
    !uses_challenges(c) || c.row.retry_challenge.is_some()
}

/// How many milliseconds after its rotation a superseded token may be presented again by this sender.
fn window(c: &Case) -> i64 {
    let longest_seconds = match (uses_challenges(c), c.row.retry_challenge, c.row.has_used_challenge) {
        (false, _, _) => 86_400,
        (true, Some(challenge), _) if c.facts.retry_verifier == Some(challenge) => 3_600,
        (true, None, false) if c.facts.retry_challenge.is_none() => 60,
        (true, _, _) => 0,
    };
    1_000 * c.policy.retry_window_seconds.map_or(longest_seconds, |setting| longest_seconds.min(setting.into()))
}

/// The first try of the rotation itself, which carries its challenge and no verifier, as long as it may be under way.
fn overtaken(c: &Case) -> bool {
    let is_first_try = c.facts.retry_verifier.is_none() && c.facts.retry_challenge == c.row.retry_challenge;
    let seconds = c.policy.retry_window_seconds.unwrap_or(20).min(20);
    let is_under_way = now(c) < c.row.rotated_at.plus_seconds(seconds.into());
    superseded(c) && uses_challenges(c) && c.row.retry_challenge.is_some() && is_first_try && is_under_way
}

fn in_window(c: &Case) -> bool {
    now(c) < c.row.rotated_at.plus_milliseconds(window(c))
}

/// Whether a retry in `consume` mode still has the access token of slot 0 to get.
fn slot_0(c: &Case) -> bool {
    in_window(c) && !has_come(c, c.row.access_lifetime.end(c.row.rotated_at))
}

fn gone(party: Option<Party>) -> bool {
    !party.is_some_and(|party| party.enabled)
}

fn cut_off(party: Option<Party>, cutoff_at_birth: u32) -> bool {
    party.is_some_and(|party| party.cutoff != cutoff_at_birth)
}

fn logged_in(c: &Case) -> bool {
    c.session_ends_at.is_some_and(|end| now(c) < end)
}

fn more_scope(c: &Case) -> bool {
    let granted: Vec<_> = c.row.scope.tokens().collect();
    c.facts.scope.iter().flat_map(|asked| asked.tokens()).any(|token| !granted.contains(&token))
}

fn more_resources(c: &Case) -> bool {
    let granted: Vec<_> = c.row.resources.iter().collect();
    c.facts.resources.iter().any(|asked| !granted.contains(&asked))
}

fn nothing(_: &Case) -> Write {
    Write::Nothing
}

/// Reuse ends the family at its root, or is only reported.
fn as_policy_says(c: &Case) -> Write {
    let by_default = if !authenticated(c) && bound(c) { OnReuse::Alert } else { OnReuse::Revoke };
    match c.policy.on_reuse.unwrap_or(by_default) {
        OnReuse::Revoke if recovering(c) => Write::Nothing,
        OnReuse::Alert => Write::Nothing,
        OnReuse::Revoke => {
            let family = c.root.as_ref().unwrap_or(&c.row);
            Write::Update(Grant { version: family.version + 1, revoked_at: Some(now(c)), ..family.clone() })
        }
    }
}

fn successor(c: &Case) -> Write {
    let challenge = c.facts.retry_challenge.filter(|_| uses_challenges(c));
    Write::Update(Grant {
        generation: Generation(c.row.generation.0 + 1),
        kid: c.row.kid.max(c.facts.newest_kid),
        epoch: c.epoch,
        retry_challenge: challenge,
        has_used_challenge: c.row.has_used_challenge || challenge.is_some(),
        ..touched(c)
    })
}

/// The successor of what was presented, whatever the row had come to.
fn recovered(c: &Case) -> Write {
    let row = Grant { generation: c.facts.generation, ..c.row.clone() };
    successor(&Case { row, ..c.clone() })
}

/// The string is pinned, and with it the master key that it names; only an imported one names none.
fn used_again(c: &Case) -> Write {
    let names_no_key = c.row.generation.0 == 0 && c.row.code.is_none();
    let newest = c.row.kid.max(c.facts.newest_kid);
    Write::Update(Grant { kid: if names_no_key { newest } else { c.row.kid }, ..touched(c) })
}

/// What every use of a token moves: the version, the moment, and what is counted from it. A code that has passed goes.
fn touched(c: &Case) -> Grant {
    Grant {
        code: c.row.code.clone().filter(|code| !has_come(c, Some(code.expires_at))),
        version: c.row.version + 1,
        rotated_at: now(c),
        scope: kept_scope(c),
        access_lifetime: c.policy.access_lifetime,
        idle_expires_at: c.policy.idle_lifetime.end(now(c)),
        ..c.row.clone()
    }
}

/// What was asked for, where that sticks; else what was granted.
fn kept_scope(c: &Case) -> Scope {
    let sticks = c.policy.scope_narrowing == ScopeNarrowing::Grant;
    c.facts.scope.clone().filter(|_| sticks).unwrap_or_else(|| c.row.scope.clone())
}

/// A grant of its own in the same family, with the authorization and the end of the presented one, and an idle time of its own.
fn sibling(c: &Case) -> Write {
    let (id, secret) = c.facts.sibling.clone();
    Write::Insert(Grant {
        id,
        secret,
        version: 1,
        root: Some(c.row.root.unwrap_or(c.row.id)),
        generation: Generation(1),
        kid: c.row.kid.max(c.facts.newest_kid),
        epoch: c.epoch,
        created_at: now(c),
        retry_challenge: None,
        has_used_challenge: false,
        code: None,
        ..touched(c)
    })
}
