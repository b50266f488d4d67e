use regrant_crypto::{Entropy, random};

use super::{Call, History, Operation, Outcome};

/// How a history is made one that no order explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoilage {
    /// One of several answers to one token carries other tokens than the rest.
    OtherTokens,
    /// The answers to two tokens are exchanged.
    ExchangedAnswers,
    /// A refresh is refused for which there is no reason yet.
    GroundlessRefusal,
    /// A refresh that began after the end was acknowledged is answered 200.
    AnswerAfterTheEnd,
}

impl Spoilage {
    /// Every one.
    pub(crate) const ALL: [Self; 4] =
        [Self::OtherTokens, Self::ExchangedAnswers, Self::GroundlessRefusal, Self::AnswerAfterTheEnd];

    /// A copy of `history` that is spoilt in a place drawn from `chance`; `None` where there is no such place.
    pub(crate) fn spoil(self, history: &History, chance: &dyn Entropy) -> Option<History> {
        let operations = &history.operations;
        let places: Vec<usize> = (0..operations.len()).filter(|&index| self.fits(index, operations)).collect();
        let drawn = u64::from_be_bytes(random(chance));
        let place = *places.get(usize::try_from(drawn).unwrap_or(0).checked_rem(places.len())?)?;
        let mut spoilt = history.clone();
        spoilt.operations[place].outcome = self.outcome(place, operations)?;
        if self == Self::ExchangedAnswers {
            let other = other_successor(place, operations)?;
            spoilt.operations[other].outcome = operations[place].outcome;
        }
        Some(spoilt)
    }

    fn fits(self, index: usize, operations: &[Operation]) -> bool {
        let operation = &operations[index];
        match (self, operation.outcome) {
            (Self::OtherTokens, Outcome::Refreshed(_)) => {
                operations.iter().enumerate().any(|(other, twin)| other != index && twin.outcome == operation.outcome)
            }
            (Self::ExchangedAnswers, Outcome::Refreshed(_)) => other_successor(index, operations).is_some(),
            (Self::GroundlessRefusal, Outcome::Refreshed(successor)) => {
                // Nothing that was asked so far ends the grant, or moves it so far that this would be reuse.
                let mut so_far = operations.iter().filter(|other| other.invoked <= operation.completed);
                so_far.all(|other| match (other.call, other.outcome) {
                    (Call::Refresh(presented), Outcome::Refreshed(_)) => presented < successor.generation,
                    _ => false,
                })
            }
            (Self::AnswerAfterTheEnd, Outcome::Refused) => {
                operations.iter().any(|end| end.outcome == Outcome::Ended && end.completed < operation.invoked)
            }
            _ => false,
        }
    }

    fn outcome(self, place: usize, operations: &[Operation]) -> Option<Outcome> {
        match (self, operations[place].call, operations[place].outcome) {
            (Self::OtherTokens, _, Outcome::Refreshed(successor)) => {
                Some(Outcome::Refreshed(super::Successor { digest: !successor.digest, ..successor }))
            }
            (Self::ExchangedAnswers, ..) => Some(operations[other_successor(place, operations)?].outcome),
            (Self::GroundlessRefusal, ..) => Some(Outcome::Refused),
            (Self::AnswerAfterTheEnd, Call::Refresh(presented), _) => {
                Some(Outcome::Refreshed(super::Successor { generation: presented + 1, digest: 0 }))
            }
            _ => None,
        }
    }
}

/// The next operation whose answer is of another generation.
fn other_successor(index: usize, operations: &[Operation]) -> Option<usize> {
    let Outcome::Refreshed(successor) = operations[index].outcome else { return None };
    (index + 1..operations.len()).find(|&other| {
        matches!(operations[other].outcome, Outcome::Refreshed(found) if found.generation != successor.generation)
    })
}
