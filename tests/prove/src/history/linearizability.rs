//! Whether a history can be explained by calls that happened one after another, each between its sending and its answer.
//!
//! The model of a grant is a register: the current generation and its tokens, moved on by a refresh with the current
//! token, read by a retry, and ended for good. The search follows the history in time and keeps every state that the
//! answers so far allow, with the open calls that have happened in it (Wing and Gong's search, one answer at a time). A
//! call that is answered must have happened in a state; where no state is left, there is no explanation.

use std::collections::HashSet;

use super::{Call, History, Operation, Outcome, Successor};

/// The most states that are kept beside each other before a history is given up.
pub(crate) const CANDIDATES_MAX: usize = 10_000;

/// What was found out about a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It can be explained.
    Linearizable,
    /// It cannot: the answer to the operation of this index contradicts all that can have happened before.
    Contradiction(usize),
    /// More than [`CANDIDATES_MAX`] explanations had to be kept: nothing is known.
    GivenUp,
}

/// Judges a history.
pub(crate) fn judge(history: &History) -> Judgement {
    let mut open = Vec::new();
    let start = Grant { generation: history.generation, digest: None, has_ended: false };
    let mut candidates = HashSet::from([Candidate { grant: start, happened: Vec::new() }]);
    for (moment, index) in moments(&history.operations) {
        if moment == Moment::Invoked {
            open.push(index);
            continue;
        }
        let Some(explored) = explore(candidates, &open, &history.operations) else { return Judgement::GivenUp };
        let may_be_missing = history.operations[index].outcome == Outcome::Unknown;
        candidates = explored
            .into_iter()
            .filter_map(|mut candidate| {
                let place = candidate.happened.iter().position(|&happened| happened == index);
                match place {
                    Some(place) => drop(candidate.happened.swap_remove(place)),
                    None if may_be_missing => {}
                    None => return None,
                }
                candidate.happened.sort_unstable();
                Some(candidate)
            })
            .collect();
        if candidates.is_empty() {
            return Judgement::Contradiction(index);
        }
        open.retain(|&other| other != index);
    }
    Judgement::Linearizable
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Sorts first: what begins when another ends may have come before it.
    Invoked,
    Completed,
}

fn moments(operations: &[Operation]) -> impl Iterator<Item = (Moment, usize)> {
    let each = operations.iter().enumerate();
    let mut moments: Vec<_> = each
        .flat_map(|(index, operation)| {
            [(operation.invoked, Moment::Invoked, index), (operation.completed, Moment::Completed, index)]
        })
        .collect();
    moments.sort_unstable();
    moments.into_iter().map(|(_, moment, index)| (moment, index))
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Candidate {
    grant: Grant,
    /// The open operations that have happened, sorted.
    happened: Vec<usize>,
}

/// The register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Grant {
    generation: u32,
    /// The tokens of the current generation; `None` while nobody has seen them.
    digest: Option<u64>,
    has_ended: bool,
}

/// All candidates that open operations can lead to, themselves included; `None` when they are too many.
fn explore(from: HashSet<Candidate>, open: &[usize], operations: &[Operation]) -> Option<HashSet<Candidate>> {
    let mut seen = HashSet::new();
    let mut waiting: Vec<_> = from.into_iter().collect();
    while let Some(mut candidate) = waiting.pop() {
        candidate.settle(open, operations);
        if !seen.insert(candidate.clone()) {
            continue;
        }
        if seen.len() > CANDIDATES_MAX {
            return None;
        }
        for &index in open {
            let is_new = !candidate.happened.contains(&index) && !has_twin(index, &candidate, open, operations);
            if let Some(grant) = candidate.grant.after(&operations[index]).filter(|_| is_new) {
                let mut happened = candidate.happened.clone();
                happened.push(index);
                waiting.push(Candidate { grant, happened });
            }
        }
    }
    Some(seen)
}

