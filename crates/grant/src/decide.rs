use regrant_protocol::{RetryChallenge, Scope, Timestamp};

use crate::standing::{Refused, Standing, permit, recognise, standing};
use crate::{
    Binding, ClientKind, Decision, Generation, Grant, OVERTAKEN_TRY_SECONDS_MAX, OnReuse, Policy,
    RETRY_WINDOW_BEARER_SECONDS, RETRY_WINDOW_CHALLENGE_SECONDS, RETRY_WINDOW_PROVEN_SECONDS, RefreshFacts,
    RotationMode, ScopeNarrowing, Surroundings, Verdict, Write,
};

/// Decides a refresh: the one rule that every store, the simulator and the model checker call.
///
/// The order of the checks is the security argument: a stranger learns nothing and changes nothing, reuse ends the grant
/// whatever else the request asks for, and nothing is written before everything is known. Time decides expiry and windows,
/// never order; a clock behind the last rotation counts as that rotation. While a store recovers from a restore, a token of the
/// epoch before may move its row forward, by [`Recovery`](crate::Recovery), and nothing is ended for reuse.
#[must_use]
pub fn decide(
    row: &Grant,
    facts: &RefreshFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let now = now.max(row.rotated_at);
    let outcome = accept(row, facts, surroundings, now)
        .and_then(|()| place(row, facts, surroundings, policy, now))
        .and_then(|place| allow(row, facts, surroundings, now).map(|()| place));
    match outcome {
        Ok(Place::Current) => advance(row, facts, surroundings, policy, now),
        Ok(Place::Recovered) => recover(row, facts, surroundings, policy, now),
        Ok(Place::Retry) => Decision::unchanged(Verdict::Retried),
        Err(Verdict::ReuseDetected) => reuse(row, facts, surroundings, policy, now),
        Err(refusal) => Decision::unchanged(refusal),
    }
}

/// Where an accepted token stands.
enum Place {
    /// It is the current token.
    Current,
    /// It is the one before, presented again by the same sender.
    Retry,
    /// It is of the epoch before, and is taken because the store recovers.
    Recovered,
}

/// Is it a token of this grant, from the sender it is for, and is the grant alive?
fn accept(row: &Grant, facts: &RefreshFacts, surroundings: &Surroundings<'_>, now: Timestamp) -> Result<(), Verdict> {
    recognise(row, &facts.client, facts.authority_tag)?;
    // RFC 9449 §5, RFC 8705 §4: the binding of a public client's refresh token.
    if row.binding != Binding::None && row.binding != facts.proven_key {
        return Err(Verdict::WrongSender);
    }
    if row.is_revoked(surroundings.root) {
        return Err(Verdict::Revoked);
    }
    if has_passed(row.absolute_expires_at, now) || row.generation.next().is_none() {
        return Err(Verdict::ExpiredAbsolute);
    }
    // When a token from after the backup was made, nobody knows any more.
    let is_newer_than_row =
        facts.recovery.is_some_and(|recovery| recovery.goes_on(now) && recovery.is_ahead(row, facts));
    if has_passed(row.idle_expires_at, now) && !is_newer_than_row {
        return Err(Verdict::ExpiredIdle);
    }
    Ok(())
}

fn has_passed(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end <= now)
}

