use std::collections::BTreeMap;
use std::thread;

use regrant_grant::{
    AuthorityTag, Binding, ClientKind, Generation, GrantId, OnReuse, Party, RecoverPublic, RotationMode,
    ScopeNarrowing, Verdict, Write,
};
use regrant_protocol::{EpochNumber, Kid, Lifetime, Resources, RetryChallenge, Timestamp};

use crate::case::{
    CERTIFICATE, CHALLENGE, Case, DAY_SECONDS, DPOP_KEY, OTHER_CHALLENGE, OTHER_DPOP_KEY, ROTATED_AT, client,
    resources, scope,
};
use crate::rule_table::{RULES, expected};

const MODES: [RotationMode; 4] = [RotationMode::Rotate, RotationMode::Reuse, RotationMode::Consume, RotationMode::Fork];
const KINDS: [ClientKind; 2] = [ClientKind::Public, ClientKind::Confidential];
const TAGS: [AuthorityTag; 4] =
    [AuthorityTag::Valid, AuthorityTag::Invalid, AuthorityTag::Unverifiable, AuthorityTag::Forgotten];

/// The verdicts that are given before there is a row to decide about, or instead of deciding.
const NOT_OF_THE_RULE: [Verdict; 2] = [Verdict::Malformed, Verdict::UnknownGrant];

#[test]
fn the_rule_and_its_table_agree_in_every_case() {
    let products =
        [senders, retries, epochs, recoveries, imports, permissions, lifetimes, every_reason_with_every_other];
    let seen = thread::scope(|scope| {
        let running = products.map(|dimensions| scope.spawn(move || compare(&dimensions())));
        running.map(|product| product.join().expect("the product agrees")).into_iter().flatten()
    });

    let mut cases_of_row: BTreeMap<&str, usize> = RULES.iter().map(|rule| (rule.name, 0)).collect();
    let mut cases_of_verdict: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut writes_of_reuse: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (Seen { row, verdict, write }, cases) in seen {
        *cases_of_row.entry(row).or_default() += cases;
        *cases_of_verdict.entry(verdict).or_default() += cases;
        if verdict == Verdict::ReuseDetected {
            *writes_of_reuse.entry((row, write)).or_default() += cases;
        }
    }

    assert!(cases_of_row.values().sum::<usize>() > 2_000_000, "the products are not small: {cases_of_row:#?}");
    assert!(cases_of_row.values().all(|&cases| cases > 0), "a row that no case meets: {cases_of_row:#?}");
    for verdict in Verdict::ALL {
        assert_ne!(cases_of_verdict.contains_key(&verdict), NOT_OF_THE_RULE.contains(&verdict), "{verdict}");
    }
    assert_eq!(writes_of_reuse.len(), 6, "each of three kinds of reuse is revoked and reported: {writes_of_reuse:#?}");
}

/// What a case came to.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    row: &'static str,
    verdict: Verdict,
    write: &'static str,
}

/// One way to change a case.
type Setting = Box<dyn Fn(&mut Case)>;
/// The ways to change a case in one respect.
type Dimension = Vec<Setting>;

fn dimension<T: Clone + 'static>(values: impl IntoIterator<Item = T>, set: fn(&mut Case, T)) -> Dimension {
    values.into_iter().map(|value| Box::new(move |case: &mut Case| set(case, value.clone())) as Setting).collect()
}

fn settings<const N: usize>(settings: [fn(&mut Case); N]) -> Dimension {
    settings.into_iter().map(|set| Box::new(set) as Setting).collect()
}

/// Compares rule and table in every combination of the dimensions, which are set in their order.
fn compare(dimensions: &[Dimension]) -> BTreeMap<Seen, usize> {
    let mut seen = BTreeMap::new();
    combine(&Case::honest(), dimensions, &mut |case| {
        let (row, wanted) = expected(case);
        let decision = case.decide();
        assert!(decision == wanted, "row {:?} wants {wanted:#?}\n{decision:#?}\n{case:#?}", row.name);
        let write = match decision.write {
            Write::Nothing => "nothing",
            Write::Update(_) => "update",
            Write::Insert(_) => "insert",
            Write::ListAccessToken { .. } => "list",
        };
        *seen.entry(Seen { row: row.name, verdict: decision.verdict, write }).or_default() += 1;
    });
    seen
}