/// Whether another open operation that asked the same and knows as little can stand in for `index`: the one that must
/// have happened soonest is tried, as it leaves more to the others.
fn has_twin(index: usize, candidate: &Candidate, open: &[usize], operations: &[Operation]) -> bool {
    let operation = &operations[index];
    operation.outcome == Outcome::Unknown
        && open.iter().any(|&other| {
            let twin = &operations[other];
            let is_same = twin.call == operation.call && twin.outcome == Outcome::Unknown;
            is_same && (twin.completed, other) < (operation.completed, index) && !candidate.happened.contains(&other)
        })
}

impl Candidate {
    /// Lets every open operation happen that fits and changes nothing: it could not happen at a better time.
    fn settle(&mut self, open: &[usize], operations: &[Operation]) {
        for &index in open {
            let operation = &operations[index];
            let is_known = operation.outcome != Outcome::Unknown;
            if is_known && !self.happened.contains(&index) && self.grant.after(operation) == Some(self.grant) {
                self.happened.push(index);
            }
        }
        self.happened.sort_unstable();
    }
}

impl Grant {
    /// The grant after an operation; `None` when its answer does not fit this grant.
    fn after(self, operation: &Operation) -> Option<Self> {
        match (operation.call, operation.outcome) {
            (Call::Refresh(presented), Outcome::Refreshed(successor)) => self.refreshed(presented, successor),
            (Call::Refresh(_), Outcome::Refused) if self.has_ended => Some(self),
            (Call::Refresh(presented), Outcome::Refused) => {
                self.is_reused(presented).then_some(Self { has_ended: true, ..self })
            }
            (Call::End, Outcome::Ended | Outcome::Unknown) => Some(Self { has_ended: true, ..self }),
            (Call::Refresh(_), Outcome::Unknown) if self.has_ended => None,
            (Call::Refresh(presented), Outcome::Unknown) => {
                let rotated = Self { generation: self.generation + 1, digest: None, ..self };
                let reused = Self { has_ended: true, ..self };
                if presented == self.generation { Some(rotated) } else { self.is_reused(presented).then_some(reused) }
            }
            (Call::Refresh(_), Outcome::Ended) | (Call::End, Outcome::Refreshed(_) | Outcome::Refused) => None,
        }
    }

    /// A rotation, or a retry that gets what the rotation made.
    fn refreshed(self, presented: u32, successor: Successor) -> Option<Self> {
        if self.has_ended || successor.generation != presented + 1 {
            return None;
        }
        let is_rotation = presented == self.generation;
        let is_retry =
            successor.generation == self.generation && self.digest.is_none_or(|digest| digest == successor.digest);
        (is_rotation || is_retry).then_some(Self {
            generation: successor.generation,
            digest: Some(successor.digest),
            has_ended: false,
        })
    }

