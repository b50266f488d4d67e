//! What journal and mark hear when, and what becomes of a commit when one of them or the file fails.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use regrant_grant::Realm;
use regrant_protocol::{ClientId, SystemClock};
use regrant_store::{ClientChange, JournalSpan, Mark, Record};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::Genesis;
use crate::database::Database;
use crate::job::{Job, job};
use crate::rows::client;
use crate::statements::client::SELECT_CLIENT_PARTY;

/// What is outside a store, as a test sees it.
#[derive(Default)]
struct Notes {
    records: Vec<Record>,
    reached: Option<Reached>,
    raised: Vec<Reached>,
    /// What the mark was told of the journal.
    journalled: u64,
    /// The disk of the journal is full.
    is_full: bool,
    /// The cutoff of the client as others see it when the journal and when the mark is told.
    seen_by_journal: Vec<i64>,
    seen_by_mark: Vec<i64>,
}

/// The same, as the store sees it.
#[derive(Clone)]
struct Noted {
    database: PathBuf,
    notes: Arc<Mutex<Notes>>,
}

impl Noted {
    /// What another connection reads, which sees what is committed.
    fn cutoff(&self) -> i64 {
        let connection = Connection::open(&self.database).unwrap();
        connection.query_row(SELECT_CLIENT_PARTY, ["app"], |row| row.get(1)).unwrap_or(-1)
    }
}

impl Mark for Noted {
    fn seen(&self) -> Option<Reached> {
        self.notes.lock().unwrap().raised.last().copied()
    }

    fn raise(&self, reached: Reached) {
        let cutoff = self.cutoff();
        let mut notes = self.notes.lock().unwrap();
        notes.seen_by_mark.push(cutoff);
        notes.raised.push(reached);
    }

    fn journalled(&self, number: u64) {
        self.notes.lock().unwrap().journalled = number;
    }
}

impl Journal for Noted {
    fn span(&self) -> JournalSpan {
        let notes = self.notes.lock().unwrap();
        let last = notes.records.last().map_or(0, |record| record.number);
        JournalSpan { begins_after: 0, last, reached: notes.reached }
    }

    fn append(&mut self, reached: Reached, endings: &[Ending]) -> Result<u64, OutsideError> {
        let cutoff = self.cutoff();
        let mut notes = self.notes.lock().unwrap();
        if notes.is_full {
            return Err(OutsideError("the disk of the journal is full".to_owned()));
        }
        notes.seen_by_journal.push(cutoff);
        for ending in endings {
            let number = notes.records.len() as u64 + 1;
            notes.records.push(Record { number, counter: reached.counter, ending: ending.clone() });
        }
        notes.reached = Some(reached);
        Ok(notes.records.len() as u64)
    }

    fn read_after(&mut self, number: u64) -> Result<Vec<Record>, OutsideError> {
        let notes = self.notes.lock().unwrap();
        Ok(notes.records.iter().filter(|record| record.number > number).cloned().collect())
    }
}

/// A store with the client `app`, and what is outside it.
struct Scene {
    noted: Noted,
    database: Option<Database>,
    _directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let noted = Noted { database: directory.path().join("regrant.db"), notes: Arc::default() };
        let mut scene = Self { _directory: directory, noted, database: None };
        scene.open();
        let add = "INSERT INTO clients (id, enabled, cutoff, version) VALUES ('app', 1, 0, 1)";
        assert_eq!(scene.commit([write(add)]), [true]);
        scene
    }

    fn open(&mut self) {
        self.database = Some(self.try_open().unwrap());
    }

    fn try_open(&mut self) -> Result<Database, OpenError> {
        self.database = None;
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        let outside = Outside { mark: Some(Box::new(self.noted.clone())), journal: Some(Box::new(self.noted.clone())) };
        Database::open_beside(&self.noted.database, &genesis, Arc::new(SystemClock), |_, _| Ok(outside))
    }

    /// Whether each of these steps, which wait together, was answered that it is done.
    fn commit<const N: usize>(&mut self, works: [Work; N]) -> [bool; N] {
        let (mut batch, mut answers): (Vec<Box<dyn Job>>, Vec<_>) = works
            .into_iter()
            .map(|work| {
                job(None, move |transaction| {
                    transaction.isolate()?;
                    work(transaction)
                })
            })
            .unzip();
        let committed = self.database.as_mut().unwrap().commit_together(&mut batch);
        batch.into_iter().for_each(|job| job.answer(&committed));
        std::array::from_fn(|index| answers[index].try_recv().unwrap().is_ok())
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.noted.notes.lock().unwrap()
    }

    /// The cutoffs that the journal has.
    fn journalled(&self) -> Vec<u32> {
        let cutoff = |record: &Record| {
            if let Ending::ClientCutoff { cutoff, .. } = &record.ending { Some(*cutoff) } else { None }
        };
        self.notes().records.iter().filter_map(cutoff).collect()
    }
}