fn combine(case: &Case, dimensions: &[Dimension], check: &mut impl FnMut(&Case)) {
    let Some((dimension, rest)) = dimensions.split_first() else { return check(case) };
    for set in dimension {
        let mut case = case.clone();
        set(&mut case);
        combine(&case, rest, check);
    }
}

/// Whose token it is, who presents it, and what has ended meanwhile.
fn senders() -> Vec<Dimension> {
    let keys = [Binding::None, DPOP_KEY, OTHER_DPOP_KEY, CERTIFICATE];
    vec![
        dimension(["app", "other"], |c, id| c.facts.client = client(id)),
        dimension(KINDS, |c, kind| c.facts.client_kind = kind),
        dimension(TAGS, |c, tag| c.facts.authority_tag = tag),
        dimension(keys, |c, key| c.row.binding = key),
        dimension(keys, |c, key| c.facts.proven_key = key),
        dimension([None, Some(-5)], |c, days| c.row.revoked_at = days.map(after_days)),
        settings([|_| {}, |c| c.fork_from_root(None), |c| c.fork_from_root(Some(after_days(-5)))]),
        generations([-2, -1, 0, 1]),
        dimension([None, Some(30)], |c, days| c.row.idle_expires_at = days.map(after_days)),
        dimension([None, Some(30), Some(80)], |c, days| c.row.absolute_expires_at = days.map(after_days)),
        milliseconds_around([0, 30 * DAY_SECONDS, 80 * DAY_SECONDS]),
    ]
}

/// Superseded tokens: by whom, with which proof, when, and under which settings.
fn retries() -> Vec<Dimension> {
    let challenges = [None, Some(CHALLENGE)];
    let verifiers: [Option<RetryChallenge>; 3] = [None, Some(CHALLENGE), Some(OTHER_CHALLENGE)];
    vec![
        settings([
            |_| {},
            Case::authenticate,
            |c| c.bind(DPOP_KEY),
            |c| {
                c.bind(CERTIFICATE);
                c.authenticate();
            },
        ]),
        dimension(challenges, |c, challenge| c.row.retry_challenge = challenge),
        dimension([false, true], |c, used| c.row.has_used_challenge = used),
        dimension(verifiers, |c, verifier| c.facts.retry_verifier = verifier),
        dimension([None, Some(CHALLENGE), Some(OTHER_CHALLENGE)], |c, challenge| c.facts.retry_challenge = challenge),
        dimension(MODES, |c, mode| c.policy.rotation = mode),
        dimension([None, Some(0), Some(30), Some(7_200), Some(u32::MAX)], |c, seconds| {
            c.policy.retry_window_seconds = seconds;
        }),
        dimension([None, Some(OnReuse::Revoke), Some(OnReuse::Alert)], |c, on_reuse| c.policy.on_reuse = on_reuse),
        settings([|_| {}, |c| c.fork_from_root(None)]),
        generations([-2, -1, 0]),
        milliseconds_around([0, 20, 30, 60, 600, 3_600, 7_200, DAY_SECONDS]),
    ]
}

/// Strings of the same number: under other keys and in other lives of the store.
fn epochs() -> Vec<Dimension> {
    let around = [2, 3, 4].map(EpochNumber);
    vec![
        settings([|_| {}, Case::authenticate, |c| c.bind(DPOP_KEY), Case::challenge]),
        dimension(TAGS, |c, tag| c.facts.authority_tag = tag),
        dimension(around, |c, epoch| c.facts.epoch = epoch),
        dimension(around, |c, epoch| c.row.epoch = epoch),
        dimension([19, 20, 21].map(Kid), |c, kid| c.facts.kid = kid),
        dimension([19, 20, 21].map(Kid), |c, kid| c.facts.newest_kid = kid),
        dimension(MODES, |c, mode| c.policy.rotation = mode),
        dimension([None, Some(0)], |c, seconds| c.policy.retry_window_seconds = seconds),
        settings([|_| {}, |c| c.begin_with_code(ROTATED_AT.plus_seconds(90))]),
        settings([|_| {}, |c| c.fork_from_root(None)]),
        generations([-3, -2, -1, 0, 1, 2]),
        dimension([1, 90], |c, seconds| c.now = ROTATED_AT.plus_seconds(seconds)),
    ]
}

