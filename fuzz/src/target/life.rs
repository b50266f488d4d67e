use std::collections::BTreeMap;

use regrant_grant::{Binding, ClientKind, Decision, Generation, OnReuse, RotationMode, Verdict, Write};
use regrant_protocol::{EpochNumber, Kid};

use crate::bytes::Bytes;
use crate::case::{CHALLENGES, Case};

/// The most requests of one life.
const REQUESTS_MAX: usize = 64;

/// A grant from login on, its tokens presented by anybody in any order.
pub(crate) fn run(data: &[u8]) {
    check(data, Case::decide);
}

/// Holds a rule to its promises over the life of a grant.
pub(crate) fn check(data: &[u8], rule: impl Fn(&Case) -> Decision) {
    let mut bytes = Bytes::new(data);
    let mut case = Case::honest(&mut bytes);
    case.policy.rotation = bytes.choice(&[RotationMode::Rotate, RotationMode::Consume]);
    if bytes.is_set() {
        case.row.binding = Binding::DpopKey([0xD1; 32]);
    }
    let mut history = History::of(&case);
    for _ in 0..REQUESTS_MAX {
        if bytes.is_empty() {
            break;
        }
        match bytes.byte() % 8 {
            0..=4 => {
                present(&mut case, &history, &mut bytes);
                let decision = rule(&case);
                history.take(&mut case, decision);
            }
            5 => case.now = case.now.plus_seconds(bytes.choice(&[-1, 1, 30, 60, 86_400, -86_400])),
            6 => case.facts.newest_kid = Kid(case.facts.newest_kid.0.saturating_add(1)),
            _ => case.policy.retry_window_seconds = bytes.choice(&[None, Some(0), Some(30)]),
        }
    }
}

/// Somebody presents a token that was issued, with what proof they have.
fn present(case: &mut Case, history: &History, bytes: &mut Bytes<'_>) {
    let generation = case.row.generation.0.saturating_sub(u32::from(bytes.byte() % 4));
    if let Some((kid, epoch)) = history.issued.get(&generation) {
        (case.facts.generation, case.facts.kid, case.facts.epoch) = (Generation(generation), *kid, *epoch);
    }
    case.facts.client_kind = bytes.choice(&[ClientKind::Public, ClientKind::Confidential]);
    case.facts.proven_key = bytes.choice(&[case.row.binding, Binding::None, Binding::DpopKey([0xD2; 32])]);
    case.facts.retry_challenge = bytes.choice(&CHALLENGES);
    case.facts.retry_verifier = bytes.choice(&CHALLENGES);
}

/// What was issued and answered, as somebody saw it who knows nothing of rows.
struct History {
    /// The kid and epoch under which each generation was issued.
    issued: BTreeMap<u32, (Kid, EpochNumber)>,
    /// The generation that was used last.
    used: Option<u32>,
    has_ended: bool,
}

impl History {
    fn of(case: &Case) -> Self {
        let issued = BTreeMap::from([(case.row.generation.0, (case.row.kid, case.row.epoch))]);
        Self { issued, used: None, has_ended: false }
    }

    /// Writes what was decided, and holds it against all that was answered before.
    fn take(&mut self, case: &mut Case, Decision { verdict, write }: Decision) {
        let presented = case.facts.generation.0;
        if verdict.is_success() {
            assert!(!self.has_ended, "I4: {verdict} after the end");
            if verdict == Verdict::Retried {
                assert_eq!(Some(presented), self.used, "a retry repeats the last refresh, and no earlier one");
            } else {
                assert!(self.used.is_none_or(|used| used < presented), "I3: a used token was used again");
                self.used = Some(presented);
            }
        }
        match write {
            Write::Update(row) => {
                assert!(row.generation >= case.row.generation, "I3: a generation decreased");
                let earlier = self.issued.insert(row.generation.0, (row.kid, row.epoch));
                let is_reuse = verdict == Verdict::ReuseDetected;
                assert!(earlier.is_none() || is_reuse, "I2: generation {presented} was issued twice");
                self.has_ended |= row.revoked_at.is_some();
                case.row = row;
            }
            Write::Nothing => {}
            Write::Insert(_) | Write::ListAccessToken { .. } => panic!("a refresh by rotation makes no row"),
        }
        if verdict == Verdict::ReuseDetected && case.policy.on_reuse == Some(OnReuse::Revoke) {
            assert!(case.row.revoked_at.is_some(), "I5: reuse ends the grant in the step that found it");
        }
    }
}
