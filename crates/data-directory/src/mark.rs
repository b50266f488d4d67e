use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use regrant_grant::Realm;
use regrant_protocol::EpochNumber;
use regrant_store::{Mark, OutsideError, Reached};

use crate::checksum::checksum;
use crate::hex::{from_hex, to_hex};
use crate::replace_file::replace_file;

/// The name of the high-water mark in a data directory, unless it lies elsewhere.
pub const MARK_FILE: &str = "high-water.mark";

/// What is longer is no mark.
const MARK_BYTES_MAX: u64 = 512;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) realm: Realm,
    pub(crate) reached: Reached,
    /// The last record of the journal that the database had; 0 for none, or where nobody has said so.
    pub(crate) journalled: u64,
}

/// Reads the mark at `path`; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Marked>, OutsideError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &error)),
    };
    let mut text = String::new();
    file.take(MARK_BYTES_MAX).read_to_string(&mut text).map_err(|error| unusable(path, &error))?;
    from_text(&text).map(Some).ok_or_else(|| {
        OutsideError(format!(
            "{} is no high-water mark, or is damaged; put it back from a copy, or, when you know that the database was not put \
             back to an earlier day, move it away: another is made",
            path.display()
        ))
    })
}

/// Writes the mark, durably.
pub(crate) fn write(path: &Path, marked: &Marked) -> io::Result<()> {
    replace_file(path, to_text(marked).as_bytes())
}

fn unusable(path: &Path, error: &io::Error) -> OutsideError {
    OutsideError(format!(
        "{}: {error}; see that this user may read and write the high-water mark, and that its disk is there",
        path.display()
    ))
}

fn to_text(marked: &Marked) -> String {
    let Marked { realm, reached: Reached { counter, epoch }, journalled } = marked;
    let (realm, epoch) = (to_hex(&realm.0), epoch.0);
    let said = format!("regrant-mark 1\nrealm {realm}\nepoch {epoch}\ncounter {counter}\njournalled {journalled}\n");
    format!("{said}check {:016x}\n", checksum(said.as_bytes()))
}

fn from_text(text: &str) -> Option<Marked> {
    let (said, check) = text.split_at_checked(text.find("check ")?)?;
    let check = check.strip_prefix("check ")?.strip_suffix('\n')?;
    if u64::from_str_radix(check, 16).ok()? != checksum(said.as_bytes()) {
        return None;
    }
    let mut lines = said.lines();
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    if value("regrant-mark")? != "1" {
        return None;
    }
    let realm = Realm(from_hex(value("realm")?)?);
    let epoch = EpochNumber(value("epoch")?.parse().ok()?);
    let counter = value("counter")?.parse().ok()?;
    // Marks of older versions end here.
    let journalled = lines.next().map_or(Some(0), |line| line.strip_prefix("journalled ")?.parse().ok())?;
    Some(Marked { realm, reached: Reached { counter, epoch }, journalled })
}

/// What is to be written next.
struct Latest {
    /// `None` when it is written.
    reached: Option<Reached>,
    journalled: u64,
}

/// The mark beside an open store. A thread of its own writes it, so that no commit waits for it; it keeps the last value only.
pub(crate) struct MarkFile {
    seen: Option<Reached>,
    latest: Arc<Mutex<Latest>>,
    wake: Option<SyncSender<()>>,
    writer: Option<JoinHandle<()>>,
}

