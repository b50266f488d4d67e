use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use regrant_grant::Realm;
use regrant_store::{Ending, JOURNAL_RECORDS_READ_MAX, Journal, JournalSpan, OutsideError, Reached, Record};

use super::line::{Header, Line};
use super::scan::{Scanned, scan};
use crate::file_lock::take_lock;
use crate::replace_file::replace_file;

/// A journal that this process alone adds to.
pub(crate) struct JournalFile {
    path: PathBuf,
    file: File,
    span: JournalSpan,
    /// How long it is, as far as it is durable.
    bytes: u64,
    /// Where the records after one begin, if they were read.
    cursor: (u64, u64),
    /// Why nothing can be added until the process is started again.
    poisoned: Option<String>,
}

impl JournalFile {
    /// Opens the journal of the store of this realm, or begins one after the record `known`, the last that the store has.
    ///
    /// # Errors
    /// When it is another store's, in use, damaged, or cannot be read or written.
    pub(crate) fn open(path: &Path, realm: Realm, known: u64) -> Result<Self, OutsideError> {
        let failed = |error: io::Error| unusable(path, &error);
        if !path.try_exists().map_err(failed)? {
            let header = Header { realm, begins_after: known };
            replace_file(path, header.to_text().as_bytes()).map_err(failed)?;
            tracing::info!(path = %path.display(), after = known, "a revocation journal is begun");
        }
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        match take_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let name = path.display();
                return Err(OutsideError(format!(
                    "{name} is in use by another process; name another in store.journal"
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let (journal, scanned) = Self::look_through(path, file, realm)?;
        let Scanned { span, bytes, last_written, is_torn, .. } = scanned;
        if is_torn {
            tracing::warn!(path = %path.display(), last = span.last, "what a crash left of the last lines is cut off");
            journal.file.set_len(bytes).map_err(failed)?;
        }
        write_anew(&journal.file, last_written, bytes).map_err(failed)?;
        Ok(journal)
    }

    /// Opens a journal that nothing is added to any more, which stays as it is.
    ///
    /// # Errors
    /// When it is missing, another store's, damaged, or cannot be read.
    pub(crate) fn open_earlier(path: &Path, realm: Realm) -> Result<Self, OutsideError> {
        let file = File::open(path).map_err(|error| unusable(path, &error))?;
        Ok(Self::look_through(path, file, realm)?.0)
    }

    fn look_through(path: &Path, file: File, realm: Realm) -> Result<(Self, Scanned), OutsideError> {
        let scanned = scan(&path.display().to_string(), BufReader::new(&file))?;
        let Scanned { header, span, bytes, .. } = scanned;
        if header.realm != realm {
            return Err(OutsideError(format!(
                "{} is the journal of another store; name that of this one in store.journal",
                path.display()
            )));
        }
        let cursor = (header.begins_after, header.to_text().len() as u64);
        Ok((Self { path: path.to_owned(), file, span, bytes, cursor, poisoned: None }, scanned))
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, error: &io::Error) -> OutsideError {
        unusable(&self.path, error)
    }
}

impl Journal for JournalFile {
    fn span(&self) -> JournalSpan {
        self.span
    }

    fn append(&mut self, reached: Reached, endings: &[Ending]) -> Result<u64, OutsideError> {
        if let Some(cause) = &self.poisoned {
            return Err(OutsideError(cause.clone()));
        }
        let first = self.span.last + 1;
        let line = |(number, ending): (u64, &Ending)| {
            let record = Record { number, counter: reached.counter, ending: ending.clone() };
            Line { record, first, epoch: reached.epoch }.to_text()
        };
        let text: String = (first..).zip(endings).map(line).collect();
        if let Err(error) = self.file.write_all_at(text.as_bytes(), self.bytes) {
            // A full disk may have taken half of it.
            if self.file.set_len(self.bytes).is_err() {
                self.poisoned =
                    Some(format!("{} is half written ({error}); start the process again", self.path.display()));
            }
            return Err(self.failed(&error));
        }
        if let Err(error) = self.file.sync_data() {
            // The kernel may have dropped what it could not write, and would call a second sync a success.
            let told = format!(
                "a sync of {} failed ({error}); check the disk and start the process again",
                self.path.display()
            );
            self.poisoned = Some(told.clone());
            return Err(OutsideError(told));
        }
        self.bytes += text.len() as u64;
        self.span.last += endings.len() as u64;
        self.span.reached = Some(reached);
        Ok(self.span.last)
    }

    fn read_after(&mut self, number: u64) -> Result<Vec<Record>, OutsideError> {
        let from = if self.cursor.0 <= number { self.cursor } else { self.beginning()? };
        let (mut last, mut offset) = from;
        let mut reader = BufReader::new(&self.file);
        reader.seek(SeekFrom::Start(offset)).map_err(|error| self.failed(&error))?;
        let (mut records, mut text) = (Vec::new(), Vec::new());
        while offset < self.bytes && records.len() < JOURNAL_RECORDS_READ_MAX {
            text.clear();
            // The whole file was looked through when it was opened: no line is longer than it may be.
            offset += reader.read_until(b'\n', &mut text).map_err(|error| self.failed(&error))? as u64;
            let line = text.strip_suffix(b"\n").and_then(Line::read).ok_or_else(|| {
                OutsideError(format!("{} was changed while it was open; start the process again", self.path.display()))
            })?;
            last = line.record.number;
            if last > number {
                records.push(line.record);
            }
        }
        self.cursor = (last, offset);
        Ok(records)
    }
}

impl JournalFile {
    /// Where the first record begins.
    fn beginning(&self) -> Result<(u64, u64), OutsideError> {
        let mut reader = BufReader::new(&self.file);
        let mut text = Vec::new();
        let bytes = reader
            .seek(SeekFrom::Start(0))
            .and_then(|_| reader.read_until(b'\n', &mut text))
            .map_err(|error| self.failed(&error))?;
        Ok((self.span.begins_after, bytes as u64))
    }
}

/// Makes the bytes durable that nobody knows to be: after a failed sync they may be in the kernel's cache and not on the disk, and
/// another sync would not bring them there.
fn write_anew(file: &File, from: u64, to: u64) -> io::Result<()> {
    let mut bytes = vec![0; usize::try_from(to - from).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, from)?;
    file.write_all_at(&bytes, from)?;
    file.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> OutsideError {
    OutsideError(format!(
        "{}: {error}; see that this user may read and write the revocation journal, and that its disk is there and not full",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use regrant_grant::GrantId;
    use regrant_protocol::{EpochNumber, Timestamp};

    use super::*;

    const REALM: Realm = Realm([1; 16]);
    const REACHED: Reached = Reached { counter: 3, epoch: EpochNumber(1) };

    fn endings(count: u8) -> Vec<Ending> {
        (0..count).map(|number| Ending::Grant { id: GrantId([number; 16]), at: Timestamp::from_seconds(1) }).collect()
    }

    fn numbers(journal: &mut JournalFile, after: u64) -> Vec<u64> {
        journal.read_after(after).unwrap().iter().map(|record| record.number).collect()
    }

    #[test]
    fn what_was_added_is_there_after_a_new_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = JournalFile::open(&path, REALM, 4).unwrap();
        assert_eq!(journal.append(REACHED, &endings(2)), Ok(6));
        assert_eq!(numbers(&mut journal, 4), [5, 6]);
        assert_eq!(journal.append(REACHED, &endings(1)), Ok(7));
        assert_eq!(numbers(&mut journal, 6), [7]);
        assert_eq!(numbers(&mut journal, 5), [6, 7], "back again");
        drop(journal);
        let mut journal = JournalFile::open(&path, REALM, 99).unwrap();
        assert_eq!(journal.span(), JournalSpan { begins_after: 4, last: 7, reached: Some(REACHED) });
        assert_eq!(numbers(&mut journal, 4), [5, 6, 7]);
        assert_eq!(numbers(&mut journal, 7), [0_u64; 0]);
    }

    #[test]
    fn a_torn_line_is_cut_off_and_the_next_is_written_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = JournalFile::open(&path, REALM, 0).unwrap();
        journal.append(REACHED, &endings(1)).unwrap();
        drop(journal);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&bytes[..], b"2 2 1 4 {\"gra"].concat()).unwrap();
        let mut journal = JournalFile::open(&path, REALM, 0).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert_eq!(journal.append(REACHED, &endings(3)), Ok(4));
        assert_eq!(numbers(&mut journal, 0), [1, 2, 3, 4]);
    }

    #[test]
    fn a_journal_of_another_store_or_in_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let journal = JournalFile::open(&path, REALM, 0).unwrap();
        let told = |realm| JournalFile::open(&path, realm, 0).err().unwrap().to_string();
        assert!(told(REALM).contains("in use by another process"));
        drop(journal);
        assert!(told(Realm([2; 16])).contains("the journal of another store"));
        let nowhere = directory.path().join("nowhere/journal");
        let told = JournalFile::open(&nowhere, REALM, 0).err().unwrap().to_string();
        assert!(told.contains("see that this user may read and write"), "{told}");
    }
}
