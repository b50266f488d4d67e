use regrant_protocol::Kid;

use crate::{AnnouncedKey, Epoch, OutsideError};

/// What a restored store begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The epoch; its number is higher than any before.
    pub epoch: Epoch,
    /// The counter, which is higher than any before.
    pub counter: u64,
    /// The master keys of the key file, oldest first. A store without any would take whatever key is announced first, be it a stolen
    /// one.
    pub master_keys: Vec<AnnouncedKey>,
    /// The record of the journal after which it is replayed; that of the store, unless what came until then is given up.
    pub replay_after: u64,
}

impl Renewal {
    /// The master keys that count in a store that was told of `known`, oldest first, and whose journal says that those below
    /// `retired_below` were retired.
    ///
    /// # Errors
    /// When all of the key file were retired: it is an old copy, and whoever was the reason may have it too.
    pub fn keys_that_count(
        &self,
        known: &[AnnouncedKey],
        retired_below: Option<Kid>,
    ) -> Result<&[AnnouncedKey], OutsideError> {
        let oldest = known.first().map(|key| key.kid).max(retired_below).unwrap_or(Kid::FIRST);
        let retired = self.master_keys.iter().take_while(|key| key.kid < oldest).count();
        match &self.master_keys[retired..] {
            [] => Err(OutsideError(format!(
                "the master keys before number {oldest} were retired, and the key file has no other; put the newest copy of it into \
                 the data directory"
            ))),
            counting => Ok(counting),
        }
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::EpochNumber;

    use super::*;

    #[test]
    fn the_keys_that_count_are_those_that_neither_store_nor_journal_calls_retired() {
        let keys = |kids: &[u8]| -> Vec<AnnouncedKey> {
            kids.iter().map(|kid| AnnouncedKey { kid: Kid(*kid), check_value: [*kid; 8] }).collect()
        };
        let epoch = Epoch { number: EpochNumber(2), random: [1; 16], recovery: None };
        for (why, ring, known, retired_below, counting) in [
            ("all are known", vec![1, 2], vec![1, 2], None, Some(vec![1, 2])),
            ("the last was made after the backup", vec![1, 2, 3], vec![1, 2], None, Some(vec![1, 2, 3])),
            ("an emergency came after the backup", vec![3], vec![1, 2], Some(3), Some(vec![3])),
            ("and its end is not in the key file", vec![1, 2, 3], vec![1, 2], Some(3), Some(vec![3])),
            ("an emergency came before the backup, as above", vec![1, 2, 3], vec![3], None, Some(vec![3])),
            ("the key file is from before the emergency", vec![1, 2], vec![1, 2], Some(3), None),
            ("the store was never told of one", vec![1], vec![], None, Some(vec![1])),
        ] {
            let renewal = Renewal { epoch, counter: 1, master_keys: keys(&ring), replay_after: 0 };
            let found = renewal.keys_that_count(&keys(&known), retired_below.map(Kid)).ok().map(<[_]>::to_vec);
            assert_eq!(found, counting.map(|kids| keys(&kids)), "{why}");
        }
    }
}