impl MarkFile {
    /// Opens the mark of the store of this realm.
    ///
    /// # Errors
    /// When it is another store's, or cannot be read.
    pub(crate) fn open(path: &Path, realm: Realm) -> Result<Self, OutsideError> {
        let marked = read(path)?;
        if marked.is_some_and(|marked| marked.realm != realm) {
            return Err(OutsideError(format!(
                "{} is the high-water mark of another store; name that of this one in store.mark",
                path.display()
            )));
        }
        let journalled = marked.map_or(0, |marked| marked.journalled);
        let latest = Arc::new(Mutex::new(Latest { reached: None, journalled }));
        let (wake, woken) = sync_channel(1);
        let of_thread = Scribe { path: path.to_owned(), realm, latest: Arc::clone(&latest) };
        let writer = thread::Builder::new()
            .name("regrant-mark".to_owned())
            .spawn(move || of_thread.run(&woken))
            .map_err(|error| unusable(path, &error))?;
        Ok(Self { seen: marked.map(|marked| marked.reached), latest, wake: Some(wake), writer: Some(writer) })
    }
}

impl Mark for MarkFile {
    fn seen(&self) -> Option<Reached> {
        self.seen
    }

    fn raise(&self, reached: Reached) {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).reached = Some(reached);
        match self.wake.as_ref().map(|wake| wake.try_send(())) {
            // A thread that is about to write takes what is there then.
            None | Some(Ok(()) | Err(TrySendError::Full(()))) => {}
            Some(Err(TrySendError::Disconnected(()))) => {
                tracing::error!("the thread that writes the high-water mark has ended; start the process again");
            }
        }
    }

    fn journalled(&self, number: u64) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.journalled = latest.journalled.max(number);
    }
}

impl Drop for MarkFile {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(writer) = self.writer.take() {
            // A thread that panicked has said so.
            let _ = writer.join();
        }
    }
}

struct Scribe {
    path: PathBuf,
    realm: Realm,
    latest: Arc<Mutex<Latest>>,
}

impl Scribe {
    fn run(&self, woken: &Receiver<()>) {
        while woken.recv().is_ok() {
            self.write_latest();
        }
        self.write_latest();
    }

    fn write_latest(&self) {
        let (reached, journalled) = {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            (latest.reached.take(), latest.journalled)
        };
        let Some(reached) = reached else { return };
        if let Err(error) = write(&self.path, &Marked { realm: self.realm, reached, journalled }) {
            let path = self.path.display();
            tracing::error!(%path, %error, "the high-water mark cannot be written: a store that is put back is noticed later");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKED: Marked =
        Marked { realm: Realm([0xA5; 16]), reached: Reached { counter: 17, epoch: EpochNumber(3) }, journalled: 900 };

    #[test]
    fn a_mark_says_what_was_written_last_when_the_store_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mark");
        assert_eq!(read(&path), Ok(None));
        let mark = MarkFile::open(&path, MARKED.realm).unwrap();
        assert_eq!(mark.seen(), None);
        for counter in 0..=MARKED.reached.counter {
            mark.journalled(if counter == 7 { MARKED.journalled } else { counter });
            mark.raise(Reached { counter, ..MARKED.reached });
        }
        drop(mark);
        assert_eq!(read(&path), Ok(Some(MARKED)));
        assert_eq!(MarkFile::open(&path, MARKED.realm).unwrap().seen(), Some(MARKED.reached));
        let told = MarkFile::open(&path, Realm([1; 16])).err().unwrap().to_string();
        assert!(told.contains("of another store"), "{told}");
    }

    #[test]
    fn a_mark_of_an_older_version_knows_of_no_journal() {
        let text = to_text(&MARKED);
        let said = text.split_once("journalled").unwrap().0;
        let older = format!("{said}check {:016x}\n", checksum(said.as_bytes()));
        assert_eq!(from_text(&older), Some(Marked { journalled: 0, ..MARKED }));
    }

    #[test]
    fn a_mark_that_was_changed_or_cut_off_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mark");
        let text = to_text(&MARKED);
        for damaged in [&text.replace("17", "16"), &text[..text.len() - 1], &text[..30], "", "a letter"] {
            std::fs::write(&path, damaged).unwrap();
            let told = read(&path).unwrap_err().to_string();
            assert!(told.contains("is no high-water mark, or is damaged"), "{damaged:?}: {told}");
        }
    }
}