/// Which generation is presented, and does it count?
fn place(
    row: &Grant,
    facts: &RefreshFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Place, Verdict> {
    match standing(row, facts.generation, facts.kid, facts.epoch, surroundings) {
        Ok(Standing::Current) => Ok(Place::Current),
        Ok(Standing::Superseded) if facts.generation.is_right_before(row.generation) => retry(row, facts, policy, now),
        Ok(Standing::Superseded) => Err(Verdict::ReuseDetected),
        Err(Refused::DeadEpoch) => match facts.recovery {
            Some(recovery) if recovery.takes(row, facts, now) => Ok(Place::Recovered),
            Some(recovery) if recovery.lets_retry(row, facts, now) => retry(row, facts, policy, now),
            Some(_) | None => Err(Verdict::DeadEpoch),
        },
        Err(refused) => Err(refused.into()),
    }
}

/// How the sender of a superseded token is known.
enum Proof {
    /// It is the sender of the rotation: client authentication, key, or retry verifier; its window in seconds.
    Same(u32),
    /// Nothing can be known; the window in seconds in which it is believed.
    Unknown(u32),
    /// It may be the first try, overtaken by the second, which made the rotation: it carries the same challenge, and as a
    /// first try no verifier.
    Overtaken,
    /// It is not, or it should have proved itself and did not.
    Broken,
}

fn proof(row: &Grant, facts: &RefreshFacts) -> Proof {
    match (facts.client_kind, row.binding) {
        (ClientKind::Confidential, _) => Proof::Same(RETRY_WINDOW_PROVEN_SECONDS),
        // The key was compared before the generation was looked at.
        (ClientKind::Public, Binding::DpopKey(_) | Binding::Certificate(_)) => Proof::Same(RETRY_WINDOW_PROVEN_SECONDS),
        (ClientKind::Public, Binding::None) => match (row.retry_challenge, facts.retry_verifier) {
            (Some(challenge), Some(verifier)) if challenge == verifier => Proof::Same(RETRY_WINDOW_CHALLENGE_SECONDS),
            (Some(_), None) if facts.retry_challenge == row.retry_challenge => Proof::Overtaken,
            (Some(_), _) => Proof::Broken,
            // A downgrade: the sender of this grant could prove itself before.
            (None, _) if row.has_used_challenge => Proof::Broken,
            // Whoever sends a challenge with every try did not make a rotation that has none.
            (None, _) if facts.retry_challenge.is_some() => Proof::Broken,
            (None, _) => Proof::Unknown(RETRY_WINDOW_BEARER_SECONDS),
        },
    }
}

/// The retry rule for the token right before the current one. That it is right before says that the successor is unused.
fn retry(row: &Grant, facts: &RefreshFacts, policy: &Policy, now: Timestamp) -> Result<Place, Verdict> {
    let is_within = |longest: u32| {
        let seconds = policy.retry_window_seconds.map_or(longest, |seconds| seconds.min(longest));
        let is_open = now.milliseconds_since(row.rotated_at) < i64::from(seconds) * 1000;
        (seconds, is_open)
    };
    let proof = proof(row, facts);
    // Whoever read the first try in a log can send it too, so it gets nothing; an honest client, whose retry overtook it,
    // sends that again and is answered. A request is not longer under way than this.
    if matches!(proof, Proof::Overtaken) && is_within(OVERTAKEN_TRY_SECONDS_MAX).1 {
        return Err(Verdict::Unavailable);
    }
    if policy.rotation == RotationMode::Consume {
        // No successor was issued, so nobody can have stolen one: a late or unproven use is refused, never punished.
        let access_token_lives = !has_passed(row.access_lifetime.end(row.rotated_at), now);
        return match proof {
            Proof::Same(longest) | Proof::Unknown(longest) if is_within(longest).1 && access_token_lives => {
                Ok(Place::Retry)
            }
            Proof::Same(_) | Proof::Unknown(_) | Proof::Overtaken | Proof::Broken => Err(Verdict::RetryTooLate),
        };
    }
    match proof {
        Proof::Same(longest) => match is_within(longest) {
            (0, _) => Err(Verdict::ReuseDetected),
            (_, true) => Ok(Place::Retry),
            (_, false) => Err(Verdict::RetryTooLate),
        },
        Proof::Unknown(longest) if is_within(longest).1 => Ok(Place::Retry),
        Proof::Unknown(_) | Proof::Overtaken | Proof::Broken => Err(Verdict::ReuseDetected),
    }
}

/// May this client and user still have tokens, and as many as they ask for?
fn allow(row: &Grant, facts: &RefreshFacts, surroundings: &Surroundings<'_>, now: Timestamp) -> Result<(), Verdict> {
    permit(row, surroundings, now)?;
    if facts.scope.as_ref().is_some_and(|scope| !scope.is_within(&row.scope)) {
        return Err(Verdict::ScopeExceeded);
    }
    if !facts.resources.is_within(&row.resources) {
        return Err(Verdict::TargetRefused);
    }
    Ok(())
}

/// The write of a refresh with the current token, by the client's rotation mode.
fn advance(
    row: &Grant,
    facts: &RefreshFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let used = Grant { scope: scope_to_keep(row, facts, policy), ..row.used(policy, now) };
    let advanced = |used: Grant| {
        let retry_challenge = challenge_to_keep(row, facts);
        Grant {
            generation: row.generation.next().expect("a grant of the last generation was refused as expired"),
            kid: facts.newest_kid.max(row.kid),
            epoch: surroundings.epoch,
            retry_challenge,
            has_used_challenge: row.has_used_challenge || retry_challenge.is_some(),
            ..used
        }
    };
    let (verdict, write) = match policy.rotation {
        RotationMode::Rotate => (Verdict::Rotated, Write::Update(advanced(used))),
        RotationMode::Consume => (Verdict::Consumed, Write::Update(advanced(used))),
        RotationMode::Reuse => (Verdict::Reissued, Write::Update(reused(row, facts, used))),
        RotationMode::Fork => (Verdict::Forked, Write::Insert(sibling(row, facts, advanced(used)))),
    };
    Decision { verdict, write }
}

/// The write of a refresh with a token of the epoch before: the row goes where the token is, and on by one, so that its successor
/// is of this epoch. Where tokens are used again and again, they are replaced this once.
fn recover(
    row: &Grant,
    facts: &RefreshFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let moved = Grant { generation: facts.generation, ..row.clone() };
    let rotation = match policy.rotation {
        RotationMode::Consume => RotationMode::Consume,
        RotationMode::Rotate | RotationMode::Reuse | RotationMode::Fork => RotationMode::Rotate,
    };
    advance(&moved, facts, surroundings, &Policy { rotation, ..*policy }, now)
}

/// RFC 6749 §6: what a refresh leaves out of the scope comes back with the next, unless the client's setting says otherwise.
fn scope_to_keep(row: &Grant, facts: &RefreshFacts, policy: &Policy) -> Scope {
    let narrowed = match policy.scope_narrowing {
        ScopeNarrowing::AccessToken => None,
        ScopeNarrowing::Grant => facts.scope.as_ref(),
    };
    narrowed.unwrap_or(&row.scope).clone()
}

/// A pinned token of ours names its master key, which stays. An imported one names none, and outlives the one before.
fn reused(row: &Grant, facts: &RefreshFacts, used: Grant) -> Grant {
    if row.has_imported_token() { Grant { kid: facts.newest_kid.max(row.kid), ..used } } else { used }
}

/// A grant of the same family with a name, a secret and an idle expiry of its own. The absolute end is the family's: it is
/// anchored at the authorization, and a sibling that outlived its root could not be revoked with it.
fn sibling(row: &Grant, facts: &RefreshFacts, advanced: Grant) -> Grant {
    let (id, secret) = facts.sibling.clone();
    Grant {
        id,
        secret,
        version: 1,
        root: Some(row.root.unwrap_or(row.id)),
        generation: Generation::FIRST,
        created_at: advanced.rotated_at,
        retry_challenge: None,
        has_used_challenge: false,
        // A code names the grant that it was made for, and that one keeps it.
        code: None,
        ..advanced
    }
}

/// A challenge is kept only where it is what proves the sender.
fn challenge_to_keep(row: &Grant, facts: &RefreshFacts) -> Option<RetryChallenge> {
    match (facts.client_kind, row.binding) {
        (ClientKind::Public, Binding::None) => facts.retry_challenge,
        (ClientKind::Confidential, _) | (ClientKind::Public, Binding::DpopKey(_) | Binding::Certificate(_)) => None,
    }
}

/// RFC 9700 §4.14.2: thief and owner cannot be told apart, so both lose the grant, unless the token is useless to a thief.
fn reuse(
    row: &Grant,
    facts: &RefreshFacts,
    surroundings: &Surroundings<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    if facts.recovery.is_some_and(|recovery| recovery.goes_on(now)) {
        // Who of two was first before the restore, nobody knows any more. A token from before it is merely dead.
        let is_from_before = facts.epoch < surroundings.epoch;
        return Decision::unchanged(if is_from_before { Verdict::DeadEpoch } else { Verdict::ReuseDetected });
    }
    let by_proof = match (facts.client_kind, row.binding) {
        (ClientKind::Public, Binding::DpopKey(_) | Binding::Certificate(_)) => OnReuse::Alert,
        (ClientKind::Confidential, _) | (ClientKind::Public, Binding::None) => OnReuse::Revoke,
    };
    let write = match policy.on_reuse.unwrap_or(by_proof) {
        OnReuse::Revoke => row.end(surroundings.root, now),
        OnReuse::Alert => Write::Nothing,
    };
    Decision { verdict: Verdict::ReuseDetected, write }
}
