use std::collections::BTreeMap;

use regrant_import::Kind;

/// What became of every row, by kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(BTreeMap<Kind, Count>);

/// What became of the rows of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// They are in the store now, and were not before.
    pub(super) taken_over: u64,
    /// They were there before, and stay as they are.
    pub(super) known: u64,
    /// They are in good order, and left behind.
    pub(super) left_out: BTreeMap<String, u64>,
    /// They are broken.
    pub(super) broken: u64,
}

impl Tally {
    /// Takes from `of` what of this kind is left behind.
    pub(super) fn keep_left_behind(&mut self, kind: Kind, of: &Self) {
        if let Some(count) = of.0.get(&kind) {
            self.0.insert(kind, Count { taken_over: 0, known: 0, ..count.clone() });
        }
    }

    pub(super) fn of(&mut self, kind: Kind) -> &mut Count {
        self.0.entry(kind).or_default()
    }

    pub(super) fn leave_out(&mut self, kind: Kind, reason: &str) {
        let left_out = &mut self.of(kind).left_out;
        match left_out.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                left_out.insert(reason.to_owned(), 1);
            }
        }
    }

    /// Every kind of which there was something.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Kind, &Count)> {
        self.0.iter().map(|(kind, count)| (*kind, count))
    }

    /// How many rows were read.
    pub(super) fn rows(&self) -> u64 {
        self.0.values().map(Count::rows).sum()
    }

    /// How many rows are broken.
    pub(super) fn broken(&self) -> u64 {
        self.0.values().map(|count| count.broken).sum()
    }
}

impl Count {
    /// How many there were.
    pub(super) fn rows(&self) -> u64 {
        self.taken_over + self.known + self.broken + self.left_out.values().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_counted_once() {
        let mut tally = Tally::default();
        tally.of(Kind::Client).taken_over += 2;
        tally.of(Kind::RefreshToken).broken += 1;
        tally.of(Kind::RefreshToken).known += 4;
        tally.leave_out(Kind::RefreshToken, "expired");
        tally.leave_out(Kind::RefreshToken, "expired");
        assert_eq!((tally.rows(), tally.broken()), (9, 1));
        let refresh: Vec<_> = tally.counts().map(|(kind, count)| (kind, count.rows())).collect();
        assert_eq!(refresh, [(Kind::Client, 2), (Kind::RefreshToken, 7)]);
    }
}
