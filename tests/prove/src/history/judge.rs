use regrant_crypto::Entropy;

use super::linearizability::{Judgement, judge};
use super::spoil::Spoilage;
use super::{History, Operation};
use crate::report::Entry;

/// The most operations of a history that is spoilt: beyond, one judgement of it would cost more than all the others.
const SPOILT_OPERATIONS_MAX: usize = 2_000;

/// Judges the histories of a run, and spoils a copy of each that it accepts to see whether it accepts that too.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    histories: usize,
    operations: usize,
    spoilt: usize,
    unnoticed: Vec<Spoilage>,
    contradictions: Vec<String>,
}

impl Judge {
    /// Judges a history.
    pub(crate) fn hear(&mut self, history: &History, chance: &dyn Entropy) {
        self.histories += 1;
        self.operations += history.operations.len();
        match judge(history) {
            Judgement::Linearizable => self.plant(history, chance),
            Judgement::Contradiction(index) => {
                self.contradictions.push(format!("no order explains {:?}", history.operations[index]));
            }
            Judgement::GivenUp => self.contradictions.push("a history was too wide to be judged".to_owned()),
        }
    }

    /// What no order explains, and every spoilt history that was accepted.
    pub(crate) fn violations(&self) -> Vec<String> {
        let unnoticed = self.unnoticed.iter().map(|spoilage| format!("{spoilage:?} was not noticed in a history"));
        self.contradictions.iter().cloned().chain(unnoticed).collect()
    }

    /// Adds what was judged to a result.
    pub(crate) fn describe(&self, entry: &mut Entry) {
        entry.add("histories", self.histories);
        entry.add("operations", self.operations);
        entry.add("histories_spoilt", self.spoilt);
        entry.add("histories_spoilt_and_caught", self.spoilt - self.unnoticed.len());
    }

    fn plant(&mut self, history: &History, chance: &dyn Entropy) {
        let beginning = History {
            generation: history.generation,
            operations: beginning(&history.operations, SPOILT_OPERATIONS_MAX),
        };
        // Another one each time, or the next that fits.
        let kinds = Spoilage::ALL.len();
        let mut in_turn = (0..kinds).map(|step| Spoilage::ALL[(self.histories + step) % kinds]);
        let spoil = |spoilage: Spoilage| Some((spoilage, spoilage.spoil(&beginning, chance)?));
        let Some((spoilage, spoilt)) = in_turn.find_map(spoil) else { return };
        self.spoilt += 1;
        if !matches!(judge(&spoilt), Judgement::Contradiction(_)) {
            self.unnoticed.push(spoilage);
        }
    }
}

/// The operations that were sent first.
fn beginning(operations: &[Operation], length: usize) -> Vec<Operation> {
    let mut operations = operations.to_vec();
    operations.sort_by_key(|operation| operation.invoked);
    operations.truncate(length);
    operations
}

#[cfg(test)]
mod tests {
    use regrant_crypto::SeededEntropy;

    use super::super::simulation;
    use super::*;

    #[test]
    fn what_happened_is_accepted_and_what_cannot_have_happened_is_not() {
        let mut judge = Judge::default();
        let chance = SeededEntropy::new(1);
        for seed in 0..100 {
            judge.hear(&simulation::history(seed), &chance);
        }
        assert_eq!(judge.violations(), Vec::<String>::new());
        assert!(judge.spoilt > 90, "{judge:?}");
    }
}