/// A store that was restored and recovers, or has recovered: what is presented, and from which epoch.
fn recoveries() -> Vec<Dimension> {
    let around = [2, 3, 4].map(EpochNumber);
    vec![
        settings([
            |_| {},
            Case::authenticate,
            |c| c.bind(DPOP_KEY),
            |c| {
                c.challenge();
                c.facts.retry_verifier = Some(CHALLENGE);
            },
        ]),
        settings([|c| c.recover(RecoverPublic::LogInAgain), |c| c.recover(RecoverPublic::AcceptAhead)]),
        dimension(around, |c, epoch| c.facts.epoch = epoch),
        dimension(around, |c, epoch| c.row.epoch = epoch),
        dimension([19, 20].map(Kid), |c, kid| c.facts.kid = kid),
        dimension([20, 21].map(Kid), |c, kid| c.facts.newest_kid = kid),
        dimension(MODES, |c, mode| c.policy.rotation = mode),
        dimension([None, Some(0)], |c, seconds| c.policy.retry_window_seconds = seconds),
        dimension([None, Some(OnReuse::Revoke)], |c, on_reuse| c.policy.on_reuse = on_reuse),
        dimension([None, Some(60)], |c, seconds| {
            c.row.idle_expires_at = seconds.map(|seconds| ROTATED_AT.plus_seconds(seconds));
        }),
        settings([|_| {}, |c| c.client = None, |c| c.row.revoked_at = Some(ROTATED_AT)]),
        dimension([5, u32::MAX - 2], |c, generation| c.row.generation = Generation(generation)),
        generations([-2, -1, 0, 1, 2]),
        dimension([1, 90, 3_599, 3_600], |c, seconds| c.now = ROTATED_AT.plus_seconds(seconds)),
    ]
}

/// Another system's string: under whatever key its row is, and at every distance from the current token.
fn imports() -> Vec<Dimension> {
    vec![
        settings([|_| {}, Case::authenticate, |c| c.bind(DPOP_KEY), Case::challenge]),
        dimension(["app", "other"], |c, id| c.facts.client = client(id)),
        dimension([19, 20, 21].map(Kid), |c, kid| c.row.kid = kid),
        dimension([19, 20, 21].map(Kid), |c, kid| c.facts.newest_kid = kid),
        dimension([2, 3, 4].map(EpochNumber), |c, epoch| c.row.epoch = epoch),
        dimension(MODES, |c, mode| c.policy.rotation = mode),
        dimension([None, Some(0), Some(30)], |c, seconds| c.policy.retry_window_seconds = seconds),
        dimension([None, Some(-5)], |c, days| c.row.revoked_at = days.map(after_days)),
        dimension([None, Some(1)], |c, days| c.row.idle_expires_at = days.map(after_days)),
        settings([|_| {}, |c| c.begin_with_code(ROTATED_AT.plus_seconds(90))]),
        dimension([0, 1, 2, 9, u32::MAX], Case::import),
        milliseconds_around([0, 20, 30, 60, DAY_SECONDS]),
    ]
}

/// What stands against a refresh that is in order itself.
fn permissions() -> Vec<Dimension> {
    let party = |enabled, cutoff| Some(Party { enabled, cutoff, version: 1 });
    let clients = [None, party(true, 4), party(true, 5), party(true, 3), party(false, 4), party(false, 5)];
    let users = [None, party(true, 9), party(true, 10), party(true, 8), party(false, 9), party(false, 10)];
    let scopes = [None, Some(""), Some("read"), Some("write read"), Some("admin"), Some("read write admin")];
    vec![
        dimension(KINDS, |c, kind| c.facts.client_kind = kind),
        dimension(MODES, |c, mode| c.policy.rotation = mode),
        dimension(clients, |c, client| c.client = client),
        dimension(users, |c, user| c.user = user),
        settings([
            |_| {},
            |c| c.session_ends_at = Some(ROTATED_AT),
            |c| c.log_in_until(None),
            |c| c.log_in_until(Some(c.now.plus_milliseconds(-1))),
            |c| c.log_in_until(Some(c.now)),
            |c| c.log_in_until(Some(c.now.plus_milliseconds(1))),
        ]),
        dimension(scopes, |c, text| c.facts.scope = text.map(scope)),
        dimension([ScopeNarrowing::AccessToken, ScopeNarrowing::Grant], |c, narrowing| {
            c.policy.scope_narrowing = narrowing;
        }),
        dimension([true, false], |c, by_name| {
            c.row.resources = if by_name { resources(&["https://r1", "https://r2"]) } else { Resources::none() };
        }),
        dimension([&[][..], &["https://r2"], &["https://r3"], &["https://r1", "https://r3"]], |c, asked| {
            c.facts.resources = resources(asked);
        }),
        settings([|_| {}, |c| c.fork_from_root(None)]),
        generations([-2, -1, 0, 1]),
    ]
}

