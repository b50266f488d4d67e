use proptest::prelude::*;
use proptest::sample::select;
use regrant_grant::{
    AuthorityTag, Binding, ClientKind, Generation, OldAccessTokens, OnReuse, Party, Policy, RotationMode,
    ScopeNarrowing,
};
use regrant_protocol::{EpochNumber, Kid, Lifetime};

use crate::case::{CERTIFICATE, CHALLENGE, Case, DPOP_KEY, OTHER_CHALLENGE, ROTATED_AT, client, resources, scope};

/// Mostly tokens near the current one, from mostly the right sender, at mostly harmless moments.
pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    policy(surroundings(life(sender(token(Just(Case::honest()))))))
}

fn token(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let generation = prop_oneof![9 => 1..20_u32, 1 => select(vec![0, u32::MAX - 1, u32::MAX])];
    let steps = select(vec![0, 0, 0, 0, -1, -1, -1, -2, -9, 1]);
    let kid = select(vec![20, 20, 20, 19]);
    let epochs = select(vec![(3, 3, 3), (3, 3, 3), (3, 3, 3), (2, 2, 3), (2, 3, 3), (3, 3, 2), (4, 3, 3)]);
    let tag = prop_oneof![
        8 => Just(AuthorityTag::Valid),
        1 => Just(AuthorityTag::Invalid),
        1 => Just(AuthorityTag::Unverifiable),
    ];
    let is_imported = prop::bool::weighted(0.1);
    (case, generation, steps, kid, 18..25_u8, epochs, tag, is_imported).prop_map(
        |(mut case, generation, steps, kid, newest_kid, (presented, row, store), tag, is_imported)| {
            case.row.generation = Generation(generation);
            case.present(steps);
            (case.facts.kid, case.facts.newest_kid) = (Kid(kid), Kid(newest_kid));
            case.facts.epoch = EpochNumber(presented);
            case.row.epoch = EpochNumber(row);
            case.epoch = EpochNumber(store);
            case.facts.authority_tag = tag;
            if is_imported {
                case.facts.present_imported_token(&case.row);
            }
            case
        },
    )
}

fn sender(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let id = prop_oneof![9 => Just("app"), 1 => Just("other")];
    let kind = select(vec![ClientKind::Public, ClientKind::Confidential]);
    let key = || select(vec![Binding::None, Binding::None, DPOP_KEY, CERTIFICATE]);
    let challenge = || select(vec![None, Some(CHALLENGE), Some(OTHER_CHALLENGE)]);
    (case, id, kind, key(), key(), any::<bool>(), challenge(), any::<bool>(), challenge(), challenge()).prop_map(
        |(mut case, id, kind, binding, other_key, proves, kept, used, verifier, next)| {
            case.facts.client = client(id);
            case.facts.client_kind = kind;
            case.row.binding = binding;
            case.facts.proven_key = if proves { binding } else { other_key };
            case.row.retry_challenge = kept;
            case.row.has_used_challenge = used || kept.is_some();
            case.facts.retry_verifier = verifier;
            case.facts.retry_challenge = next;
            case
        },
    )
}

fn life(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let milliseconds = prop_oneof![
        2 => -5_000..130_000_i64,
        1 => 0..100_000_000_i64,
        1 => select(vec![0, 29_999, 30_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000]),
    ];
    let end = || select(vec![None, None, Some(60), Some(3_600), Some(5_000_000)]);
    let is_revoked = prop::bool::weighted(0.1);
    let code = select(vec![None, None, Some(-1), Some(59)]);
    (case, milliseconds, end(), end(), is_revoked, select(vec![0, 1, 600]), code).prop_map(
        |(mut case, milliseconds, idle, absolute, is_revoked, access_seconds, code)| {
            if let Some(ends_after_seconds) = code {
                case.begin_with_code(ROTATED_AT.plus_seconds(ends_after_seconds));
            }
            case.now = ROTATED_AT.plus_milliseconds(milliseconds);
            case.row.idle_expires_at = idle.map(|seconds| ROTATED_AT.plus_seconds(seconds));
            case.row.absolute_expires_at = absolute.map(|seconds| ROTATED_AT.plus_seconds(seconds));
            case.row.revoked_at = is_revoked.then_some(ROTATED_AT);
            case.row.access_lifetime = Lifetime::from_seconds(access_seconds);
            case
        },
    )
}

fn surroundings(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let party = |cutoff| {
        let party = move |enabled, cutoff| Some(Party { enabled, cutoff, version: 1 });
        prop_oneof![
            9 => Just(party(true, cutoff)),
            1 => select(vec![None, party(false, cutoff), party(true, cutoff + 1)]),
        ]
    };
    let root = select(vec![None, None, Some(None), Some(None), Some(Some(ROTATED_AT))]);
    let session = select(vec![None, None, None, Some(None), Some(Some(0)), Some(Some(60)), Some(Some(100_000))]);
    let asked_scope = select(vec![None, None, Some("read"), Some("write read"), Some("admin")]);
    let asked_resource = select(vec![None, None, Some("https://r1"), Some("https://r3")]);
    (case, party(4), party(9), root, session, asked_scope, asked_resource).prop_map(
        |(mut case, client, user, root, session, asked_scope, asked_resource)| {
            (case.client, case.user) = (client, user);
            if let Some(ends_after_seconds) = session {
                case.log_in_until(ends_after_seconds.map(|seconds| ROTATED_AT.plus_seconds(seconds)));
            }
            if let Some(revoked_at) = root {
                case.fork_from_root(revoked_at);
            }
            case.facts.scope = asked_scope.map(scope);
            case.facts.resources = resources(asked_resource.as_slice());
            case
        },
    )
}

fn policy(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let rotation = prop_oneof![
        2 => Just(RotationMode::Rotate),
        1 => Just(RotationMode::Reuse),
        1 => Just(RotationMode::Consume),
        1 => Just(RotationMode::Fork),
    ];
    let window = select(vec![None, None, Some(0), Some(30), Some(u32::MAX)]);
    let on_reuse = select(vec![None, Some(OnReuse::Revoke), Some(OnReuse::Alert)]);
    let scope_narrowing = select(vec![ScopeNarrowing::AccessToken, ScopeNarrowing::Grant]);
    let lifetime = || select(vec![0, 300, 100_000]).prop_map(Lifetime::from_seconds);
    (case, rotation, window, on_reuse, scope_narrowing, lifetime(), lifetime(), lifetime()).prop_map(
        |(
            case,
            rotation,
            retry_window_seconds,
            on_reuse,
            scope_narrowing,
            access_lifetime,
            idle_lifetime,
            absolute_lifetime,
        )| Case {
            policy: Policy {
                rotation,
                retry_window_seconds,
                on_reuse,
                scope_narrowing,
                old_access_tokens: OldAccessTokens::Keep,
                code_retry_seconds: 0,
                access_lifetime,
                idle_lifetime,
                absolute_lifetime,
            },
            ..case
        },
    )
}