    /// Whether a token is older than a retry may be.
    fn is_reused(self, presented: u32) -> bool {
        presented + 1 < self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static str, &'static [(u64, u64, Call, Outcome)], Judgement);

    const fn ok(generation: u32) -> Outcome {
        tokens(generation, 7)
    }

    const fn tokens(generation: u32, digest: u64) -> Outcome {
        Outcome::Refreshed(Successor { generation, digest })
    }

    fn judged(operations: &[(u64, u64, Call, Outcome)]) -> Judgement {
        let operations = operations
            .iter()
            .map(|&(invoked, completed, call, outcome)| Operation { invoked, completed, call, outcome })
            .collect();
        judge(&History { generation: 1, operations })
    }

    #[test]
    fn a_history_is_accepted_exactly_when_some_order_explains_it() {
        use Call::{End, Refresh};
        use Judgement::{Contradiction, Linearizable};
        use Outcome::{Ended, Refused, Unknown};
        const CASES: &[Case] = &[
            ("nothing", &[], Linearizable),
            ("rotations", &[(0, 1, Refresh(1), ok(2)), (2, 3, Refresh(2), ok(3))], Linearizable),
            ("a retry", &[(0, 1, Refresh(1), ok(2)), (2, 3, Refresh(1), ok(2))], Linearizable),
            (
                "a retry with other tokens",
                &[(0, 1, Refresh(1), ok(2)), (2, 3, Refresh(1), tokens(2, 8))],
                Contradiction(1),
            ),
            (
                "at once, with other tokens",
                &[(0, 9, Refresh(1), ok(2)), (1, 8, Refresh(1), tokens(2, 8))],
                Contradiction(0),
            ),
            ("two rotations by one token", &[(0, 1, Refresh(1), ok(2)), (2, 3, Refresh(1), ok(3))], Contradiction(1)),
            ("a lost rotation", &[(0, 1, Refresh(1), ok(2)), (2, 3, Refresh(2), Refused)], Contradiction(1)),
            (
                "reuse",
                &[
                    (0, 1, Refresh(1), ok(2)),
                    (2, 3, Refresh(2), ok(3)),
                    (4, 5, Refresh(1), Refused),
                    (6, 7, Refresh(3), Refused),
                ],
                Linearizable,
            ),
            (
                "reuse that was answered",
                &[(0, 1, Refresh(1), ok(2)), (2, 3, Refresh(2), ok(3)), (4, 5, Refresh(1), ok(2))],
                Contradiction(2),
            ),
            (
                "after reuse",
                &[
                    (0, 1, Refresh(1), ok(2)),
                    (2, 3, Refresh(2), ok(3)),
                    (4, 5, Refresh(1), Refused),
                    (6, 7, Refresh(3), ok(4)),
                ],
                Contradiction(3),
            ),
            ("after the end", &[(0, 1, End, Ended), (2, 3, Refresh(1), ok(2))], Contradiction(1)),
            (
                "during the end",
                &[(0, 3, End, Ended), (1, 2, Refresh(1), ok(2)), (1, 4, Refresh(1), Refused)],
                Linearizable,
            ),
            (
                "refused before the end was asked for",
                &[(0, 1, Refresh(1), Refused), (2, 3, End, Ended)],
                Contradiction(0),
            ),
            (
                "answered after a refusal",
                &[(0, 9, End, Ended), (1, 2, Refresh(1), Refused), (3, 4, Refresh(1), ok(2))],
                Contradiction(2),
            ),
            (
                "unanswered and done",
                &[(0, 1, Refresh(1), Unknown), (2, 3, Refresh(1), ok(2)), (4, 5, Refresh(2), ok(3))],
                Linearizable,
            ),
            ("unanswered and not done", &[(0, 1, Refresh(1), Unknown), (2, 3, Refresh(1), ok(2))], Linearizable),
            (
                "unanswered, and the successor was guessed",
                &[(0, 1, Refresh(1), Unknown), (2, 3, Refresh(2), ok(3))],
                Linearizable,
            ),
            (
                "done after it was dead",
                &[
                    (0, 1, Refresh(1), Unknown),
                    (2, 3, Refresh(1), ok(2)),
                    (4, 5, Refresh(2), ok(3)),
                    (6, 7, Refresh(3), Refused),
                ],
                Contradiction(3),
            ),
            ("an unanswered end", &[(0, 1, End, Unknown), (2, 3, Refresh(1), Refused)], Linearizable),
            ("an unanswered end that did not happen", &[(0, 1, End, Unknown), (2, 3, Refresh(1), ok(2))], Linearizable),
            (
                "an unanswered end that happens late",
                &[(0, 1, End, Unknown), (2, 3, Refresh(1), ok(2)), (4, 5, Refresh(2), Refused)],
                Contradiction(2),
            ),
        ];
        for (name, operations, expected) in CASES {
            assert_eq!(judged(operations), *expected, "{name}");
        }
    }

    #[test]
    fn sixty_four_at_once_are_judged_without_giving_up() {
        let at_once = |outcome: fn(u64) -> Outcome| -> Vec<_> {
            (0..64).map(|i| (i, 100 + i, Call::Refresh(1), outcome(i))).collect()
        };
        assert_eq!(judged(&at_once(|_| ok(2))), Judgement::Linearizable);
        assert_eq!(judged(&at_once(|_| Outcome::Unknown)), Judgement::Linearizable);
        let mut with_end = at_once(|i| if i % 2 == 0 { ok(2) } else { Outcome::Refused });
        assert_eq!(judged(&with_end), Judgement::Contradiction(1), "nothing ended it");
        with_end.push((0, 200, Call::End, Outcome::Ended));
        assert_eq!(judged(&with_end), Judgement::Linearizable);
    }
}