type Work = Box<dyn FnOnce(&Transaction<'_>) -> Result<(), StoreError> + Send>;

fn app() -> ClientId {
    ClientId::parse("app").unwrap()
}

/// Ends the grants of the client.
fn end() -> Work {
    Box::new(|transaction| {
        client::change(transaction, &app(), &ClientChange::RaiseCutoff)
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    })
}

/// Disables or enables the client.
fn switch(enabled: bool) -> Work {
    Box::new(move |transaction| {
        client::change(transaction, &app(), &ClientChange::Enabled(enabled))
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    })
}

fn write(sql: &'static str) -> Work {
    Box::new(move |transaction| transaction.execute(sql, []).map(drop))
}

/// Ends nothing.
fn touch() -> Work {
    write("UPDATE clients SET version = version + 1")
}

#[test]
fn the_journal_hears_of_an_end_before_it_is_committed_and_the_mark_after_it() {
    let mut scene = Scene::new();
    assert_eq!(scene.commit([end(), end()]), [true, true]);
    assert_eq!(scene.journalled(), [1, 2]);
    assert_eq!(scene.notes().seen_by_journal.last(), Some(&0));
    assert_eq!(scene.notes().seen_by_mark.last(), Some(&2));
    assert_eq!(scene.notes().journalled, 3, "two ends, and before them that there is a journal");
}

#[test]
fn nobody_is_told_of_an_end_that_the_journal_could_not_take_nor_of_what_was_done_with_it() {
    let mut scene = Scene::new();
    scene.notes().is_full = true;
    for _ in 0..2 {
        assert_eq!(scene.commit([touch(), end()]), [false, false]);
        assert_eq!((scene.noted.cutoff(), scene.journalled()), (0, vec![]));
    }
    assert_eq!(scene.commit([touch()]), [true], "what ends nothing goes on");
    assert!(
        scene.notes().seen_by_mark.iter().all(|cutoff| *cutoff <= 0),
        "the mark was told of nothing that was not done"
    );
    scene.notes().is_full = false;
    assert_eq!(scene.commit([end()]), [true]);
    assert_eq!((scene.noted.cutoff(), scene.journalled()), (1, vec![1]));
}

#[test]
fn what_is_undone_alone_is_not_in_the_journal() {
    let mut scene = Scene::new();
    let fails: Work = Box::new(|transaction| {
        end()(transaction)?;
        Err(StoreError::Unavailable("it fails after it ended something".to_owned()))
    });
    assert_eq!(scene.commit([fails, touch()]), [false, true]);
    assert_eq!((scene.noted.cutoff(), scene.journalled()), (0, vec![]));
}

#[test]
fn what_the_journal_has_of_a_commit_that_failed_is_done_with_the_next() {
    let mut scene = Scene::new();
    let breaks_the_commit: Work = Box::new(|transaction| {
        transaction.execute("PRAGMA defer_foreign_keys = ON", [])?;
        transaction.execute("INSERT INTO consents (user, client, scope, given_at) VALUES (99, 99, '', 1)", []).map(drop)
    });
    let raised = scene.notes().raised.clone();
    assert_eq!(scene.commit([end(), breaks_the_commit]), [false, false]);
    assert_eq!((scene.noted.cutoff(), scene.journalled()), (0, vec![1]));
    assert_eq!(scene.notes().raised, raised, "the mark is never ahead");
    assert_eq!(scene.commit([touch()]), [true]);
    assert_eq!((scene.noted.cutoff(), scene.journalled()), (1, vec![1]));
    scene.open();
    assert_eq!((scene.noted.cutoff(), scene.journalled()), (1, vec![1]), "and once only");
}

#[test]
fn what_was_journalled_before_is_done_before_what_comes_now() {
    let mut scene = Scene::new();
    let breaks_the_commit: Work = Box::new(|transaction| {
        transaction.execute("PRAGMA defer_foreign_keys = ON", [])?;
        transaction.execute("INSERT INTO consents (user, client, scope, given_at) VALUES (99, 99, '', 1)", []).map(drop)
    });
    assert_eq!(scene.commit([switch(false), breaks_the_commit]), [false, false]);
    assert_eq!(scene.commit([switch(true)]), [true]);
    let enabled = |scene: &Scene| {
        let connection = Connection::open(&scene.noted.database).unwrap();
        connection.query_row(SELECT_CLIENT_PARTY, ["app"], |row| row.get::<_, bool>(0)).unwrap()
    };
    assert!(enabled(&scene), "who was told last that the client is enabled is right");
    scene.open();
    assert!(enabled(&scene));
}

#[test]
fn what_a_crash_has_left_in_the_journal_alone_is_done_before_anybody_is_answered() {
    let mut scene = Scene::new();
    assert_eq!(scene.commit([end()]), [true]);
    scene.database = None;
    let reached = *scene.notes().raised.last().unwrap();
    // The process died between the journal and the commit.
    let reached = Reached { counter: reached.counter + 1, ..reached };
    scene.noted.append(reached, &[Ending::ClientCutoff { client: app(), cutoff: 2 }]).unwrap();
    scene.open();
    assert_eq!(scene.noted.cutoff(), 2);
    assert_eq!(scene.notes().raised.last(), Some(&reached));
    scene.open();
    assert_eq!(scene.commit([end()]), [true]);
    assert_eq!(scene.journalled(), [1, 2, 3]);
}

#[test]
fn a_journal_that_lacks_a_record_before_its_last_is_refused() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        assert_eq!(scene.commit([end()]), [true]);
    }
    scene.database = None;
    let reached = scene.notes().reached.unwrap();
    let reached = Reached { counter: reached.counter + 1, ..reached };
    let endings = [3, 4, 5].map(|cutoff| Ending::ClientCutoff { client: app(), cutoff });
    scene.noted.append(reached, &endings).unwrap();
    let records = scene.notes().records.clone();
    for (lost, missing) in [(6, 6), (5, 5)] {
        scene.notes().records.retain(|record| record.number != lost);
        let told = scene.try_open().err().unwrap().to_string();
        assert!(told.contains(&format!("the journal lacks record {missing} of 7")), "{told}");
        scene.notes().records = records.clone();
    }
    scene.open();
    assert_eq!(scene.noted.cutoff(), 5);
}

#[test]
fn an_emergency_that_is_in_the_journal_alone_leaves_a_master_key_announced() {
    let mut scene = Scene::new();
    let announce = "INSERT INTO announced_keys (kid, check_value) VALUES (1, x'0101010101010101')";
    assert_eq!(scene.commit([write(announce)]), [true]);
    scene.database = None;
    let reached = *scene.notes().raised.last().unwrap();
    let reached = Reached { counter: reached.counter + 1, ..reached };
    scene.noted.append(reached, &[Ending::MasterKeysRetired { oldest: Kid(2) }]).unwrap();
    scene.open();
    let connection = Connection::open(&scene.noted.database).unwrap();
    let kept: i64 = connection.query_row("SELECT kid FROM announced_keys", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1, "an empty store would take any");
}