/// Settings of lifetimes, ends and counters, and what is written under them.
fn lifetimes() -> Vec<Dimension> {
    vec![
        settings([|_| {}, Case::authenticate, |c| c.bind(DPOP_KEY), Case::challenge]),
        dimension(MODES, |c, mode| c.policy.rotation = mode),
        dimension([0, 1, 600], |c, seconds| c.row.access_lifetime = Lifetime::from_seconds(seconds)),
        dimension([0, 300], |c, seconds| c.policy.access_lifetime = Lifetime::from_seconds(seconds)),
        dimension([0, 40, u32::MAX], |c, seconds| c.policy.idle_lifetime = Lifetime::from_seconds(seconds)),
        dimension([0, 50], |c, seconds| c.policy.absolute_lifetime = Lifetime::from_seconds(seconds)),
        dimension([None, Some(1)], |c, days| c.row.absolute_expires_at = days.map(after_days)),
        dimension([None, Some(1)], |c, days| c.row.idle_expires_at = days.map(after_days)),
        settings([|_| {}, |c| c.fork_from_root(None), |c| c.row.root = Some(GrantId([0x41; 16]))]),
        dimension([0, 1, u32::MAX - 1, u32::MAX].map(Generation), |c, generation| c.row.generation = generation),
        generations([-1, 0, 1]),
        milliseconds_around([0, 1, 600]),
    ]
}

/// Each reason of refusal on and off, so that the order of the questions shows.
fn every_reason_with_every_other() -> Vec<Dimension> {
    vec![
        settings([|_| {}, |c| c.facts.client = client("other")]),
        dimension(TAGS, |c, tag| c.facts.authority_tag = tag),
        settings([|_| {}, |c| c.bind(DPOP_KEY), |c| c.row.binding = DPOP_KEY]),
        settings([|_| {}, |c| c.row.revoked_at = Some(after_days(-5)), |c| c.fork_from_root(Some(after_days(-5)))]),
        settings([|_| {}, |c| c.row.absolute_expires_at = Some(ROTATED_AT)]),
        settings([|_| {}, |c| c.row.idle_expires_at = Some(ROTATED_AT)]),
        generations([-2, -1, 0, 1]),
        settings([|_| {}, |c| c.facts.kid = Kid(19)]),
        settings([|_| {}, |c| c.policy.retry_window_seconds = Some(5)]),
        settings([|_| {}, |c| c.policy.rotation = RotationMode::Consume]),
        settings([|_| {}, |c| c.client = None]),
        settings([|_| {}, |c| c.user = None]),
        settings([|_| {}, |c| c.row.client_cutoff = 3]),
        settings([|_| {}, |c| c.log_in_until(Some(ROTATED_AT))]),
        settings([|_| {}, |c| c.facts.scope = Some(scope("admin"))]),
        settings([|_| {}, |c| c.facts.resources = resources(&["https://r3"])]),
    ]
}

/// The generation that is presented, in steps from the row's.
fn generations<const N: usize>(steps: [i32; N]) -> Dimension {
    dimension(steps, Case::present)
}

/// The moments 1 ms before, at and 1 ms after each number of seconds after the rotation.
fn milliseconds_around<const N: usize>(seconds: [i64; N]) -> Dimension {
    let around = seconds.into_iter().flat_map(|seconds| [-1, 0, 1].map(|step| 1_000 * seconds + step));
    dimension(around, |c, milliseconds| c.now = ROTATED_AT.plus_milliseconds(milliseconds))
}

fn after_days(days: i64) -> Timestamp {
    ROTATED_AT.plus_seconds(days * DAY_SECONDS)
}
