use std::path::{Path, PathBuf};

use regrant_grant::Realm;
use regrant_store::{Ending, Journal, JournalSpan, OutsideError, Reached, Record};

use super::JournalFile;
use crate::RestoreError;

/// A journal and those from before it was begun, which go on where the one before ends: read as one, and only the last is added to.
pub(crate) struct JournalChain {
    /// Oldest first.
    earlier: Vec<JournalFile>,
    present: JournalFile,
}

impl JournalChain {
    /// Opens the journal at `present`, or begins one after the record `known`, the last that the store has, and after those of the
    /// earlier journals, which may be named in any order.
    ///
    /// # Errors
    /// When one of the earlier ones is missing, one of all is another store's, damaged or cannot be used, or there is a gap.
    pub(crate) fn open(present: &Path, earlier: &[PathBuf], realm: Realm, known: u64) -> Result<Self, RestoreError> {
        let opened: Result<Vec<_>, _> = earlier.iter().map(|path| JournalFile::open_earlier(path, realm)).collect();
        let mut earlier = opened?;
        earlier.sort_by_key(|journal| journal.span().begins_after);
        let known = earlier.last().map_or(known, |newest| known.max(newest.span().last));
        let present = JournalFile::open(present, realm, known)?;
        let chain = Self { earlier, present };
        for (journal, end) in chain.earlier.iter().zip(chain.ends()) {
            // What it has beyond that came into no database.
            if journal.span().last < end {
                let (path, last) = (journal.path().to_owned(), journal.span().last);
                return Err(RestoreError::JournalsApart { path, last, begins_after: end });
            }
        }
        Ok(chain)
    }

    /// The last record of each that counts: that after which the next begins.
    fn ends(&self) -> impl Iterator<Item = u64> {
        let begins = self.earlier.iter().chain([&self.present]).skip(1).map(|next| next.span().begins_after);
        begins.chain([self.present.span().last])
    }
}

impl Journal for JournalChain {
    fn span(&self) -> JournalSpan {
        let first = self.earlier.first().unwrap_or(&self.present);
        JournalSpan { begins_after: first.span().begins_after, ..self.present.span() }
    }

    fn append(&mut self, reached: Reached, endings: &[Ending]) -> Result<u64, OutsideError> {
        self.present.append(reached, endings)
    }

    fn read_after(&mut self, number: u64) -> Result<Vec<Record>, OutsideError> {
        let Some((index, end)) = self.ends().enumerate().find(|(_, end)| number < *end) else { return Ok(Vec::new()) };
        let mut records = self.earlier.get_mut(index).unwrap_or(&mut self.present).read_after(number)?;
        records.retain(|record| record.number <= end);
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use regrant_grant::GrantId;
    use regrant_protocol::{EpochNumber, Timestamp};

    use super::*;

    const REALM: Realm = Realm([1; 16]);
    const REACHED: Reached = Reached { counter: 3, epoch: EpochNumber(1) };

    /// Makes a journal of the records between these two.
    fn make(path: &Path, begins_after: u64, last: u64) -> JournalFile {
        let mut journal = JournalFile::open(path, REALM, begins_after).unwrap();
        let ending = Ending::Grant { id: GrantId([7; 16]), at: Timestamp::from_seconds(1) };
        for _ in begins_after..last {
            journal.append(REACHED, std::slice::from_ref(&ending)).unwrap();
        }
        journal
    }

    #[test]
    fn journals_that_join_are_read_as_one_and_a_gap_between_them_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        drop(make(&path("first"), 0, 3));
        // Its last record was of a commit that failed.
        drop(make(&path("second"), 3, 7));
        let open = |earlier: &[&str], realm| {
            let earlier: Vec<_> = earlier.iter().map(|name| path(name)).collect();
            JournalChain::open(&path("present"), &earlier, realm, 0)
        };
        drop(make(&path("present"), 6, 8));
        let mut chain = open(&["second", "first"], REALM).unwrap();
        assert_eq!(chain.span(), JournalSpan { begins_after: 0, last: 8, reached: Some(REACHED) });
        let (mut found, mut last) = (Vec::new(), 1);
        loop {
            let records = chain.read_after(last).unwrap();
            let Some(record) = records.last() else { break };
            last = record.number;
            found.extend(records.iter().map(|record| record.number));
        }
        assert_eq!(found, [2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(chain.read_after(5).unwrap().len(), 1, "the seventh is that of the next journal");
        let epoch = Ending::Epoch { number: EpochNumber(2) };
        assert_eq!(chain.append(REACHED, &[epoch]), Ok(9));
        assert_eq!(chain.read_after(8).unwrap().len(), 1);
        drop(chain);

        let told = |earlier: &[&str], realm| open(earlier, realm).err().unwrap().to_string();
        assert!(told(&["first"], REALM).contains("ends with record 3, and the next journal begins after record 6"));
        assert!(told(&["second", "nothing"], REALM).contains("nothing"));
        assert!(!path("nothing").exists());
        assert!(told(&["second"], Realm([2; 16])).contains("the journal of another store"));
        let before = std::fs::read(path("second")).unwrap();
        assert!(open(&["second"], REALM).is_ok());
        assert_eq!(std::fs::read(path("second")).unwrap(), before);
        std::fs::remove_file(path("present")).unwrap();
        assert_eq!(open(&["second"], REALM).unwrap().span(), JournalSpan { begins_after: 3, last: 7, reached: None });
    }
}
